"""`Posts.xml` of a StackExchange dump."""

from __future__ import annotations

from html import escape
from pathlib import Path

from helpers.source_files import read, write


def row(**attributes: object) -> str:
    values = " ".join(f'{name}="{escape(str(value))}"' for name, value in attributes.items())
    return f"  <row {values} />\n"


def posts(path: Path, *rows: str) -> Path:
    return write(path, f'<?xml version="1.0"?>\n<posts>\n{"".join(rows)}</posts>\n')


QUESTION = row(
    Id=1, PostTypeId=1, Title="How do loops end?", Body="<p>Tell <b>me</b>.</p>",
    AcceptedAnswerId=3, OwnerUserId=7, Tags="<java><loops>",
)  # fmt: skip
ANSWERS = (
    row(Id=2, PostTypeId=2, ParentId=1, Body="<p>With</p><pre><code>a &lt; b</code></pre>",
        OwnerUserId=8, Score=3, CreationDate="2025-01-02T00:00:00.000"),
    row(Id=3, PostTypeId=2, ParentId=1, Body="just words", OwnerDisplayName="user12", Score=-1),
)  # fmt: skip
WIKI = row(Id=9, PostTypeId=5, Body="<p>no answer</p>")


def test_answers_with_their_question(tmp_path: Path) -> None:
    first, second = read(posts(tmp_path / "Posts.xml", QUESTION, WIKI, *ANSWERS))
    assert (first.id, first.question, first.author) == ("2", "How do loops end?", "8")
    assert (first.submitted_at, first.line) == ("2025-01-02T00:00:00.000", 5)
    assert (first.text, first.original) == (
        "With\n\na < b",
        "<p>With</p><pre><code>a &lt; b</code></pre>",
    )
    assert first.meta == {
        "score": "3",
        "accepted": "false",
        "prompt": "How do loops end?\n\nTell me.",
        "tags": "java, loops",
    }
    assert (second.author, second.meta["accepted"], second.text) == ("user12", "true", "just words")


def test_an_answer_may_stand_before_its_question_or_without_one(tmp_path: Path) -> None:
    orphan = row(Id=5, PostTypeId=2, ParentId=99, Body="<p>alone</p>")
    first = read(posts(tmp_path / "a.xml", QUESTION, *ANSWERS))
    *last, alone = read(posts(tmp_path / "b.xml", *ANSWERS, orphan, QUESTION))
    assert [(a.id, a.question, a.text, a.meta) for a in first] == [
        (a.id, a.question, a.text, a.meta) for a in last
    ]
    assert (alone.question, alone.author, alone.text, alone.meta) == ("99", None, "alone", {})


def test_questions_of_the_same_title_are_two(tmp_path: Path) -> None:
    other = QUESTION.replace('Id="1"', 'Id="4"', 1)
    answer = row(Id=6, PostTypeId=2, ParentId=4, Body="<p>x</p>")
    answers = read(posts(tmp_path / "a.xml", QUESTION, other, QUESTION, *ANSWERS, answer))
    assert [a.question for a in answers] == ["How do loops end?"] * 2 + ["How do loops end? (4)"]


def test_an_answer_that_is_code_with_tags_is_html_once(tmp_path: Path) -> None:
    body = "<pre><code>&lt;div&gt;&lt;p&gt;x&lt;/p&gt;&lt;/div&gt;</code></pre>"
    (answer,) = read(posts(tmp_path / "a.xml", row(Id=2, PostTypeId=2, ParentId=1, Body=body)))
    assert answer.text == "<div><p>x</p></div>"
