"""Copies across languages: found by meaning, with evidence; names and code accuse nobody."""

from __future__ import annotations

import csv
import random
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from helpers.translations import BilingualEncoder, EnglishEncoder, course, translated

from searchkit import Index
from searchkit.core.records import Answer
from searchkit.demo.corpus import DEMO_ANSWERS, DEMO_LANGUAGES, DEMO_TRANSLATIONS
from searchkit.encoding.loading import load_encoder
from searchkit.index.ingest import ingest
from searchkit.plagiarism.across.languages import AnswerLanguages
from searchkit.plagiarism.compare import compare
from searchkit.plagiarism.find import find_plagiarism, find_plagiarism_among
from searchkit.plagiarism.preparation import embed_answers
from searchkit.sources.reader import read_answers


def with_text(answers: list[Answer], id_: str, text: str) -> list[Answer]:
    return [replace(a, text=text) if a.id == id_ else a for a in answers]


def copied(answers: list[Answer], copy: str, source: str, *, loosely: bool = False) -> list[Answer]:
    text = next(answer.text for answer in answers if answer.id == source)
    return with_text(answers, copy, translated(text, loosely=random.Random(5) if loosely else None))


def found(answers: list[Answer], **options: object) -> list[tuple[str, str, str]]:
    result = find_plagiarism_among(answers, BilingualEncoder(), **options)
    return [(finding.left, finding.right, finding.verdict) for finding in result.findings]


@pytest.mark.parametrize("loosely", [False, True])
def test_a_translated_copy_is_found(loosely) -> None:
    answers = copied(course(), "g2", "e7", loosely=loosely)
    result = find_plagiarism_among(answers, BilingualEncoder())
    (finding,) = result.findings
    assert (finding.left, finding.right, finding.verdict) == ("e7", "g2", "translated")
    assert finding.expected is not None and finding.expected <= 0.05
    assert finding.q_value is not None
    assert finding.reason.startswith("4 sentences say the same in English and German")
    assert finding.verbatim == 0
    texts = {answer.id: answer.text for answer in answers}
    if not loosely:
        for passage in finding.passages:
            left, right = texts["e7"][slice(*passage.left)], texts["g2"][slice(*passage.right)]
            assert translated(left) == right
    assert result.across == (
        "144 pairs in two languages (English 24, German 6), judged by their meaning alone"
    )


def test_independent_answers_are_no_findings() -> None:
    for seed in range(5):
        assert not found(course(seed=seed))


def test_no_number_is_lower_than_so_few_pairs_can_tell() -> None:
    result = find_plagiarism_among(copied(course(), "g2", "e7"), BilingualEncoder())
    assert result.findings[0].expected == pytest.approx(1 / 144, rel=0.01)


def test_several_sentences_tell_a_copy_in_a_small_class() -> None:
    """Of every sentence four words are translated, and five are the copier's own."""
    for seed in range(3):
        answers = course(english=8, german=6, seed=seed)
        assert not found(answers)
        texts = {answer.id: answer.text for answer in answers}
        sentences = translated(texts["e7"]).split("."), texts["g2"].split(".")
        halves = [
            " ".join([*source.split()[:4], *own.split()[:5]])
            for source, own in zip(*sentences, strict=True)
        ]
        assert found(with_text(answers, "g2", ". ".join(halves))) == [("e7", "g2", "translated")]


def test_too_few_pairs_are_not_judged() -> None:
    answers = copied(course(english=9, german=2), "g1", "e3")
    result = find_plagiarism_among(answers, BilingualEncoder())
    assert not result.findings
    assert result.across == (
        "18 pairs in two languages (English 9, German 2), not judged: fewer than 20 in their "
        "question, or a language that multilingual doesn't know"
    )
    alone = copied(course(english=22, german=1), "g0", "e3")
    assert found(alone) == [("e3", "g0", "translated")]


def test_a_model_that_knows_one_language_judges_none() -> None:
    answers = copied(course(), "g2", "e7")
    result = find_plagiarism_among(answers, EnglishEncoder())
    assert not result.findings
    assert result.across == (
        "144 pairs in two languages (English 24, German 6), not judged: all-MiniLM-L6-v2 knows "
        "English only; one that knows more: searchkit reindex --model multilingual"
    )


def test_languages_that_the_model_does_not_know_are_not_judged() -> None:
    hindi = [replace(a, language="hi") if a.language == "de" else a for a in course()]
    result = find_plagiarism_among(copied(hindi, "g2", "e7"), BilingualEncoder())
    assert not result.findings and "not judged" in result.across


def test_where_no_language_can_be_told_answers_are_compared_as_in_one() -> None:
    """Transliterated Hindi or Arabic is such a case."""
    answers = [replace(a, language="und") if a.language == "de" else a for a in course()]
    copy = next(answer.text for answer in answers if answer.id == "e7")
    assert found(with_text(answers, "g2", copy)) == [("e7", "g2", "identical")]
    assert find_plagiarism_among(answers, BilingualEncoder()).across == ""


NAMES = "Content-Type, Cache-Control, ETag, Host, Accept, Cookie, Location, Range, Vary, Origin."
HEADERS = "If-None-Match, Keep-Alive, top, Content-Type, Cache-Control, ETag, Host, Accept, Cookie."
MIXED = "the loop takes the next event, et puis elle attend le prochain, until there is none."
CODE = """```js
app.use(function (req, res, next) {
  // der Zähler wird erhöht, sobald eine Anfrage kommt
  counter += 1;
  res.set("X-Counter", String(counter));
  next();
});
app.listen(3000, () => console.log("ready at 3000"));
```"""


