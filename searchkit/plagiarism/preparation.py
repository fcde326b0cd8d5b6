"""Preparation: the answers to each question, with their vectors, words and boilerplate."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache, cached_property

import numpy as np

from searchkit.core.arrays import Float16, Float32, Float64, Int64, mean_row, unit_rows
from searchkit.core.identity import canonical
from searchkit.core.messages import counted
from searchkit.core.records import Answer, By
from searchkit.core.where import Attempts, Where
from searchkit.encoding.encoder import Encoder
from searchkit.index.base import BaseIndex
from searchkit.index.embedding import embed
from searchkit.plagiarism.likeness.measures import SEQUENCE_LENGTHS
from searchkit.plagiarism.overlap import SEED_LENGTH
from searchkit.text.languages.identification import identify_language
from searchkit.text.passages import split_passages
from searchkit.text.words import Hashes, Words, sentence_spans, sequences, shared_words, split_words

MIN_WORDS = 10  # of an answer, boilerplate not counted; a shorter one can't give evidence
MIN_ANSWERS = 20  # to a question; with fewer, it is judged together with the others like it
AHEAD_SENTENCES = 4_096  # that are embedded together, of several questions
PROMPTS = ("prompt", "question_text", "question_prompt")  # columns with the question's own text

Embed = Callable[[Sequence[str]], Float32]
"""Returns the unit vectors `(n, d)` of n texts."""


def embed_with(load_encoder: Callable[[], Encoder]) -> Embed:
    """Return a function that embeds each distinct text once, as an index does, and keeps it.

    Args:
        load_encoder: Called when there is something to embed, and only once.
    """
    load_encoder = cache(load_encoder)
    known: dict[str, Float16] = {}

    def embed_new(texts: Sequence[str]) -> Float32:
        new = [text for text in dict.fromkeys(texts) if text not in known]
        if new:
            rows = embed(load_encoder(), [canonical(text) for text in new])
            known.update(zip(new, rows, strict=True))
        return unit_rows(np.stack([known[text] for text in texts]).astype(np.float32))

    return embed_new


@dataclass(frozen=True)
class PreparedAnswer:
    """An answer that can be compared with others.

    Attributes:
        answer: The answer.
        vector: `(d,)` the unit vector of the whole answer.
        passages: The start and end offsets of each passage.
        vectors: `(p, d)` the unit vectors of the passages.
        is_earlier: Whether it is from an earlier cohort, and so can't be copied from a newer one.
        is_draft: Whether another attempt of its author at the question counts in its place. It is
            compared with other authors' answers, but is no part of what is usual.
    """

    answer: Answer
    vector: Float32
    passages: Sequence[tuple[int, int]]
    vectors: Float32
    is_earlier: bool = False
    is_draft: bool = False

    @classmethod
    def of(
        cls,
        answer: Answer,
        passages: list[tuple[int, int]],
        vectors: Float32,
        *,
        is_earlier: bool,
        attempts: Attempts = "latest",
    ) -> PreparedAnswer:
        """Compute the vector of the whole answer from those of its passages.

        Args:
            answer: The answer.
            passages: The start and end offsets of each passage.
            vectors: `(p, d)` the unit vectors of the passages.
            is_earlier: See the class.
            attempts: Which of its author's attempts counts.
        """
        lengths = np.array([end - start for start, end in passages], np.float32)
        counting = {"latest": answer.attempts, "first": 1}.get(attempts, answer.attempt)
        is_draft = answer.attempt != counting
        return cls(answer, mean_row(vectors, lengths), passages, vectors, is_earlier, is_draft)

    def __reduce__(self) -> tuple[type[PreparedAnswer], tuple[object, ...]]:
        """Pickle the fields only: a worker computes the cached properties itself."""
        names = ("answer", "vector", "passages", "vectors", "is_earlier", "is_draft")
        return PreparedAnswer, tuple(getattr(self, name) for name in names)

    @cached_property
    def author(self) -> str | None:
        """The author's name for comparing."""
        return self.answer.author_key

    @cached_property
    def language(self) -> str | None:
        """The code of the language of the answer, as the index has it, or identified."""
        return self.answer.language or identify_language(self.answer.text)

    @cached_property
    def words(self) -> Words:
        """The words and tokens of code of the answer."""
        return shared_words(self.answer.text)

    @cached_property
    def sentences(self) -> list[tuple[int, int]]:
        """The start and end offsets of each sentence; at least one."""
        return sentence_spans(self.answer.text)

    def sentence_texts(self) -> list[str]:
        """Return the text of each sentence."""
        return [self.answer.text[start:end] for start, end in self.sentences]

    def remarks(self) -> Iterator[str]:
        """Yield what a reader should know about the answer."""
        if hidden := len(self.words.hidden):
            holds = f"{self.answer.id} holds {counted(hidden, 'character')}"
            yield f"{holds} that no reader sees, or takes for another letter"
        if self.is_draft:
            attempt, attempts = self.answer.attempt, self.answer.attempts
            yield f"{self.answer.id} is attempt {attempt} of {attempts} of its author"
        if self.is_earlier:
            yield f"{self.answer.id} is one of the earlier answers"

    def may_pair_with(self, other: PreparedAnswer) -> bool:
        """Return whether both may be a finding: other authors, and not both from before."""
        if self.is_earlier and other.is_earlier:
            return False
        return self.author is None or self.author != other.author


