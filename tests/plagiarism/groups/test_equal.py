"""Equal answers: every group is shown, whatever chance explains, and said to be common or not."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from helpers.answers import VOCABULARY, honest
from helpers.encoder import ToyEncoder

from searchkit import Answer, Index, Where
from searchkit.index.decisions import decide
from searchkit.plagiarism.compare import compare
from searchkit.plagiarism.find import find_plagiarism, find_plagiarism_among
from searchkit.plagiarism.groups.equal import find_equal
from searchkit.plagiarism.preparation import embed_answers, group_by_question
from searchkit.plagiarism.records import EqualGroup

TEN = " ".join(VOCABULARY[:10])  # common words, which chance explains easily


def with_text(answers: Sequence[Answer], text: str, *numbers: int) -> list[Answer]:
    return [replace(a, text=text) if n in numbers else a for n, a in enumerate(answers)]


def equal(answers: Sequence[Answer], **options: object) -> list[EqualGroup]:
    return find_plagiarism_among(answers, ToyEncoder(window=100), **options).equal


def made(path: Path, answers: Sequence[Answer]) -> Index:
    with Index.create(path, ToyEncoder(window=100)) as index:
        index.add(answers)
    return Index.open(path, encoder=ToyEncoder(window=100))


@pytest.mark.parametrize("words", [7, 8, 9, 10, 16, 40])
def test_equal_answers_are_shown_from_eight_words_on(words: int) -> None:
    text = " ".join(VOCABULARY[:words])
    groups = equal(with_text(honest(40), text, 3, 7), max_expected=0)
    assert [group.answers for group in groups] == ([("q1-003", "q1-007")] if words >= 8 else [])
    for group in groups:
        assert (group.question, group.authors, group.words) == ("q1", ("s003", "s007"), words)
        assert (group.share, group.is_common, group.findings) == (0.05, False, ())
        assert group.reason == f"Word for word the same, {words} words, by 2 of 40 authors."


def test_case_punctuation_and_hidden_characters_make_no_difference() -> None:
    answers = with_text(honest(40), TEN, 3)
    answers = with_text(answers, f"{TEN.upper()}!", 4)
    answers = with_text(answers, TEN.replace("word1 ", "wo\u200brd1 "), 5)
    (group,) = equal(answers)
    assert group.answers == ("q1-003", "q1-004", "q1-005")
    assert "10 words but for case, punctuation or hidden characters, by 3 of 40" in group.reason
    assert "q1-005 holds 1 character" in group.remarks[0]


def test_what_a_tenth_of_the_class_wrote_is_common_and_comes_last() -> None:
    answers = with_text(honest(40), TEN, 0, 1, 2, 3)
    answers = with_text(answers, " ".join(VOCABULARY[20:28]), 4, 5, 6)
    rare, common = equal(answers, max_expected=0)
    assert (common.is_common, common.share, common.words) == (True, 0.1, 10)
    assert (rare.is_common, rare.share, rare.words) == (False, 0.075, 8)
    small = equal(with_text(honest(12), TEN, 0, 1), max_expected=0)
    assert [group.is_common for group in small] == [False]  # two are a pair in any class


def test_groups_are_within_a_question_and_by_different_authors() -> None:
    answers = [*with_text(honest(20), TEN, 3), *with_text(honest(20, "q2", 1), TEN, 4)]
    assert equal(answers) == []
    (over_all,) = equal(answers, by="all")
    assert (over_all.question, over_all.answers) == (None, ("q1-003", "q2-004"))
    same = with_text(honest(20), TEN, 3, 4)
    same[4] = replace(same[4], author=same[3].author)
    assert equal(same) == []
    nobody = [replace(answer, author=None) for answer in with_text(honest(20), TEN, 3, 4)]
    (group,) = equal(nobody)
    assert group.authors == (None, None)


def test_boilerplate_and_reference_answers_make_no_group() -> None:
    answers = with_text(honest(20), TEN, 3, 4)
    assert equal(answers, template=TEN) == []
    assert equal([replace(answer, meta={"prompt": TEN}) for answer in answers]) == []
    reference = Answer("ref", TEN, "q1", "reference")
    assert equal([*with_text(honest(20), TEN, 3), reference]) == []


def test_groups_that_are_findings_say_so() -> None:
    text = honest(1, seed=9)[0].text
    result = find_plagiarism_among(
        with_text(with_text(honest(40), text, 3, 7), " ".join(VOCABULARY[:9]), 10, 11),
        ToyEncoder(window=100),
    )
    long, short = result.equal
    assert (long.findings, long.is_finding) == ((("q1-003", "q1-007"),), True)
    assert (short.findings, short.is_finding) == ((), False)
    assert set(result.texts) == {"q1-003", "q1-007", "q1-010", "q1-011"}
    assert result.to_record()["equal"] == result.equal.to_records()


def test_other_attempts_are_looked_at_and_an_author_counts_once(tmp_path: Path) -> None:
    answers = with_text(honest(30), TEN, 4)
    drafts = [replace(answers[n], id=f"draft-{n}", text=TEN) for n in (4, 9)]
    with made(tmp_path / "i", [*drafts, *answers]) as index:
        (group,) = find_plagiarism(index).equal
    assert group.answers == ("q1-004", "draft-9")
    assert group.remarks == ("draft-9 is attempt 1 of 2 of its author",)
    assert "by 2 of 30 authors" in group.reason


def test_earlier_answers_make_a_group_only_with_a_new_one(tmp_path: Path) -> None:
    new = with_text(honest(30), TEN, 5)
    old = [replace(a, author=f"old{a.author}") for a in with_text(honest(30, seed=1), TEN, 1, 2)]
    old = with_text(old, " ".join(VOCABULARY[20:30]), 7, 8)
    with made(tmp_path / "new", new) as index, made(tmp_path / "y24", old) as against:
        assert find_plagiarism(index).equal == []
        (group,) = find_plagiarism(index, against=against).equal
    assert group.answers == ("q1-005", "y24:q1-001", "y24:q1-002")
    assert "by 1 of 30 authors and 2 earlier ones" in group.reason
    assert (group.share, group.is_common) == (round(1 / 30, 6), False)


def test_an_author_who_repeats_an_earlier_answer_is_no_group_alone(tmp_path: Path) -> None:
    new = with_text(honest(30), TEN, 5)
    old = with_text(honest(30, seed=1), TEN, 5)
    with made(tmp_path / "new", new) as index, made(tmp_path / "y24", old) as against:
        assert find_plagiarism(index, against=against).equal == []
    old = with_text(old, TEN, 2)  # sorted before the author's own
    with made(tmp_path / "new2", new) as index, made(tmp_path / "y25", old) as against:
        (group,) = find_plagiarism(index, against=against).equal
    assert group.answers == ("q1-005", "y25:q1-002")


def test_compare_calls_what_a_group_shows_identical(tmp_path: Path) -> None:
    eight = " ".join(VOCABULARY[:8])
    with made(tmp_path / "i", with_text(honest(40), eight, 3, 7)) as index:
        assert len(find_plagiarism(index).equal) == 1
        finding = compare(index, "q1-003", "q1-007").finding
    assert (finding.verdict, finding.verbatim) == ("identical", 1.0)


def test_a_filter_leaves_groups_without_such_an_answer_out(tmp_path: Path) -> None:
    with made(tmp_path / "i", with_text(honest(30), TEN, 5, 6)) as index:
        assert len(find_plagiarism(index, where=Where(author="s006")).equal) == 1
        assert find_plagiarism(index, where=Where(author="s007")).equal == []


def test_a_group_is_dismissed_when_each_of_its_answers_is(tmp_path: Path) -> None:
    with Index.create(tmp_path / "i", ToyEncoder(window=100)) as index:
        index.add(with_text(honest(40), TEN, 5, 6, 7))
        decide(index, "q1-005", "q1-006", "dismissed")
        result = find_plagiarism(index)
        assert not result.is_dismissed(result.equal[0])
        decide(index, "q1-005", "q1-007", "dismissed")
        result = find_plagiarism(index)
        assert result.is_dismissed(result.equal[0])
        decide(index, "q1-006", "q1-007", "asked")
        result = find_plagiarism(index)
        assert not result.is_dismissed(result.equal[0])


def test_the_information_is_that_of_a_function_and_orders_the_groups() -> None:
    answers = with_text(with_text(honest(40), TEN, 1, 2), " ".join(VOCABULARY[20:28]), 3, 4)
    groups = group_by_question(embed_answers(answers, ToyEncoder(window=100)), "question", "")
    nats = {"q1-001": 12.34, "q1-003": 56.78}
    one, other = find_equal(groups, [], information=lambda _, texts: nats[texts[0].answer.id])
    assert [(one.words, one.nats), (other.words, other.nats)] == [(8, 56.8), (10, 12.3)]


def test_thousands_of_equal_answers_are_one_group_at_once() -> None:
    many = [Answer(f"e{n:05}", TEN, "q1", f"t{n}") for n in range(5_000)]
    (group,) = equal(many)
    assert (len(group.answers), group.share, group.is_common) == (5_000, 1.0, True)


def test_words_that_others_use_give_less_information() -> None:
    """Two write a sentence of their own, two one that most of the class begins with."""
    stock = "the server answers each request with a status and body"
    own = "seventeen green bottles fell while grandmother peeled potatoes near kitchen"
    answers = [
        Answer(f"a{n}", f"{stock} {text.text}", "q1", f"s{n}") for n, text in enumerate(honest(12))
    ]
    answers += [Answer(f"b{n}", stock, "q1", f"t{n}") for n in range(2)]
    answers += [Answer(f"c{n}", own, "q1", f"u{n}") for n in range(2)]
    groups = {group.answers: group for group in equal(answers)}
    common, rare = groups["b0", "b1"].nats, groups["c0", "c1"].nats
    assert common is not None
    assert rare is not None
    assert rare > 2 * common > 0
