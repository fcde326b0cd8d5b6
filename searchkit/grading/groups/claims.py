"""Read what answers claim: what is negated and what isn't, quantities, and formulas.

A text is read clause by clause. The words of a clause that aren't part of the claim itself are its
context: two claims are comparable where their contexts are alike.
"""

from __future__ import annotations

import re
from collections.abc import Hashable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Literal

from searchkit.grading.groups.units import UNITS
from searchkit.text.folding import Folded, fold
from searchkit.text.words import code_spans

ClaimKind = Literal["negation", "quantity", "formula"]

_CLAUSE_END = re.compile(
    r"(?<=[.!?])\s+|[;\n]+"
    r"|(?<!\s),?\s+(?:but|because|while|whereas|although|though|since|however)\b(?=\s)"
)
_ENUMERATION = re.compile(r"(?:^|(?<=\s))(?:\(?\d{1,2}\)|\d{1,2}[.:](?=\s))")
_OPERAND = r"(?:\d+(?:\.\d+)?(?:[a-z]\b)?|[^\W\d]\w*(?:\[[^\[\]\s]*\]|\([^()]*\))?)"
_SIGN = r"(?:<=|>=|==|!=|\*\*|[<>=+*^≤≥≠\u00d7·])"  # never in words, as `/` and `-` are
_FORMULA = re.compile(
    r"\b[oθω]\s?\((?:[^()]|\([^()]*\))+\)"  # of growth: O(n log(n))
    rf"|(?<!\w){_OPERAND}(?:\s*(?:{_SIGN}|[/-])\s*-?{_OPERAND})+"
)
_OPERATOR = re.compile(_SIGN)
_MATHEMATICAL = re.compile(r"\d|\b[a-z]\b|[()\[\]]")
_SMALL = re.compile(r"[a-z]\s*[-/]\s*\d+|\d+\s*[-/]\s*[a-z]")  # n-1, n/2, 2/n
_GROWTH = re.compile(r"[oθω]\s?\(")
_SAME_SYMBOLS = str.maketrans({"≤": "<=", "≥": ">=", "≠": "!=", "\u00d7": "*", "·": "*"})
_GREATER = re.compile(r"([^<>=!]+)>(=?)([^<>=!]+)")
_NUMBER = re.compile(
    r"(?<![\w.,])[-+]?(?P<value>\d+(?:[.,]\d+)*|two|three|four|five|six|seven|eight|nine|ten)"
    r"(?:(?P<gap>[ -]?)(?P<unit>%|°[cf]\b|[a-zμω]+\b))?(?!\w)"
)
_NUMBER_WORDS = dict(
    zip("two three four five six seven eight nine ten".split(), range(2, 11), strict=True)
)
_GROUPED = re.compile(r"\d{1,3}(?:,\d{3})+(?:\.\d+)?")
_SPACED_LETTERS = frozenset("smvwghl%")  # units of one letter that may stand behind a space
_WORD = re.compile(r"[^\W\d_]\w*(?:'\w+)*")
_NOT_NEGATING = re.compile(
    r"\b(?:not only|not just|not necessarily|if not|or not|why not|no matter|no doubt|"
    r"nothing but|nothing more than)\b"
)
_NEGATORS = frozenset("not no never without cannot neither nor nothing none nobody hardly".split())
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
    "much many more longer able".split()
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
_AFFIRMED, _DENIED = frozenset({"yes"}), frozenset({"no"})
MAX_WORD_LENGTH = 40  # of a word that is reduced to its lemma
_REACH = 4  # words behind a negator among which the negated one is


@dataclass(frozen=True, slots=True)
class Quantity:
    """A number with its unit.

    Attributes:
        size: In the unit's base unit, which makes 5 ms equal to 0.005 s.
        dimension: What is measured; empty without a known unit.
        written: The number as it is written.
    """

    size: float | str
    dimension: str
    written: float | str = field(compare=False)

    def without_unit(self) -> Quantity:
        """Return the number as it is written; a quantity without a unit may be meant so."""
        return Quantity(self.written, "", self.written)


@dataclass(frozen=True, slots=True)
class Claim:
    """Something that an answer says and another one may say otherwise.

    Attributes:
        row: The answer's row.
        kind: `negation`, `quantity` or `formula`.
        topic: What is negated or not; empty for quantities and formulas.
        values: What is claimed: "yes" or "no" of the topic, canonical quantities, or formulas.
        context: The clause's other words.
        quote: What is claimed, as it stands in the answer.
    """

    row: int
    kind: ClaimKind
    topic: str
    values: frozenset[Hashable]
    context: frozenset[str]
    quote: str


@dataclass(frozen=True, slots=True)
class _Clause:
    """A clause of a folded text."""

    original: str
    folded: Folded
    start: int
    end: int

    def quote(self, start: int, end: int) -> str:
        """Return the original text between two offsets of the folded clause, without spaces."""
        first = self.folded.original_offset(self.start + start)
        last = self.folded.original_offset(self.start + end - 1)
        return self.original[first : last + 1].strip()