class Boilerplate:
    """The text that all authors were given, such as the question: sharing it is no evidence.

    Attributes:
        texts: The texts that are not blank.
        sequences: The hashes of its sequences of words, ascending, for `short`, `long` and `seed`.
    """

    def __init__(self, texts: Iterable[str]) -> None:
        self.texts = [text for text in texts if text.strip()]
        words = [split_words(text) for text in self.texts]
        lengths = SEQUENCE_LENGTHS | {"seed": SEED_LENGTH}
        empty = np.empty(0, np.uint64)
        self.sequences: dict[str, Hashes] = {
            kind: np.unique(np.concatenate([empty, *(sequences(w, length)[0] for w in words)]))
            for kind, length in lengths.items()
        }

    def count_own_words(self, text: PreparedAnswer) -> int:
        """Count the words of an answer that are no boilerplate; two tokens of code are one word.

        Code is boilerplate by whole lines: its tokens alone, without names, are in every template.
        """
        return int(self.own_words(text).sum())

    def own_words(self, text: PreparedAnswer) -> Float64:
        """Return `(n,)` as how many words each token counts; 0 where it is boilerplate."""
        words = text.words
        if not self.texts:
            return np.where(words.is_code, 0.5, 1.0)
        own = np.ones(len(words))
        hashes, firsts = sequences(words, SEED_LENGTH)
        for first in firsts[np.isin(hashes, self.sequences["seed"])].tolist():
            own[first : first + SEED_LENGTH[int(words.is_code[first])]] = 0
        if words.is_code.any():
            own[words.is_code] = (
                self._is_own_code(text.answer.text, words.starts[words.is_code]) / 2
            )
        return own

    def _is_own_code(self, text: str, starts: Int64) -> Float64:
        """Return `(t,)` 1 for each token of code, by its start, whose line wasn't handed out."""
        lines = text.splitlines(keepends=True)
        given = {line.strip() for handed_out in self.texts for line in handed_out.splitlines()}
        is_own = np.array([line.strip() not in given for line in lines], np.float64)
        ends = np.cumsum([len(line) for line in lines])
        own: Float64 = is_own[np.searchsorted(ends, starts, side="right")]
        return own


