"""Known sources in another language, short and long, and what is no finding."""

from __future__ import annotations

import pytest
from helpers.translations import BilingualEncoder, EnglishEncoder, course, translated

from searchkit import Index
from searchkit.core.records import Answer
from searchkit.index.ingest import ingest
from searchkit.plagiarism.find import find_plagiarism

CLASS = [answer for answer in course(english=30, german=0) if answer.language == "en"]
SOURCE = translated(CLASS[7].text)
OTHERS = [translated(answer.text) for answer in course(english=12, german=0, seed=3)]


@pytest.mark.parametrize("around", [0, 5], ids=["short", "long"])
def test_an_answer_that_translates_a_source_is_found(tmp_path, around) -> None:
    text = "\n".join([*OTHERS[:around], SOURCE, *OTHERS[around : 2 * around]])
    with Index.create(tmp_path / "i", encoder=BilingualEncoder()) as index:
        ingest(index, CLASS)
        result = find_plagiarism(index, sources=[Answer("page", text, language="de")])
    (finding,) = result.sources
    assert (finding.answer, finding.source, finding.verdict) == ("e7", "page", "translated")
    assert finding.reason.startswith("Nearer to page than chance explains: 4 sentences say")
    for passage in finding.passages:
        left, right = CLASS[7].text[slice(*passage.left)], text[slice(*passage.right)]
        assert translated(left) == right
    assert not result.findings


def test_a_source_about_the_same_is_no_finding(tmp_path) -> None:
    other = course(english=40, german=0)[35].text  # on the same topic, by somebody else
    source = Answer("page", translated(other), language="de")
    with Index.create(tmp_path / "i", encoder=BilingualEncoder()) as index:
        ingest(index, CLASS)
        assert not find_plagiarism(index, sources=[source]).sources


def test_a_model_that_knows_one_language_compares_none(tmp_path) -> None:
    with Index.create(tmp_path / "i", encoder=EnglishEncoder()) as index:
        ingest(index, CLASS)
        source = Answer("page", SOURCE, language="de")
        assert not find_plagiarism(index, sources=[source]).sources


def test_all_that_an_answer_took_is_shown_and_explains_pairs(tmp_path) -> None:
    """It lies across the pieces that the source is compared in: at whatever sentence it begins."""
    for before in range(1, 5):
        lead = " ".join(f"{sentence}." for sentence in OTHERS[0].split(".")[:before])
        source = Answer("page", f"{lead} {SOURCE} {OTHERS[1]}", language="de")
        with Index.create(tmp_path / f"i{before}", encoder=BilingualEncoder()) as index:
            ingest(index, CLASS)
            (finding,) = find_plagiarism(index, sources=[source]).sources
        assert finding.answer == "e7"
        assert len(finding.passages) == 4, before
