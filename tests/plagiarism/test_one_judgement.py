"""One judgement of one pair, whoever asks: `compare`, `plagiarism`, REST and the pages."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import combinations
from pathlib import Path

import pytest
from helpers.answers import honest
from helpers.encoder import ToyEncoder
from helpers.programs import PYTHON

from searchkit import Answer, Index, Where
from searchkit.demo.corpus import DEMO_ANSWERS
from searchkit.index.ingest import ingest
from searchkit.plagiarism.compare import compare
from searchkit.plagiarism.find import find_plagiarism
from searchkit.plagiarism.records import NO_FINDING, Finding, PlagiarismResult
from searchkit.sources.reader import read_answers

Pair = tuple[str, str]


def made(path: Path, answers: Sequence[Answer]) -> Index:
    with Index.create(path, ToyEncoder(window=100)) as index:
        index.add(answers)
    return Index.open(path, encoder=ToyEncoder(window=100))


def check(index: Index, found: PlagiarismResult, pairs: Sequence[Pair], **options: object) -> None:
    """Check that `compare` says of pairs what `find_plagiarism` says, or that they are none.

    Of more than a few equal answers two are listed; the others are judged as these are.
    """
    known: dict[Pair, Finding] = {(f.left, f.right): f for f in found.findings}
    equal_to = {id_: set(group.answers) for group in found.equal for id_ in group.answers}
    for left, right in pairs:
        compared = compare(index, left, right, **options).finding
        lefts, rights = equal_to.get(left, {left}), equal_to.get(right, {right})
        listed = [f for pair, f in known.items() if lefts & set(pair) and rights & set(pair)]
        if (left, right) in known:
            assert compared == replace(known[left, right], q_value=None)
        elif lefts == rights:
            assert compared.verdict == "identical"
        elif listed:
            assert (compared.verdict, compared.expected) == (listed[0].verdict, listed[0].expected)
        else:
            assert compared.verdict == NO_FINDING, compared


def all_pairs(answers: Sequence[Answer]) -> list[Pair]:
    """Return the pairs of answers to one question by two authors."""
    return [
        (min(one.id, other.id), max(one.id, other.id))
        for one, other in combinations(answers, 2)
        if one.question == other.question and one.author != other.author
    ]


def rewritten(answers: Sequence[Answer], texts: dict[int, str]) -> list[Answer]:
    return [replace(a, text=texts.get(n, a.text)) for n, a in enumerate(answers)]


def words(answer: Answer, start: int, stop: int) -> str:
    return " ".join(answer.text.split()[start:stop])


def shared_source() -> list[Answer]:
    """Return answers of which one begins and another ends as a third does, and both share more."""
    rows = honest(24)
    source = words(rows[0], 0, 45)
    return rewritten(rows, {
        1: f"{words(rows[0], 0, 32)} {words(rows[1], 32, 45)}",
        2: f"{words(rows[2], 0, 12)} {words(rows[0], 8, 40)}",
        3: f"{source} {words(rows[3], 0, 4)}",
    })  # fmt: skip


def many_equal() -> list[Answer]:
    """Return answers of which seven are equal, and one is nearly so."""
    rows = honest(26)
    equal = {n: rows[3].text for n in (5, 9, 12, 14, 20, 21)}
    return rewritten(rows, equal | {7: f"{words(rows[3], 0, 40)} {words(rows[7], 0, 6)}"})


def short_ones() -> list[Answer]:
    """Return answers of which some are too short to be judged, two of them equal."""
    rows = honest(24)
    few = "so few words of them all that nobody judges"
    return rewritten(rows, {2: few, 3: few, 4: words(rows[5], 0, 7), 6: "all too few",
                            7: "all too few"})  # fmt: skip


def without_question() -> list[Answer]:
    """Return answers to a question and answers to none, with a copy in each."""
    rows = honest(24) + [replace(a, question=None) for a in honest(24, "none", seed=4)]
    return rewritten(rows, {2: rows[1].text + " more", 30: rows[29].text + " more"})


def small_questions() -> list[Answer]:
    """Return four questions with few answers, and a copy in each."""
    answers = []
    for seed in range(4):
        rows = honest(9, f"q{seed}", seed)
        answers += rewritten(rows, {2: f"{words(rows[1], 0, 36)} {words(rows[2], 0, 9)}"})
    return answers


@pytest.mark.parametrize(
    "corpus", [shared_source, many_equal, short_ones, without_question, small_questions]
)
def test_compare_says_the_same_of_every_pair(corpus, tmp_path: Path) -> None:
    answers = corpus()
    with made(tmp_path / "index", answers) as index:
        found = find_plagiarism(index)
        assert found.findings or corpus is short_ones
        shared = [(f.left, f.right) for f in found.findings]
        named = {id_ for pair in shared for id_ in pair} | {a.id for a in answers[:8]}
        pairs = [pair for pair in all_pairs(answers) if set(pair) <= named]
        check(index, found, pairs)


def programs() -> list[Answer]:
    """Return a class of programs in Python, in which a few are copies."""
    texts = {name: "\n".join(text.splitlines()) for name, text in PYTHON.texts().items()}
    rows = [Answer(f"p-{name}", text, "p", name) for name, text in texts.items()]
    return [*rows, Answer("p-again", texts["source"], "p", "again")]


def test_compare_says_the_same_of_programs(tmp_path: Path) -> None:
    with made(tmp_path / "index", programs()) as index:
        found = find_plagiarism(index)
        assert found.findings
        check(index, found, [(f.left, f.right) for f in found.findings])


def test_compare_says_the_same_of_drafts_and_of_earlier_answers(tmp_path: Path) -> None:
    rows = honest(26)
    draft = replace(rows[5], id="q1-005a", text=f"{words(rows[3], 0, 36)} {words(rows[5], 0, 9)}",
                    submitted_at="2026-01-01")  # fmt: skip
    rows[5] = replace(rows[5], submitted_at="2026-01-02")
    before = rewritten(honest(22, "q1", 9), {4: f"{words(rows[8], 0, 40)} and so on"})
    before = [replace(a, author=f"before {a.author}") for a in before]
    with made(tmp_path / "last", before) as last, made(tmp_path / "index", [*rows, draft]) as index:
        found = find_plagiarism(index, against=last)
        listed = [(f.left, f.right) for f in found.findings]
        assert {"q1-005a", "last:q1-004"} <= {id_ for pair in listed for id_ in pair}
        check(index, found, listed, against=last)


def test_a_filter_changes_no_judgement(tmp_path: Path) -> None:
    with made(tmp_path / "index", shared_source()) as index:
        everything = find_plagiarism(index).findings
        assert "shared source" in {finding.verdict for finding in everything}
        for author in {a.author for a in index.answers()}:
            wanted = find_plagiarism(index, where=Where(author=author)).findings
            ids = {a.id for a in index.answers(Where(author=author))}
            expected = [f for f in everything if ids & {f.left, f.right}]
            assert [replace(f, q_value=None) for f in wanted] == [
                replace(f, q_value=None) for f in expected
            ]


def test_what_is_too_short_is_not_judged(tmp_path: Path) -> None:
    with made(tmp_path / "index", short_ones()) as index:
        equal = compare(index, "q1-002", "q1-003").finding
        assert (equal.verdict, equal.expected) == ("identical", None)
        assert "q1-002 has fewer than 10 words of its own, too few to tell" in equal.remarks
        other = compare(index, "q1-004", "q1-005").finding
        assert (other.verdict, other.expected) == (NO_FINDING, None)
        assert other.remarks == ("q1-004 has fewer than 10 words of its own, too few to tell",)
        assert compare(index, "q1-006", "q1-007").finding.verdict == NO_FINDING


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory, remembered: None) -> Iterator[Index]:
    with Index.create(tmp_path_factory.mktemp("demo") / "index") as index:
        ingest(index, read_answers([DEMO_ANSWERS]))
        yield index


@pytest.mark.model
def test_compare_says_the_same_of_the_demo_corpus(demo: Index) -> None:
    found = find_plagiarism(demo)
    rng = random.Random(0)
    answers = [a for a in demo.answers() if not a.is_reference and a.text.strip()]
    others = rng.sample(all_pairs(answers), 40)
    check(demo, found, [*((f.left, f.right) for f in found.findings), *others])
