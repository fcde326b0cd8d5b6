"""Read what answers claim: what is negated and what isn't, quantities, and formulas.

A text is read clause by clause. The words of a clause that aren't part of the claim itself are its
context: two claims are comparable where their contexts are alike.
"""

from __future__ import annotations

import re
from collections.abc import Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

from searchkit.grading.groups.formulas import PROTECTED, read_formulas
from searchkit.grading.groups.quantities import read_quantities
from searchkit.text.folding import Folded, fold
from searchkit.text.words import code_spans

ClaimKind = Literal["negation", "quantity", "formula"]

_CLAUSE_END = re.compile(
    r"(?<=[.!?])\s+|[;\n]+"
    r"|(?<!\s),?\s+(?:but|because|while|whereas|although|though|since|however)\b(?=\s)"
)
_ENUMERATION = re.compile(r"(?:^|(?<=\s))(?:\(?\d{1,2}\)|\d{1,2}[.:](?=\s))")
_WORD = re.compile(r"[^\W\d_]\w*(?:'\w+)*")
_NOT_NEGATING = re.compile(
    r"\b(?:not only|not just|not necessarily|if not|or not|why not|no matter|no doubt|"
    r"nothing but|nothing more than)\b"
)
_NEGATORS = frozenset(
    "not no non never without cannot neither nor nothing none nobody hardly rarely seldom barely "
    "unable lack lacks lacking".split()
)
_FAILURE = re.compile(r"\bfail(?:s|ed)?(?= to\b)")  # which denies what follows
_CONTRACTED = frozenset(
    "arent cant couldnt didnt doesnt dont hadnt hasnt havent isnt shouldnt wasnt werent wont "
    "wouldnt".split()
)
_AUXILIARIES = frozenset(
    "am is are was were be been being do does did have has had can could will would shall should "
    "may might must get gets".split()
)
_FUNCTION_WORDS = _AUXILIARIES | frozenset(
    "a an the any to of in at by for with from as that which who this these those it its they "
    "them their there then and or so also very too than such into onto he she we you i if when "
    "much many more longer able all both every each always ever just really".split()
)
# Opposites by prefix, where what is left is the opposite: "invalid" but not "inform".
_OPPOSITE = re.compile(
    r"(?:un|non)-?(?=\w{4})|dis(?=connect|appear|agree|allow|able|continu|order|similar|charg)|"
    r"in(?=valid|correct|direct|efficient|complete|consistent|dependent|finite|active|sufficient|"
    r"accurate|compatible|secure|visible|variant|equal|stable|mutable|definite|sensitive)|"
    r"im(?=mutable|possible|perfect|proper|precise)|ir(?=relevant|regular|reversible|rational)"
)
_NO_OPPOSITE = re.compile(r"un(?:der|it|iq|if|ion|til|less|iv|ic)")
_OPENING = re.compile(
    r"\W*(yes|no|true|false)\b"
    r"(?=\W*$|\s*[,.;:!-]|\s+(?:it|this|that|the|they|he|she|we|you|i|there|since|as|for|in)\b)"
)
MAX_WORD_LENGTH = 40  # of a word that is reduced to its lemma
_REACH = 4  # words behind a negator among which the negated one is


@dataclass(frozen=True, slots=True)
class Claim:
    """Something that an answer says and another one may say otherwise.

    Attributes:
        row: The answer's row.
        kind: `negation`, `quantity` or `formula`.
        topic: What is negated or not, or what makes quantities comparable; empty for formulas.
        values: What is claimed: "yes" or "no" of the topic, canonical quantities, or formulas.
        quotes: Each of them as it stands in the answer.
        context: The clause's other words; of a negation also its quantities and formulas.
    """

    row: int
    kind: ClaimKind
    topic: str
    values: frozenset[Hashable]
    quotes: Mapping[Hashable, str]
    context: frozenset[Hashable]


@dataclass(frozen=True, slots=True)
class _Clause:
    """A clause of an answer, by its offsets in the folded text."""

    row: int
    original: str
    folded: Folded
    start: int
    end: int

    def claim(
        self,
        kind: ClaimKind,
        topic: str,
        spans: Sequence[tuple[int, int, Hashable]],
        context: frozenset[Hashable],
    ) -> Claim:
        """Return a claim of values, each with its (start, end) in the clause."""
        quotes = {value: self._quote(start, end) for start, end, value in spans}
        return Claim(self.row, kind, topic, frozenset(quotes), quotes, context)

    def _quote(self, start: int, end: int) -> str:
        first = self.folded.original_offset(self.start + start)
        last = self.folded.original_offset(self.start + end - 1)
        return self.original[first : last + 1].strip()