@dataclass(frozen=True, slots=True)
class QuestionAnswers:
    """Answers that are compared with each other: those to one question.

    Attributes:
        question: The question; None if all answers are compared.
        texts: The answers that are long enough, drafts among them.
        boilerplate: What their authors were given.
        short: The answers that are too short, drafts among them.
        references: The reference answers. They say what is usual, and are compared with no answer.
    """

    question: str | None
    texts: list[PreparedAnswer]
    boilerplate: Boilerplate
    short: Sequence[PreparedAnswer] = ()
    references: Sequence[PreparedAnswer] = ()

    @property
    def is_small(self) -> bool:
        """Whether the question is judged together with others."""
        return self.count_answers() < MIN_ANSWERS

    def count_answers(self) -> int:
        """Count the answers without drafts."""
        return sum(not text.is_draft for text in self.texts)

    def count_short(self) -> int:
        """Count the new answers that are too short, without drafts."""
        return sum(not text.is_earlier and not text.is_draft for text in self.short)

    def count_sentences(self) -> int:
        """Count the sentences of all answers that are long enough."""
        return sum(len(text.sentences) for text in self.texts)

    def count_pairs(self) -> int:
        """Count the pairs that may be findings, without looking at each of them, and drafts."""
        answers = [text for text in self.texts if not text.is_draft]
        new, earlier = (
            [text.author for text in answers if text.is_earlier == is_earlier]
            for is_earlier in (False, True)
        )
        count = len(new) * (len(new) - 1) // 2 + len(new) * len(earlier)
        new_by, earlier_by = (
            Counter(author for author in authors if author is not None)
            for authors in (new, earlier)
        )
        return count - sum(n * (n - 1) // 2 + n * earlier_by[name] for name, n in new_by.items())

    def count_chances(self, left: Int64, right: Int64) -> Int64:
        """Return `(p,)` as how many pairs each pair counts, since two authors have one finding.

        A pair with a draft is the most significant of all attempts of both; others count once.
        """
        attempts = np.array([text.answer.attempts for text in self.texts], np.int64)
        is_draft = np.array([text.is_draft for text in self.texts], bool)
        with_draft = is_draft[left] | is_draft[right]
        chances: Int64 = np.where(with_draft, attempts[left] * attempts[right], 1)
        return chances


def prompt_of(answer: Answer) -> str:
    """Return the text of the question that an answer comes with; empty if there is none."""
    return next((text for name in PROMPTS if (text := answer.value(name))), "")


def read_prepared(
    index: BaseIndex,
    *,
    is_earlier: bool,
    attempts: Attempts = "latest",
    question: str | None = None,
) -> Iterator[PreparedAnswer]:
    """Yield the answers of an index that are not blank, with their stored vectors.

    Args:
        index: Open for reading or writing.
        is_earlier: Whether they are from an earlier cohort.
        attempts: Which of an author's attempts at a question counts; the others are drafts.
        question: The question whose answers are read; None for all.
    """
    if question is not None and question not in {row["question"] for row in index.by_question()}:
        return
    for answer, passages, vectors in index.iter_passages(Where(question=question)):
        spans = [(p.start, p.end) for p in passages]
        yield PreparedAnswer.of(answer, spans, vectors, is_earlier=is_earlier, attempts=attempts)


def embed_in(index: BaseIndex, against: BaseIndex | None, texts: Iterable[PreparedAnswer]) -> Embed:
    """Return what embeds the sentences of answers, each in the index that has the answer.

    Args:
        index: Of the new answers.
        against: Of the earlier ones.
        texts: The answers of both.
    """
    if against is None:
        return index.sentence_vectors
    earlier = {sentence for t in texts if t.is_earlier for sentence in t.sentence_texts()}

    def embed_apart(sentences: Sequence[str]) -> Float32:
        rows = np.empty((len(sentences), index.model.dimension), np.float32)
        for owner in (index, against):
            places = [
                n for n, text in enumerate(sentences) if (text in earlier) == (owner is against)
            ]
            rows[places] = owner.sentence_vectors([sentences[n] for n in places])
        return rows

    return embed_apart


def embed_ahead(
    groups: Iterable[QuestionAnswers],
    embed: Callable[[Sequence[str]], object],
    is_needed: Callable[[QuestionAnswers], bool],
) -> Iterator[QuestionAnswers]:
    """Yield questions whose sentences were embedded, those of several together.

    That is faster, since more sentences have the same length.

    Args:
        groups: The questions.
        embed: Computes and keeps the vectors of sentences.
        is_needed: Whether a question's sentences are compared.
    """
    waiting: list[QuestionAnswers] = []
    sentences: list[str] = []
    for group in groups:
        waiting.append(group)
        if is_needed(group):
            sentences += (sentence for text in group.texts for sentence in text.sentence_texts())
        if len(sentences) >= AHEAD_SENTENCES:
            embed(sentences)
            yield from waiting
            waiting, sentences = [], []
    if sentences:
        embed(sentences)
    yield from waiting


def embed_answers(answers: Sequence[Answer], encoder: Encoder) -> list[PreparedAnswer]:
    """Split answers into passages and embed them, as an index does."""
    texts = [answer.text for answer in answers]
    spans = [
        [(p.start, p.end) for p in passages]
        for passages in split_passages(texts, encoder.tokenizer, encoder.window)
    ]
    passages = [t[a:b] for t, inside in zip(texts, spans, strict=True) for a, b in inside]
    if not passages:
        return []
    rows = embed_with(lambda: encoder)(passages)
    vectors = np.split(rows, np.cumsum([len(inside) for inside in spans])[:-1])
    return [
        PreparedAnswer.of(answer, inside, own, is_earlier=False)
        for answer, inside, own in zip(answers, spans, vectors, strict=True)
        if inside
    ]


def group_by_question(
    texts: Sequence[PreparedAnswer],
    by: By,
    template: str,
    wanted: Collection[str] | None = None,
    *,
    reference_was_given: bool = False,
) -> list[QuestionAnswers]:
    """Return the answers to each question, in order of question.

    Args:
        texts: All answers, new and earlier ones.
        by: `question`, or `all` for one group.
        template: Boilerplate of all questions.
        wanted: Ids; questions without such an answer are left out. None: all questions.
        reference_was_given: Whether the authors had the reference answers, too.
    """
    members: dict[str | None, list[PreparedAnswer]] = defaultdict(list)
    for text in texts:
        members[text.answer.question if by == "question" else None].append(text)
    groups = []
    for question in sorted(members, key=lambda q: (q is not None, q or "")):
        if all(text.is_earlier for text in members[question]):
            continue
        if wanted is not None and not any(t.answer.id in wanted for t in members[question]):
            continue
        group = make_group(
            question, members[question], template, reference_was_given=reference_was_given
        )
        groups.append(group)
    return groups


def make_group(
    question: str | None,
    texts: Sequence[PreparedAnswer],
    template: str,
    always: Collection[str] = (),
    *,
    reference_was_given: bool = False,
) -> QuestionAnswers:
    """Return the answers that are compared, ordered by id, earlier ones last.

    Args:
        question: The question.
        texts: All answers to it. Reference answers, and those that are too short, are left out.
        template: Boilerplate.
        always: Ids of answers that are never left out.
        reference_was_given: Whether the authors had the reference answers, too.
    """
    boilerplate = Boilerplate(_given_texts(texts, template, reference_was_given))
    compared: list[PreparedAnswer] = []
    short: list[PreparedAnswer] = []
    for text in sorted(texts, key=lambda t: (t.is_earlier, t.answer.id)):
        if text.answer.id in always:
            compared.append(text)
        elif not text.answer.is_reference:
            is_short = len(text.words) < MIN_WORDS or boilerplate.count_own_words(text) < MIN_WORDS
            (short if is_short else compared).append(text)
    references = [text for text in texts if text.answer.is_reference]
    return QuestionAnswers(question, compared, boilerplate, short, references)


def _given_texts(
    texts: Sequence[PreparedAnswer], template: str, reference_was_given: bool
) -> list[str]:
    """Return what the authors were given: template, prompts, and reference answers if they were."""
    given = {template}
    for text in texts:
        given.update(text.answer.value(name) for name in PROMPTS)
        if reference_was_given and text.answer.is_reference:
            given.add(text.answer.text)
    return sorted(given)
