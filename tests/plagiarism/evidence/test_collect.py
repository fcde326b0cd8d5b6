"""Evidence: verdicts on pairs whose answer is plain to see, their reasons and remarks."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
from helpers.encoder import ToyEncoder

from searchkit.core.records import Answer
from searchkit.plagiarism.evidence.collect import (
    SuspectPair,
    collect_evidence,
    common_sequences,
    has_evidence,
)
from searchkit.plagiarism.preparation import Boilerplate, PreparedAnswer, QuestionAnswers
from searchkit.plagiarism.records import Finding

WORDS = [f"w{n}" for n in range(200)]
TEXT = " ".join(WORDS[:40]) + "."


def written(text: str, id_: str = "a", **fields: str) -> PreparedAnswer:
    vector = ToyEncoder().encode([text])
    return PreparedAnswer(Answer(id_, text, **fields), vector[0], [(0, len(text))], vector)


def found(
    texts: Sequence[PreparedAnswer], *pairs: tuple[int, int, float | None], template: str = ""
) -> list[Finding]:
    suspects = [SuspectPair(*pair) for pair in pairs]
    group = QuestionAnswers("q", list(texts), Boilerplate([template]))
    return collect_evidence(
        texts, suspects, group=group, leave_out=set(), embed=lambda t: ToyEncoder().encode(list(t))
    )


def test_of_identical_answers_what_was_given_is_neither_counted_nor_marked() -> None:
    template = "These words were given to all who answer"
    text = f"{' '.join(WORDS[:8])} {template}. {' '.join(WORDS[20:42])}"
    texts = [written(text, "a"), written(text.upper(), "b")]
    (finding,) = found(texts, (0, 1, 0.01), template=template)
    assert (finding.verdict, finding.verbatim) == ("identical", 1.0)
    assert finding.reason.startswith("Word for word the same, 30 words")
    marked = [text[slice(*passage.left)] for passage in finding.passages]
    assert marked == [" ".join(WORDS[:8]), " ".join(WORDS[20:42])]
    (without,) = found(texts, (0, 1, 0.01))
    assert [text[slice(*p.left)] for p in without.passages] == [text]


@pytest.mark.parametrize(
    ("other", "verdict", "reason"),
    [
        (TEXT, "identical", "Word for word the same, 40 words."),
        (TEXT.upper() + "!", "identical", "but for case, punctuation"),
        (" ".join(WORDS[:36]), "near copy", "100% of the shorter answer's 36 words"),
        (" ".join(WORDS[:20] + WORDS[100:120]), "light revision", "50% of .* longest stretch 20"),
        (" ".join(WORDS[:8] + WORDS[100:132]), "heavy revision", "20% of the shorter"),
    ],
)
def test_verdicts_by_how_much_stands_in_both(other: str, verdict: str, reason: str) -> None:
    import re

    (finding,) = found([written(TEXT, "a"), written(other, "b")], (0, 1, 0.01))
    assert finding.verdict == verdict
    assert re.search(reason, finding.reason)
    assert (finding.left, finding.right, finding.question, finding.expected) == (
        "a",
        "b",
        "q",
        0.01,
    )


def test_a_third_text_that_explains_both_is_named() -> None:
    source = written(TEXT, "s")
    one = written(" ".join(WORDS[:20] + WORDS[50:70]), "x")
    other = written(" ".join(WORDS[80:100] + WORDS[:20]), "y")
    pairs = [(0, 1, 1e-6), (0, 2, 1e-5), (1, 2, 1e-3)]
    verdicts = [finding.verdict for finding in found([source, one, other], *pairs)]
    assert verdicts == ["light revision", "light revision", "shared source"]
    by_chance = found([source, one, other], (1, 2, 1e-3))
    assert by_chance[0].verdict == "light revision"  # nobody says that the third is suspect


def test_where_chance_cannot_be_judged_a_source_is_known_by_what_is_shared() -> None:
    source = written(" ".join(WORDS[:40]), "s")
    one = written(" ".join(WORDS[:20] + WORDS[50:70]), "x")
    other = written(" ".join(WORDS[80:105] + WORDS[:15]), "y")
    texts = [source, one, written(" ".join(WORDS[4:34] + WORDS[90:100]), "z"), other]
    findings = found(texts, (0, 1, None), (0, 2, None), (1, 2, None), (0, 3, None))
    assert [finding.expected for finding in findings] == [None] * 4
    verdicts = [finding.verdict for finding in findings]
    assert verdicts == ["light revision", "near copy", "shared source", "light revision"]


def test_what_hides_is_told_and_hides_nothing() -> None:
    hidden = TEXT.replace("w1", "w\u200b1", 1)
    (finding,) = found([written(TEXT, "a"), written(hidden, "b")], (0, 1, 0.01))
    assert finding.verdict == "identical"
    assert finding.remarks == (
        "b holds 1 character that no reader sees, or takes for another letter",
    )


@pytest.mark.parametrize(
    ("left", "right", "first"),
    [
        ("2025-01-02", "2025-01-01T23:00:00", "b"),
        ("2025-01-01T10:00:00+02:00", "2025-01-01T09:00:00+00:00", "a"),
        ("2025-01-01T10:00:00+02:00", "2025-01-01T09:00:00", "b"),
        ("2025-01-01", "2025-01-01", None),
        ("2025-01-01", "yesterday", None),
        ("2025-01-01", None, None),
    ],
)
def test_who_was_first_is_a_fact_where_both_times_are_known(left, right, first) -> None:
    pair = [written(TEXT, "a", submitted_at=left), written(TEXT, "b", submitted_at=right)]
    assert found(pair, (0, 1, 0.01))[0].first == first


def test_a_few_words_or_one_sentence_tell_nothing() -> None:
    few = [written(" ".join(WORDS[:6] + WORDS[50:70])), written(" ".join(WORDS[:6] + WORDS[80:99]))]
    many = [
        written(" ".join(WORDS[:12] + WORDS[50:60])),
        written(" ".join(WORDS[:12] + WORDS[80:90])),
    ]
    assert not has_evidence(found(few, (0, 1, 0.01))[0], *few)
    assert has_evidence(found(many, (0, 1, 0.01))[0], *many)


def test_sequences_of_too_many_are_left_out_and_near_duplicates_count_as_one() -> None:
    texts = [written("a b c d"), written("a b c x"), written("a b c y"), written("p q r s")]
    words = [text.words for text in texts]
    boilerplate = words[3].hashes[:0]
    assert len(common_sequences(words, 2, np.ones(4), boilerplate)) == 1
    assert common_sequences(words, 2, np.full(4, 0.3), boilerplate) == set()