def read_claims(row: int, text: str) -> Iterator[Claim]:
    """Yield the claims of one answer, clause by clause."""
    folded = fold(_without_code(text).translate(PROTECTED))
    clauses = []
    position = 0
    for border in [*_CLAUSE_END.finditer(folded.text), None]:
        end = border.start() if border else len(folded.text)
        if folded.text[position:end].strip():
            clauses.append(_Clause(row, text, folded, position, end))
        position = border.end() if border else end
    for clause in clauses:
        for claim in _read_clause(clause):
            if claim.kind == "negation" or claim.context or len(clauses) == 1:
                yield claim  # a number by itself among other clauses could be about anything


def _without_code(text: str) -> str:
    """Return a text with its lines of code blanked out: they claim nothing."""
    return _without(text, code_spans(text))


def count_negations(text: str) -> int:
    """Return how often a text denies something."""
    found = _WORD.findall(_blank(fold(_without_code(text)).text, _NOT_NEGATING))
    return sum(_is_negator(word) for word in found)


def _is_negator(word: str) -> bool:
    plain = word.replace("'", "")
    return plain in _NEGATORS or plain in _CONTRACTED or word.endswith("n't")


def _read_clause(clause: _Clause) -> Iterator[Claim]:
    """Yield the claims of one clause: formulas first, numbers in what is left, then words."""
    text = _blank(clause.folded.text[clause.start : clause.end], _ENUMERATION)
    opening = _OPENING.match(text)
    if opening:
        denial = "no" if opening[1] in ("no", "false") else "yes"
        yield clause.claim("negation", "(yes or no)", [(*opening.span(1), denial)], frozenset())
        text = _without(text, [opening.span()])
    formulas = list(read_formulas(text))
    text = _without(text, [(start, end) for start, end, _ in formulas])
    quantities = list(read_quantities(text))
    text = _without(text, [(start, end) for start, end, _ in quantities])
    words, negations = _read_words(text)
    if formulas:
        yield clause.claim("formula", "", formulas, frozenset(words))
    if quantities:  # comparable are numbers of the same things, and the same numbers
        things = sorted(quantity.dimension for _, _, quantity in quantities)
        numbers = sorted(str(quantity.written) for _, _, quantity in quantities)
        for topic in (" ".join(("of", *things)), " ".join(("as", *numbers))):
            yield clause.claim("quantity", topic, quantities, frozenset(words))
    context = frozenset(words).union(value for _, _, value in (*formulas, *quantities))
    for word, (start, end) in words.items():
        denial = "no" if word in negations else "yes"
        span = negations.get(word, start), end, denial
        yield clause.claim("negation", word, [span], context - {word})


def _without(text: str, spans: Sequence[tuple[int, int]]) -> str:
    """Return a text with some stretches, in order, blanked out."""
    pieces, position = [], 0
    for start, end in spans:
        pieces += [text[position:start], " " * (end - start)]
        position = end
    return "".join([*pieces, text[position:]])


def _blank(text: str, pattern: re.Pattern[str]) -> str:
    return pattern.sub(lambda match: " " * len(match[0]), text)


def _read_words(text: str) -> tuple[dict[str, tuple[int, int]], dict[str, int]]:
    """Return the content words of a clause, and which of them are negated.

    Returns:
        The (start, end) of each content word's first use, by lemma; the start of the negation of
        each negated word: of its auxiliary, if there is one.
    """
    text = _FAILURE.sub(lambda match: "not".ljust(len(match[0])), _blank(text, _NOT_NEGATING))
    words: dict[str, tuple[int, int]] = {}
    negations: dict[str, int] = {}
    pending: tuple[int, int] | None = None  # start of a negation, and words that it still reaches
    auxiliary = -1  # start of the last word, if it is an auxiliary
    for match in _WORD.finditer(text):
        word = match[0].replace("'", "")
        if _is_negator(match[0]):
            contracted = word not in _NEGATORS or word == "cannot"
            start = match.start() if contracted or auxiliary < 0 else auxiliary
            pending = None if pending else (start, _REACH)
        elif word in _FUNCTION_WORDS:
            auxiliary = match.start() if word in _AUXILIARIES else auxiliary
            pending = (pending[0], pending[1] - 1) if pending and pending[1] > 1 else None
            continue
        else:
            opposite = _OPPOSITE.match(word)
            is_opposite = opposite is not None and not _NO_OPPOSITE.match(word)
            lemma = _lemma(word[opposite.end() :] if opposite and is_opposite else word)
            if lemma == "false":
                lemma, is_opposite = "true", True
            words.setdefault(lemma, (auxiliary if auxiliary >= 0 else match.start(), match.end()))
            if (pending is not None) != is_opposite:
                negations.setdefault(lemma, pending[0] if pending else match.start())
            pending = None
        auxiliary = -1
    return words, negations


@lru_cache(maxsize=1 << 16)
def _lemma(word: str) -> str:
    import simplemma

    return simplemma.lemmatize(word, lang="en").lower() if len(word) <= MAX_WORD_LENGTH else word
