"""Verdicts: long stretches make a copy, kept words a revision; their order is one everywhere."""

from __future__ import annotations

import numpy as np
import pytest
from helpers.encoder import ToyEncoder
from helpers.files import ROOT

from searchkit.core.records import Answer
from searchkit.plagiarism.evidence.collect import SuspectPair, collect_evidence, has_evidence
from searchkit.plagiarism.evidence.verdicts import kept_share, typical_length, verdict_and_reason
from searchkit.plagiarism.overlap import TokenRun, coverage
from searchkit.plagiarism.preparation import Boilerplate, PreparedAnswer, QuestionAnswers
from searchkit.plagiarism.records import NO_FINDING, VERDICTS, Finding, Overlap
from searchkit.text.words import sequences, split_words

WORDS = [f"w{n}" for n in range(400)]


def written(text: str, id_: str = "a") -> PreparedAnswer:
    vector = ToyEncoder().encode([text])
    return PreparedAnswer(Answer(id_, text), vector[0], [(0, len(text))], vector)


def compared(left: str, right: str, leave_out: set[int] | None = None) -> Finding:
    texts = [written(left, "a"), written(right, "b")]
    (finding,) = collect_evidence(
        texts,
        [SuspectPair(0, 1, 0.01)],
        group=QuestionAnswers("q", texts, Boilerplate([])),
        leave_out=leave_out or set(),
        embed=lambda sentences: ToyEncoder().encode(list(sentences)),
    )
    return finding


def with_changes(step: int, length: int = 100) -> str:
    """Return the first words with every so many replaced by another."""
    words = WORDS[:length]
    return " ".join(f"x{n}" if n % step == step - 1 else word for n, word in enumerate(words))


@pytest.mark.parametrize(
    ("step", "share", "verdict"),
    [(50, 0.98, "near copy"), (25, 0.96, "near copy"), (10, 0.9, "light revision"),
     (6, 0.83, "light revision"), (5, 0.8, "light revision")],
)  # fmt: skip
def test_words_that_are_replaced_all_over_make_a_revision_however_many_are_shared(
    step: int, share: float, verdict: str
) -> None:
    finding = compared(" ".join(WORDS[:100]), with_changes(step))
    assert finding.verbatim == pytest.approx(share, abs=0.02)
    assert finding.verdict == verdict
    assert f"typically {step - 1} at a stretch" in finding.reason


def test_of_a_short_answer_a_shorter_stretch_is_long() -> None:
    short = compared(" ".join(WORDS[:20]), with_changes(10, 20))
    assert (short.verdict, round(short.verbatim, 2)) == ("near copy", 0.9)


@pytest.mark.parametrize(
    ("taken", "verdict"),
    [(70, "near copy"), (60, "light revision"), (40, "light revision"), (30, "heavy revision")],
)
def test_a_stretch_among_own_words_is_less_than_a_copy(taken: int, verdict: str) -> None:
    own = " ".join(WORDS[:taken] + WORDS[200 : 300 - taken])
    assert compared(" ".join(WORDS[:100]), own).verdict == verdict


def test_of_a_text_without_spaces_characters_are_counted() -> None:
    thai = compared("เว็บเซิร์ฟเวอร์รับคำขอแล้วส่งหน้ากลับไป", "เว็บเซิร์ฟเวอร์รับคำขอแล้วส่งหน้าเดิม")
    assert "characters stand in the other" in thai.reason and "word" not in thai.reason
    mixed = compared("HTTP 请求由服务器接收并返回页面", "HTTP 请求由服务器接收并返回页面")
    assert mixed.reason.startswith("Word for word the same, 14 characters")
    english = "HTTP is a protocol of the web server"
    chinese = "服务器接收请求并返回页面" * 3
    for sides in ((english, f"{chinese} {english}"), (f"{chinese} {english}", english)):
        assert "the shorter answer's 8 words stand in the other" in compared(*sides).reason


def test_words_kept_in_reworded_sentences_make_a_light_revision() -> None:
    left, right = (split_words(text) for text in ("a b c d e f", "a x c d y f z"))
    reworded = Overlap((0, 11), (0, 13), "reworded", 0.8)
    assert kept_share(left, right, [], [reworded]) == pytest.approx(4 / 6)
    assert kept_share(left, right, [TokenRun(2, 2, 2)], []) == pytest.approx(2 / 6)
    assert kept_share(left, right, [TokenRun(2, 2, 2)], [reworded]) == pytest.approx(4 / 6)
    assert typical_length(left, [TokenRun(0, 0, 1), TokenRun(2, 2, 3)]) == pytest.approx(10 / 4)


def test_no_less_is_kept_in_all_than_is_shared_where_there_is_code() -> None:
    code = "```\n" + "f(x, y);\n" * 4 + "```\n"
    left, right = (
        written(f"{code}{' '.join(WORDS[:20])}"),
        written(f"{code}{' '.join(WORDS[50:70])}"),
    )
    runs = [TokenRun(0, 0, int(left.words.is_code.sum()))]
    reworded = Overlap((len(code), len(code) + 9), (len(code), len(code) + 9), "reworded", 0.8)
    share = coverage(runs, left.words, right.words)
    assert share > kept_share(left.words, right.words, runs, [reworded])
    _, reason = verdict_and_reason(left, right, runs, share, [reworded])
    assert reason.endswith(f"in all, {share:.0%} of the words are kept.")


@pytest.mark.parametrize("text", ["Yes", "It may be", " ".join(WORDS[:12]), "x = f(1);\ny = g(2);"])
def test_identical_answers_are_so_to_the_letter_whatever_is_common(text: str) -> None:
    common = set(sequences(split_words(text), (3, 6))[0].tolist())
    for leave_out in (set(), common):
        finding = compared(text, text.upper(), leave_out)
        assert (finding.verdict, finding.verbatim) == ("identical", 1.0)
        words = split_words(text)
        assert [passage.left for passage in finding.passages] == [words.span(0, len(words))]


def test_identical_answers_that_many_wrote_are_no_evidence_all_the_same() -> None:
    text = " ".join(WORDS[:12])
    common = set(sequences(split_words(text), (3, 6))[0].tolist())
    one = written(text)
    assert has_evidence(compared(text, text), one, one)
    assert not has_evidence(compared(text, text, common), one, one, common)


def test_answers_without_a_word_are_not_identical() -> None:
    assert compared("!!!", "???").verdict == NO_FINDING


def test_the_order_of_verdicts_is_one_in_ranks_colours_and_docs() -> None:
    from searchkit.pages.views import TONES

    assert list(TONES) == list(VERDICTS)
    severity = ["bad", "warn", "info", ""]
    assert np.all(np.diff([severity.index(tone) for tone in TONES.values()]) >= 0)
    page = (ROOT / "docs" / "commands" / "plagiarism.md").read_text("utf-8")
    rows = [f"| `{verdict}` | {meaning}" for verdict, meaning in VERDICTS.items()]
    places = [page.index(row) for row in rows]
    assert places == sorted(places)
    findings = [
        Finding("l", "r", "q", verdict, 0.9, 0.9, 0.9, expected, (), "")
        for expected in (0.01, None)
        for verdict in VERDICTS
    ]
    assert sorted(findings, key=Finding.rank) == findings
