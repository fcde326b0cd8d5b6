"""SemEval-2013 XML."""

from __future__ import annotations

import gzip
import io
from pathlib import Path

import pytest
from helpers.source_files import read, rejected, write

from searchkit.core.errors import BadInput
from searchkit.sources.reader import read_answers

QUESTION = """<?xml version="1.0"?>
<question id="L1" module="Loops" qtype="WHY">
  <questionText>When does a <b>loop</b> end?</questionText>
  <referenceAnswers>
    <referenceAnswer id="L1-r1" category="BEST">When its condition is false.</referenceAnswer>
  </referenceAnswers>
  <studentAnswers>
    <studentAnswer id="L1.1" accuracy="correct">If the condition fails.</studentAnswer>
    <studentAnswer id="L1.2" accuracy="contradictory">Never, if a &lt; b</studentAnswer>
    <studentAnswer id="L1.3" accuracy="non_domain"/>
  </studentAnswers>
</question>
"""


def test_references_and_student_answers(tmp_path: Path) -> None:
    answers = read(write(tmp_path / "l1.xml", QUESTION))
    assert [(a.id, a.question, a.author, a.text, a.line) for a in answers] == [
        ("L1-r1", "L1", "reference", "When its condition is false.", 5),
        ("L1.1", "L1", None, "If the condition fails.", 8),
        ("L1.2", "L1", None, "Never, if a < b", 9),
    ]
    assert answers[0].is_reference
    assert answers[1].meta == {
        "prompt": "When does a loop end?",
        "accuracy": "correct",
        "module": "Loops",
        "qtype": "WHY",
    }


def test_several_questions_and_ids_that_are_missing(tmp_path: Path) -> None:
    text = (
        "<questions><question><questionText>Why?</questionText><studentAnswers>"
        "<studentAnswer>because</studentAnswer></studentAnswers></question>"
        "<question id='q2'><studentAnswers><studentAnswer id='a'>yes</studentAnswer>"
        "</studentAnswers></question></questions>"
    )
    first, second = read(write(tmp_path / "all.xml", text))
    assert (first.question, first.text, first.has_made_id) == ("Why?", "because", True)
    assert (second.question, second.id, second.meta) == ("q2", "a", {})


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-16-be", "latin-1", "cp1252"])
def test_encodings(tmp_path: Path, encoding: str) -> None:
    text = QUESTION.replace("fails", "fällt")
    text = text.replace('"1.0"', f'"1.0" encoding="{encoding.removesuffix("-sig")}"')
    answers = read(write(tmp_path / "l1.xml", text.encode(encoding)))
    assert answers[1].text == "If the condition fällt."


def test_namespaces_standard_input_and_gz(tmp_path: Path) -> None:
    expected = [a.text for a in read(write(tmp_path / "l1.xml", QUESTION))]
    named = QUESTION.replace("<question ", '<x:question xmlns:x="urn:x" xmlns="urn:x" ')
    named = named.replace("</question>", "</x:question>")
    packed = gzip.compress(named.encode())
    assert [a.text for a in read(write(tmp_path / "l1.xml.gz", packed))] == expected
    for data in (named.encode(), named.encode("utf-16"), packed):
        assert [a.text for a in read_answers(["-"], stdin=io.BytesIO(data))] == expected


def test_as_forces_the_format_whatever_the_root_is(tmp_path: Path) -> None:
    path = write(tmp_path / "l1.xml", f"<export>{QUESTION.partition('?>')[2]}</export>")
    with pytest.raises(BadInput, match=r"l1.xml: XML of <export>, which isn't read; what is: "):
        read(path)
    assert len(read(path, platform="semeval")) == 3
    with pytest.raises(BadInput, match=r"l1.xml: XML can't be read as moodle-quiz; leave out"):
        read(path, platform="moodle-quiz")


def test_an_empty_question_says_so(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match=r"no answers in it; is it the right file\?"):
        read(write(tmp_path / "l1.xml", "<question id='q'/>"))


def test_a_format_is_refused_for_a_table(tmp_path: Path) -> None:
    answers, bad = rejected(write(tmp_path / "a.csv", "id,answer\n1,yes\n"), platform="semeval")
    assert not answers
    assert bad[0].reason == "no semeval file; leave out `platform`"