def read_claims(row: int, text: str) -> Iterator[Claim]:
    """Yield the claims of one answer, clause by clause."""
    folded = fold(_without_code(text))
    position = 0
    for border in [*_CLAUSE_END.finditer(folded.text), None]:
        end = border.start() if border else len(folded.text)
        if folded.text[position:end].strip():
            yield from _read_clause(row, _Clause(text, folded, position, end))
        position = border.end() if border else end


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


def _read_clause(row: int, clause: _Clause) -> Iterator[Claim]:
    """Yield the claims of one clause: formulas first, numbers in what is left, then words."""
    text = _blank(clause.folded.text[clause.start : clause.end], _ENUMERATION)
    opening = _OPENING.match(text)
    if opening:
        denial = _DENIED if opening[1] in ("no", "false") else _AFFIRMED
        quote = clause.quote(*opening.span(1))
        yield Claim(row, "negation", "(yes or no)", denial, frozenset(), quote)
        text = _without(text, [opening.span()])
    formulas = [match for match in _FORMULA.finditer(text) if _is_formula(match[0])]
    text = _without(text, [match.span() for match in formulas])
    numbers = [(match.start(), *_quantity(match)) for match in _NUMBER.finditer(text)]
    spans = [(start, start + length) for start, length, _ in numbers]
    text = _without(text, spans)
    words, negations = _read_words(text)
    context = frozenset(words)
    if formulas:
        values = frozenset(_canonical(match[0]) for match in formulas)
        yield Claim(row, "formula", "", values, context, clause.quote(*formulas[0].span()))
    if numbers:
        quantities = frozenset(quantity for _, _, quantity in numbers)
        yield Claim(row, "quantity", "", quantities, context, clause.quote(*spans[0]))
    for word, (start, end) in words.items():
        is_denied = word in negations
        quote = clause.quote(negations.get(word, start), end)
        denial = _DENIED if is_denied else _AFFIRMED
        yield Claim(row, "negation", word, denial, context - {word}, quote)


def _without(text: str, spans: Sequence[tuple[int, int]]) -> str:
    """Return a text with some stretches, in order, blanked out."""
    pieces, position = [], 0
    for start, end in spans:
        pieces += [text[position:start], " " * (end - start)]
        position = end
    return "".join([*pieces, text[position:]])


def _blank(text: str, pattern: re.Pattern[str]) -> str:
    return pattern.sub(lambda match: " " * len(match[0]), text)


def _is_formula(text: str) -> bool:
    """Whether a match is more than two words with a sign between them, such as `I/O`."""
    operators = len(_OPERATOR.findall(text))
    if not operators:
        return bool(_GROWTH.match(text) or _SMALL.fullmatch(text))
    return operators > 1 or bool(_MATHEMATICAL.search(text))


def _canonical(formula: str) -> str:
    """Return the spelling that equal formulas share: `b > a` is `a<b`, and `2 * n` is `2n`."""
    text = re.sub(r"\s+", "", formula.translate(_SAME_SYMBOLS)).replace("**", "^")
    text = re.sub(r"(?<=\b[a-z])\^(?=\d\b)", "", text)  # folding makes n² an n2
    text = re.sub(r"(?<=\d)\*(?=[a-z])", "", text)
    if _GROWTH.match(text):
        return re.sub(r"[*()]", "", text)
    greater = _GREATER.fullmatch(text)
    return f"{greater[3]}<{greater[2]}{greater[1]}" if greater else text


def _quantity(match: re.Match[str]) -> tuple[int, Quantity]:
    """Return the length of a number with its unit, and what it says."""
    text, unit = match["value"], match["unit"] or ""
    plain = text.replace(",", "" if _GROUPED.fullmatch(text) else ".")
    length = match.end("value") - match.start()
    if plain.count(".") > 1:  # a version or an address
        return length, Quantity(text, "", text)
    value = float(_NUMBER_WORDS.get(text) or plain)
    value = -value if match[0][0] == "-" else value
    known = UNITS.get(unit) or UNITS.get(unit.removesuffix("s") if len(unit) > 2 else unit)
    if known and (len(unit) > 1 or not match["gap"] or unit in _SPACED_LETTERS):
        size = float(f"{value * known[1]:.9g}")
        return len(match[0]), Quantity(size, known[0], value)
    return length, Quantity(value, "", value)


def _read_words(text: str) -> tuple[dict[str, tuple[int, int]], dict[str, int]]:
    """Return the content words of a clause, and which of them are negated.

    Returns:
        The (start, end) of each content word's first use, by lemma; the start of the negation of
        each negated word: of its auxiliary, if there is one.
    """
    text = _blank(text, _NOT_NEGATING)
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