@pytest.mark.parametrize(
    "shared", [NAMES, CODE, NAMES + "\n" + CODE], ids=["names", "code", "both"]
)
def test_names_and_code_alone_accuse_nobody(shared) -> None:
    answers = course()
    for id_ in ("e7", "g2"):
        own = next(answer.text for answer in answers if answer.id == id_)
        for text in (f"{own}\n{shared}", f"{' '.join(own.split()[:9])}\n{shared}"):
            assert not found(with_text(answers, id_, text))
            answers = with_text(answers, id_, text)
    assert not found(answers)


@pytest.mark.parametrize(
    ("one", "other", "differ"),
    [
        (f"I know them: {NAMES}", f"Je les connais : {NAMES}", True),
        (f"I know them: {HEADERS}", f"Je les connais : {HEADERS}", True),
        ("Well, " + MIXED, "Bon, " + MIXED, False),
        (f"{NAMES} ok", f"{NAMES} bon", False),  # whose language nobody knows
    ],
    ids=["names", "names of common words", "prose", "nothing else"],
)
def test_names_are_not_the_same_words(one, other, differ) -> None:
    answers = [Answer("1", one, language="en"), Answer("2", other, language="fr")]
    texts = embed_answers(answers, BilingualEncoder())
    languages = AnswerLanguages(texts, {"en", "fr"})
    assert languages.differ(np.array([0]), np.array([1])).tolist() == [differ]


def test_a_mixed_answer_is_compared_with_those_that_share_its_words() -> None:
    """Which of two languages such an answer is taken for is chance."""
    answers = course()
    mixed = f"{answers[7].text} {answers[26].text}"
    answers = with_text(with_text(answers, "e7", mixed), "g2", mixed)
    assert found(answers) == [("e7", "g2", "identical")]


def test_one_word_answers_are_not_compared() -> None:
    answers = with_text(with_text(course(), "g1", "Jaung."), "e1", "Ja.")
    assert not found(answers)


def test_over_all_questions_and_against_earlier_answers(tmp_path) -> None:
    answers = copied(course(), "g2", "e7")
    two = [replace(a, question=f"q-{a.language}") for a in answers]
    assert not found(two)
    assert found(two, by="all") == [("e7", "g2", "translated")]
    encoder = BilingualEncoder()
    with (
        Index.create(tmp_path / "old", encoder=encoder) as old,
        Index.create(tmp_path / "new", encoder=encoder) as new,
    ):
        ingest(old, [answer for answer in answers if answer.language == "en"])
        ingest(new, [answer for answer in answers if answer.language == "de"])
        (finding,) = find_plagiarism(new, against=old).findings
        assert (finding.left, finding.right) == ("g2", "old:e7")
        assert compare(new, "g2", "old:e7", against=old).finding == replace(finding, q_value=None)


def test_compare_gives_the_same_finding_and_reason_for_none(tmp_path) -> None:
    with Index.create(tmp_path / "i", encoder=BilingualEncoder()) as index:
        ingest(index, with_text(copied(course(), "g2", "e7"), "g1", "Jaung."))
        (finding,) = find_plagiarism(index).findings
        comparison = compare(index, "g2", "e7")
        assert comparison.finding == replace(finding, q_value=None)
        assert comparison.pairs == 24 * 5  # g1 is too short
        other = compare(index, "g3", "e7").finding
        assert other.verdict == "no finding" and (other.expected or 0) > 0.05
    with Index.create(tmp_path / "e", encoder=EnglishEncoder()) as index:
        ingest(index, copied(course(), "g2", "e7"))
        finding = compare(index, "g2", "e7").finding
        assert (finding.verdict, finding.expected) == ("no finding", None)
        assert "English and German, and all-MiniLM-L6-v2 doesn't know both" in finding.remarks[-1]


def test_a_filter_chooses_whose_findings_are_shown(tmp_path) -> None:
    from searchkit.core.where import Where

    with Index.create(tmp_path / "i", encoder=BilingualEncoder()) as index:
        ingest(index, copied(course(), "g2", "e7"))
        assert len(find_plagiarism(index, where=Where(author="de2")).findings) == 1
        assert not find_plagiarism(index, where=Where(author="de3")).findings


def test_answers_in_one_language_are_judged_as_if_the_others_were_not_there() -> None:
    answers = course()
    copy = next(answer.text for answer in answers if answer.id == "e7")
    assert ("e3", "e7", "identical") in found(with_text(answers, "e3", copy))


@pytest.mark.model
def test_the_demo_in_four_languages(tmp_path: Path) -> None:
    with DEMO_TRANSLATIONS.open(encoding="utf-8", newline="") as file:
        planted = [row for row in csv.DictReader(file) if row["question"] in ("q10", "q15")]
    kinds = {frozenset((row["copy"], row["source"])): row["kind"] for row in planted}
    with Index.create(tmp_path / "i", encoder=load_encoder("multilingual")) as index:
        rows = read_answers([DEMO_ANSWERS, DEMO_LANGUAGES])
        ingest(index, (row for row in rows if row.question in ("q10", "q15")))
        findings = find_plagiarism(index).findings
    pairs = [frozenset((f.left, f.right)) for f in findings if f.verdict == "translated"]
    sources = {row["copy"]: row["source"] for row in planted}
    for left, right in set(pairs) - kinds.keys():  # two translations of one answer
        assert sources.get(left) == sources.get(right) is not None
    assert sum(kinds.get(pair) == "faithful" for pair in pairs) >= 10
    assert sum(kinds.get(pair) == "loose" for pair in pairs) >= 5
