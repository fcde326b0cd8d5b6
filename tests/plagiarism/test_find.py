"""Plagiarism: what is planted is found, what is honest is not, nobody is accused for nothing."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from helpers.answers import VOCABULARY, honest
from helpers.encoder import ToyEncoder
from helpers.runners import PackingLoop

from searchkit import Answer, Index, Where
from searchkit.core.errors import BadInput, IndexMismatch
from searchkit.demo.corpus import DEMO_ANSWERS, DEMO_PLANTED
from searchkit.encoding.encoder import fast_fingerprint
from searchkit.index.decisions import decide
from searchkit.index.ingest import ingest
from searchkit.plagiarism.compare import compare
from searchkit.plagiarism.find import (
    find_plagiarism,
    find_plagiarism_among,
    find_with_options,
)
from searchkit.plagiarism.measurer import MAX_EXHAUSTIVE
from searchkit.plagiarism.preparation import MIN_ANSWERS
from searchkit.plagiarism.records import (
    MAX_SENTENCES,
    NO_FINDING,
    PlagiarismOptions,
    PlagiarismResult,
)
from searchkit.sources.reader import read_answers


def copied(answers: Sequence[Answer], source: int, copy: int, words: int = 45) -> list[Answer]:
    """Let one answer begin as another does."""
    rows = list(answers)
    taken = rows[source].text.split()[:words] + rows[copy].text.split()[words:]
    rows[copy] = replace(rows[copy], text=" ".join(taken))
    return rows


def among(answers: Sequence[Answer], **options: object) -> PlagiarismResult:
    return find_plagiarism_among(answers, ToyEncoder(window=100), **options)


def pairs(found: PlagiarismResult) -> list[tuple[str, str]]:
    return [(finding.left, finding.right) for finding in found.findings]


def made(path: Path, answers: Sequence[Answer], window: int = 100) -> Index:
    with Index.create(path, ToyEncoder(window=window)) as index:
        index.add(answers)
    return Index.open(path, encoder=ToyEncoder(window=window))


def test_a_copy_is_found_and_nothing_else(tmp_path: Path) -> None:
    answers = copied(honest(30), 4, 9, words=30)
    found = among(answers)
    assert pairs(found) == [("q1-004", "q1-009")]
    (finding,) = found.findings
    assert finding.verdict == "near copy"
    assert finding.passages[0].kind == "verbatim"
    text = {a.id: a.text for a in answers}
    left = text[finding.left][slice(*finding.passages[0].left)]
    assert left == text[finding.right][slice(*finding.passages[0].right)]
    assert (found.answers, found.short, found.pairs) == (30, 0, 435)
    with made(tmp_path / "i", answers) as index:
        (stored,) = find_plagiarism(index).findings
        assert stored.passages == finding.passages
        assert stored.expected == pytest.approx(finding.expected, rel=0.05)


def test_independent_answers_give_no_finding() -> None:
    questions = [answer for seed in range(12) for answer in honest(25, f"q{seed}", seed)]
    assert len({finding.question for finding in among(questions).findings}) <= 1


@pytest.mark.parametrize("answers", [[], honest(1), [Answer("a", ""), Answer("b", " ")], honest(2)])
def test_next_to_nothing_gives_nothing(answers: list[Answer], tmp_path: Path) -> None:
    assert among(answers).findings == []
    with made(tmp_path / "i", answers) as index:
        assert find_plagiarism(index).findings == []


def test_an_author_may_repeat_themselves() -> None:
    answers = copied(honest(30), 4, 9)
    answers[9] = replace(answers[9], author=answers[4].author)
    assert among(answers).findings == []
    answers = [replace(answer, author=None) for answer in copied(honest(30), 4, 9)]
    assert pairs(among(answers)) == [("q1-004", "q1-009")]  # nothing says who wrote them


def test_short_answers_are_never_accused_and_counted() -> None:
    answers = [replace(a, text=" ".join(a.text.split()[:9])) for a in copied(honest(30), 1, 2)]
    found = among([*answers, *honest(25, "q2")])
    assert found.findings == []
    assert found.short == 30


def test_boilerplate_counts_for_nothing() -> None:
    answers = copied(honest(30), 4, 9, words=30)
    given = " ".join(answers[4].text.split()[:30])
    assert pairs(among(answers)) != []
    assert among(answers, template=given).findings == []
    asked = [replace(answer, meta={"prompt": given}) for answer in answers]
    assert among(asked).findings == []


def test_a_reference_answer_is_boilerplate_only_if_it_was_given(tmp_path: Path) -> None:
    answers = copied(honest(30), 4, 9, words=30)
    given = " ".join(answers[4].text.split()[:30])
    answers.append(Answer("ref", given, question="q1", author="Reference"))
    assert pairs(among(answers)) == [("q1-004", "q1-009")]  # the reference is no party itself
    assert among(answers, reference_was_given=True).findings == []
    with made(tmp_path / "i", answers) as index:
        assert pairs(find_plagiarism(index)) == [("q1-004", "q1-009")]
        assert find_plagiarism(index, reference_was_given=True).findings == []
        near = compare(index, "q1-004", "q1-009").finding
        assert near.verdict != NO_FINDING
        given_to_both = compare(index, "q1-004", "q1-009", reference_was_given=True).finding
        assert given_to_both.verdict == NO_FINDING


def test_few_answers_are_judged_together_and_said_so() -> None:
    small = [a for n in range(4) for a in copied(honest(MIN_ANSWERS - 8, f"q{n}", n), 1, 2)]
    found = among(small)
    assert found.pooled == ["q0", "q1", "q2", "q3"]
    assert set(pairs(found)) == {(f"q{n}-001", f"q{n}-002") for n in range(4)}
    assert "rough estimate" in found.findings[0].remarks[-1]
    (pair,) = among(copied(honest(3), 0, 1)).findings  # three answers, two of them the same
    assert pair.verdict == "identical"


def test_half_a_class_that_copies_one_page_is_found() -> None:
    answers = honest(24, length=120)
    for copy in range(1, 13):
        answers = copied(answers, 0, copy, words=90 - 2 * copy)
    copies = {("q1-000", f"q1-{copy:03}") for copy in range(1, 13)}
    assert len(copies & set(pairs(among(answers)))) > 8
    more = set(pairs(among(answers, max_expected=1)))
    assert copies <= more
    assert all(int(right[-3:]) <= 12 for _, right in more)


def test_a_stock_sentence_is_no_evidence() -> None:
    answers = honest(30)
    stock = " ".join(VOCABULARY[300:312])
    answers = [replace(a, text=f"{stock} {a.text}") if n < 20 else a for n, a in enumerate(answers)]
    assert among(answers).findings == []


def test_very_many_equal_answers_are_pairs_with_the_first() -> None:
    text = honest(1)[0].text
    equal = [Answer(f"e{n:05}", text, "q1", f"t{n}") for n in range(5_000)]
    found = among([*honest(30), *equal[:12]])
    assert set(pairs(found)) == {("e00000", f"e{n:05}") for n in range(1, 12)} | {
        ("e00000", "q1-000")
    }
    assert among(equal).pairs == 5_000 * 4_999 // 2  # seconds, not hours


def test_a_copy_among_very_many_is_found() -> None:
    answers = honest(MAX_EXHAUSTIVE + 60)
    answers = copied(answers, 17, MAX_EXHAUSTIVE + 40)
    found = among(answers)
    assert pairs(found) == [("q1-017", f"q1-{MAX_EXHAUSTIVE + 40}")]


def test_earlier_answers_are_compared_but_never_accused_among_themselves(tmp_path: Path) -> None:
    new = honest(30)
    old = copied(honest(30, seed=1), 2, 3)
    old[7] = replace(old[7], text=new[5].text)
    old = [replace(a, author=f"old{n}") for n, a in enumerate(old)]
    with made(tmp_path / "new", new) as index, made(tmp_path / "y2024", old) as against:
        found = find_plagiarism(index, against=against)
        assert pairs(found) == [("q1-005", "y2024:q1-007")]
        assert "y2024:q1-007 is one of the earlier answers" in found.findings[0].remarks
        assert found.pairs == 435 + 900
        compared = compare(index, "q1-005", "y2024:q1-007", against=against)
        assert compared.finding.verdict == "identical"
        assert compared.right.id == "y2024:q1-007"
        with pytest.raises(BadInput, match="is the index itself; name one of earlier answers"):
            find_plagiarism(index, against=index)


def test_an_index_of_another_precision_is_refused_with_the_command_that_mends_it(
    tmp_path: Path,
) -> None:
    exact = ToyEncoder()
    fast = ToyEncoder(fingerprint=fast_fingerprint(exact.fingerprint))
    with Index.create(tmp_path / "new", fast) as new, Index.create(tmp_path / "old", exact) as old:
        with pytest.raises(IndexMismatch, match=r"--model toy --precision fast -i \S*old"):
            find_plagiarism(new, against=old)
        with pytest.raises(IndexMismatch, match=r"--model toy -i \S*new"):
            find_plagiarism(old, against=new)


def test_a_decision_about_an_earlier_answer_applies_whatever_its_index_is_called(
    tmp_path: Path,
) -> None:
    new, old = honest(30), [replace(a, author=f"old{a.author}") for a in honest(30)][:1]
    with made(tmp_path / "a2024", old) as against:
        with Index.create(tmp_path / "new", ToyEncoder(window=100)) as index:
            index.add(new)
            decide(index, "q1-000", "a2024:q1-000", "dismissed")
            found = find_plagiarism(index, against=against)
            compared = compare(index, "q1-000", "a2024:q1-000", against=against)
    assert [found.decision(finding) for finding in found.findings] == ["dismissed"]
    assert compared.decision and compared.decision.decision == "dismissed"
    assert [found.is_dismissed(group) for group in found.equal] == [True]


def test_an_earlier_index_of_another_model_is_refused(tmp_path: Path) -> None:
    class Other(ToyEncoder):
        fingerprint = "toy-2"

    with Index.create(tmp_path / "old", Other(window=100)) as against:
        against.add(honest(3))
    with (
        made(tmp_path / "new", honest(3)) as index,
        Index.open(tmp_path / "old", encoder=Other(window=100)) as against,
        pytest.raises(
            IndexMismatch, match=r"toy-2.*toy-1.*; give both the same model: searchkit reindex"
        ),
    ):
        find_plagiarism(index, against=against)


def test_filters_and_by(tmp_path: Path) -> None:
    answers = [*copied(honest(30), 4, 9), *honest(30, "q2", 1)]
    answers[40] = replace(answers[40], text=answers[20].text)
    with made(tmp_path / "i", answers) as index:
        assert pairs(find_plagiarism(index)) == [("q1-004", "q1-009")]
        over_all = find_plagiarism(index, by="all")
        assert ("q1-020", "q2-010") in pairs(over_all)
        assert over_all.findings[0].question is None
        assert find_plagiarism(index, where=Where(question="q2")).findings == []
        whole = find_plagiarism(index).findings
        assert find_plagiarism(index, where=Where(author="s009")).findings == whole
        assert find_plagiarism(index, where=Where(author="s010")).findings == []


@pytest.mark.parametrize("number", [-1, float("nan")])
def test_numbers_out_of_range_are_refused(number: float) -> None:
    with pytest.raises(BadInput, match="`max_expected` must be 0 or more, not"):
        among([], max_expected=number)
    with pytest.raises(BadInput, match="`max_common` must be 2 or more, not 1"):
        among([], max_common=1)


def test_two_answers_with_one_id_and_numbers_for_texts_are_refused() -> None:
    with pytest.raises(BadInput, match="answer 'a' comes twice; give each one its own id"):
        among([Answer("a", "the loop", author="ann"), Answer("a", "a stream", author="bob")])
    with pytest.raises(TypeError, match="answer 1: 1 is no text"):
        among([Answer(1, "the loop")])
    with pytest.raises(BadInput, match="`by` must be one of question, all, not 'questions'"):
        among([], by="questions")


@pytest.mark.parametrize("number", [0.0, -0.1, 1.1, float("nan")])
def test_a_false_discovery_rate_is_a_share(number: float) -> None:
    with pytest.raises(BadInput, match="`fdr` must be more than 0 and at most 1, not"):
        among([], fdr=number)


def test_a_false_discovery_rate_replaces_the_bound_of_expected() -> None:
    answers = copied([*honest(30), *honest(30, "q2", seed=3)], 4, 9, words=30)
    everything = among(answers, max_expected=1)
    assert everything.by_chance == 2
    assert len(everything.findings) > 1
    q_values = [finding.q_value for finding in everything.findings]
    assert q_values == sorted(q_values) and q_values[0] < 0.05 < q_values[1]
    found = among(answers, fdr=0.05, max_expected=0)
    assert found.findings == everything.findings[:1]
    assert found.by_chance == 0.05
    assert among(answers, fdr=1).findings == everything.findings
    assert among(answers).findings == everything.findings[:1]
    assert among(answers).by_chance == 0.1


def test_max_common_is_how_many_may_share(tmp_path: Path) -> None:
    answers = honest(30)
    for copy in (1, 2, 3, 4):
        answers = copied(answers, 0, copy)
    assert len(among(answers).findings) == 10
    assert among(answers, max_common=4).findings == []


def test_compare_says_what_is_no_finding(tmp_path: Path) -> None:
    answers = [*copied(honest(30), 4, 9), Answer("blank", "", "q1", "s1")]
    with made(tmp_path / "i", answers) as index:
        plain = compare(index, "q1-003", "q1-001")
        assert plain.finding.verdict == NO_FINDING
        assert (plain.finding.left, plain.left.id) == ("q1-001", "q1-001")
        copy = compare(index, "q1-009", "q1-004")
        assert copy.finding == replace(find_plagiarism(index).findings[0], q_value=None)
        assert copy.pairs == 435
        with pytest.raises(BadInput, match="no answer 'nobody'"):
            compare(index, "nobody", "q1-001")
        with pytest.raises(BadInput, match="'blank' is blank; there is nothing to compare"):
            compare(index, "q1-001", "blank")
        with pytest.raises(BadInput, match="are one answer; name two"):
            compare(index, "q1-001", "q1-001")


def test_compare_judges_few_answers_as_plagiarism_does(tmp_path: Path) -> None:
    small = [a for n in range(4) for a in copied(honest(MIN_ANSWERS - 8, f"q{n}", n), 1, 2)]
    with made(tmp_path / "i", small) as index:
        finding = find_plagiarism(index).findings[0]
        compared = compare(index, finding.left, finding.right).finding
        assert compared == replace(finding, q_value=None)  # which is of a list


def test_many_sentences_are_compared_by_their_passages(tmp_path: Path) -> None:
    with made(tmp_path / "i", copied(honest(30), 4, 9)) as index:
        found = find_with_options(index, PlagiarismOptions(max_sentences=10))
    assert found.by_passages
    assert pairs(found) == [("q1-004", "q1-009")]


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory, remembered: None) -> Iterator[Index]:
    folder = tmp_path_factory.mktemp("demo") / "index"
    with Index.create(folder) as index:
        ingest(index, read_answers([DEMO_ANSWERS]))
        yield index


@pytest.mark.model
def test_the_demo_corpus_gives_what_was_planted_first(demo: Index) -> None:
    kinds: dict[frozenset[str], set[str]] = {}
    with DEMO_PLANTED.open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            kinds.setdefault(frozenset((row["copy"], row["source"])), set()).add(row["kind"])
    found = [
        kinds.get(frozenset((finding.left, finding.right)), {"honest"})
        for finding in find_plagiarism(demo).findings
    ]
    assert sum("honest" in kind for kind in found[:40]) <= 2
    for kind, least in {"exact": 8, "near": 11, "light": 16, "mosaic": 12}.items():
        assert sum(kind in some for some in found) >= least, kind
    rings = find_plagiarism(demo).rings
    assert ("s07", "s19") in [ring.authors for ring in rings]


@pytest.mark.model
def test_semeval_gives_few_findings_and_saf_its_copies(tmp_path: Path, shared_data: Path) -> None:
    """In SAF groups of students have copied the same slides in almost every question.

    A third of the questions: all of them take two minutes.
    """
    for name, least, most in (("semeval2013-train", 1, 6), ("saf-train", 4, 5)):
        answers = list(read_answers([shared_data / f"{name}.csv"]))
        questions = sorted({answer.question or "" for answer in answers})[2::3]
        with Index.create(tmp_path / name) as index:
            ingest(index, [answer for answer in answers if answer.question in questions])
            found = find_plagiarism(index)
            assert least <= len({finding.question for finding in found.findings}) <= most


def load_toy_encoder(name: str, fingerprint: str) -> ToyEncoder:
    return ToyEncoder(window=100)


@pytest.mark.parametrize("where", [Where(), Where(author="s004")])
@pytest.mark.parametrize("passages", [False, True])
def test_a_runner_finds_the_same(tmp_path: Path, monkeypatch, where: Where, passages: bool) -> None:
    answers = [*copied(honest(30), 4, 9), *copied(honest(25, "q2", 1), 4, 20)]
    answers += [
        *copied(honest(MIN_ANSWERS - 5, "q3", 2), 4, 9),
        *copied(honest(MIN_ANSWERS - 3, "q0", 3), 1, 2),
    ]
    answers += [Answer("q1-ref", VOCABULARY[7] * 30, "q1", "reference", meta={"prompt": "say é"})]
    monkeypatch.setattr("searchkit.plagiarism.find.load_worker_encoder", load_toy_encoder)
    (tmp_path / "shards").mkdir()
    with made(tmp_path / "old", honest(4, "q2", 7)) as old, made(tmp_path / "i", answers) as index:
        done: list[int] = []
        options = PlagiarismOptions(
            where=where,
            template="word1 word2 word3 word4",
            against=old,
            max_sentences=10 if passages else MAX_SENTENCES,
        )
        runner = PackingLoop(tmp_path / "shards")
        found = find_with_options(
            index, options, runner=runner, progress=lambda n, _: done.append(n)
        )
        wanted = find_with_options(index, options)
    assert found == wanted and len(found.findings) >= 2 and found.by_passages == passages
    assert sorted(set(done) - {0}) == list(range(1, found.questions + 1)) and done == sorted(done)
    assert len(found.pooled) == 2
    assert not list((tmp_path / "shards").iterdir())


def test_where_every_question_has_one_author_nothing_was_compared() -> None:
    """As when each student's folder was taken for a question."""
    answers = [replace(answer, question=answer.author) for answer in honest(6)]
    found = among(answers)
    assert (len(found.findings), found.pairs) == (0, 0)
    assert "each of the 6 questions has only one author" in found.explain_absence()
    assert among(honest(30)).explain_absence().startswith("no pair is more alike")


def test_where_answers_are_too_short_no_question_is_said_to_have_one_author() -> None:
    answers = [Answer(f"{q}{a}", "just short", q, a) for q in "pq" for a in "xyz"]
    reason = among(answers).explain_absence()
    assert reason.startswith("nothing was compared: 6 answers too short to tell, and no question")
