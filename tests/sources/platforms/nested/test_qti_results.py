"""QTI results reporting 2.x."""

from __future__ import annotations

from pathlib import Path

import pytest
from helpers.source_files import read, write

from searchkit.core.records import Answer


def item(name: str, *variables: str) -> str:
    return (
        f'<itemResult identifier="{name}" datestamp="2025-05-01T10:00:00" sessionStatus="final">'
        f"{''.join(variables)}</itemResult>\n"
    )


def response(*values: str, name: str = "RESPONSE", kind: str = 'baseType="string"') -> str:
    inner = "".join(f"<value>{value}</value>" for value in values)
    return (
        f'<responseVariable identifier="{name}" cardinality="single" {kind}>'
        f"<candidateResponse>{inner}</candidateResponse></responseVariable>"
    )


def outcome(value: str, name: str = "SCORE") -> str:
    return (
        f'<outcomeVariable identifier="{name}" baseType="float"><value>{value}</value>'
        "</outcomeVariable>"
    )


def person(name: str | None, *items: str) -> str:
    context = f'<context sourcedId="{name}"/>' if name else "<context/>"
    test = "<testResult identifier='t'/>"
    return f"<assessmentResult>{context}{test}{''.join(items)}</assessmentResult>"


@pytest.fixture
def answers(tmp_path: Path) -> list[Answer]:
    choice = response("A", kind='baseType="identifier"')
    attempts = response("1", name="numAttempts", kind='baseType="integer"')
    ann = person(
        "ann",
        item("Q1", response("&lt;p&gt;A loop&lt;/p&gt;"), outcome("2"), outcome("3", "MAXSCORE")),
        item("Q2", choice, attempts),
        item("Q3", response("one", "two", name="GAPS"), response()),
    )
    people = ann + person(None, item("Q1", response("Nobody said")))
    text = f'<assessmentResults xmlns="urn:imsglobal:x">\n{people}</assessmentResults>'
    return read(write(tmp_path / "results.xml", text))


def test_strings_are_answers_and_choices_are_none(answers: list[Answer]) -> None:
    assert [(a.author, a.question, a.text) for a in answers] == [
        ("ann", "Q1", "A loop"),
        ("ann", "Q3/GAPS", "one\ntwo"),
        (None, "Q1", "Nobody said"),
    ]
    assert answers[0].id == "Q1/ann"
    assert answers[0].submitted_at == "2025-05-01T10:00:00"
    assert answers[0].meta == {"score": "2", "max_score": "3", "status": "final"}


def test_prefixes_records_and_the_correct_response(tmp_path: Path) -> None:
    text = """<q:assessmentResult xmlns:q="http://www.imsglobal.org/xsd/imsqti_result_v2p1">
      <q:context sourcedId="bob"/>
      <q:itemResult identifier="Q1" datestamp="2025-05-01" sessionStatus="final">
        <q:responseVariable identifier="RESPONSE" cardinality="single" baseType="string">
          <q:correctResponse><q:value>Paris</q:value></q:correctResponse>
          <q:candidateResponse><q:value><![CDATA[a < b]]></q:value></q:candidateResponse>
        </q:responseVariable>
        <q:responseVariable identifier="R" cardinality="record"><q:candidateResponse>
          <q:value fieldIdentifier="text" baseType="string">said</q:value>
          <q:value fieldIdentifier="n" baseType="integer">4</q:value>
        </q:candidateResponse></q:responseVariable>
        <q:candidateComment>too hard</q:candidateComment>
      </q:itemResult></q:assessmentResult>"""
    reference, answer, record = read(write(tmp_path / "bob.xml", text))
    assert (reference.author, reference.text, reference.meta) == ("reference", "Paris", {})
    assert (answer.author, answer.text) == ("bob", "a < b")
    assert answer.meta["candidate_comment"] == "too hard"
    assert (record.question, record.text) == ("Q1/R", "said")
