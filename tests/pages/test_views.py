"""Views: what is marked where, what cannot hide, and drawings whose numbers are right."""

from __future__ import annotations

import re
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

import searchkit.pages
from searchkit import Answer
from searchkit.clustering.records import Cluster, Member
from searchkit.core.records import Hit, Passage
from searchkit.index.records import Decision
from searchkit.pages.cluster_views import cluster_view
from searchkit.pages.drawings import histogram
from searchkit.pages.environment import asset, environment
from searchkit.pages.glossary import GLOSSARY
from searchkit.pages.pseudonyms import Pseudonyms
from searchkit.pages.scores import BINS
from searchkit.pages.segments import Highlight, hit_segments, segments, text_runs
from searchkit.pages.views import finding_view, side_view
from searchkit.plagiarism.records import Finding, Overlap
from searchkit.text.languages.locales import Locale

LEFT = Answer("l", "Alpha beta gamma delta. The loop waits.", "q", "ann", "2025-01-02")
RIGHT = Answer("r", "It waits, the loop.\nAlpha beta gamma delta.", "q", "<b>\x1b[31m")
PASSAGES = (
    Overlap((0, 22), (20, 42), "verbatim", 1.0),
    Overlap((24, 39), (0, 19), "reworded", 0.8),
)
UNKNOWN = Locale("", "auto")
PAGES = Path(searchkit.pages.__file__).parent
FOUND = Finding("l", "r", "q", "near copy", 0.9, 0.95, 0.8, 0.001, PASSAGES, "80% is the same.",
                ("r hides something",), "l")  # fmt: skip


def rendered(macro: str, *args: Any) -> str:
    return str(getattr(environment().get_template("macros.html").module, macro)(*args))


def shown(text: str, marks: list[Highlight]) -> str:
    """Return segments as text, in the console's notation."""
    out = ""
    for segment in segments(text, marks):
        out += "".join(f"[{mark.number} " for mark in segment.opens)
        out += "".join(run.text for run in segment.runs)
        out += "".join(f"{mark.number}]" for mark in segment.closes)
    return out


def test_nested_and_overlapping_marks_open_and_close_in_order() -> None:
    text = "abcdefgh"
    assert shown(text, [Highlight(1, 3, "verbatim", 1)]) == "a[1 bc1]defgh"
    inside = [Highlight(2, 4, "verbatim", 2), Highlight(2, 6, "reworded", 1)]
    assert shown(text, inside) == "ab[1 [2 cd2]ef1]gh"
    assert [s.kind for s in segments(text, inside)] == ["", "verbatim", "reworded", ""]
    across = [Highlight(0, 5, "reworded", 1), Highlight(3, 8, "verbatim", 2)]
    assert shown(text, across) == "[1 abc[2 de1]fgh2]"
    assert shown(text, [Highlight(4, 4, "verbatim", 1)]) == text
    assert segments("") == []


def test_segments_join_to_the_whole_text() -> None:
    text = "one two\nthree"
    marks = [Highlight(a, b, "verbatim", a + 1) for a, b in pairwise(range(0, 12, 3))]
    assert "".join(p.text for s in segments(text, marks) for p in s.runs) == text


@pytest.mark.parametrize(
    ("text", "sign"),
    [
        ("ab\u200bcd", "U+200B"),
        ("ab\u202ecd", "U+202E"),
        ("ab\x00cd", "U+0000"),
        ("ab\ud800cd", "U+D800"),
        ("l\u043e\u043ep", "\u043e U+043E"),
    ],
)
def test_invisible_characters_are_spelled_out(text: str, sign: str) -> None:
    (segment,) = segments(text)
    assert sign in [run.text for run in segment.runs if run.kind == "sign"]
    assert f">{sign.split(' ')[-1]}<" in rendered("answer_text", segments(text), UNKNOWN).replace(
        "о ", ">"
    )
    assert [p.kind for p in segments("emoji 👩\u200d🔬 stays")[0].runs] == [""]


def test_line_ends_are_normalised() -> None:
    assert segments("a\r\nb\rc\nd")[0].runs[0].text == "a\nb\nc\nd"


def test_a_hit_is_marked_unless_it_is_the_whole_text() -> None:
    answer = Answer("a", "One. Two. Three.")
    part = hit_segments(Hit(1, 0.9, answer, Passage(5, 9)))
    assert [segment.kind for segment in part] == ["", "hit", ""]
    assert [s.kind for s in hit_segments(Hit(1, 0.9, answer, Passage(0, 16)))] == [""]


def test_each_mark_leads_to_the_same_passage_of_the_other_answer() -> None:
    page = rendered("finding", finding_view(FOUND, LEFT, RIGHT, number=7))
    anchors = re.findall(r'<a class="bracket \w+" id="([^"]+)" href="#([^"]+)"', page)
    assert len(anchors) == 4
    assert {target for _, target in anchors} == {anchor for anchor, _ in anchors}
    assert all(target.split("-")[-1] == anchor.split("-")[-1] for anchor, target in anchors)
    assert ">[1</a>" in page and ">{2</a>" in page
    assert "By chance, one such pair comes up in 1,000 questions like this." in page
    assert (
        "<bdi>2 Jan 2025</bdi>" in page and "<bdi>ann</bdi> handed in first; that does not" in page
    )


def test_texts_are_escaped_and_no_style_is_inline() -> None:
    hostile = Answer("<script>alert(1)</script>", "<img src=x onerror=alert(1)>", "javascript:x",
                     '"><script>')  # fmt: skip
    found = Finding(hostile.id, "r", hostile.question, "identical", 1, 1, 1, 0.0, (),
                    f"{hostile.id} is it.")  # fmt: skip
    page = rendered("finding", finding_view(found, hostile, RIGHT))
    assert "<script" not in page and "<img" not in page and "\x1b" not in page
    assert not re.search(r"\sstyle=|\son\w+=\"", page)
    assert not re.search(r'(href|src)="(?!#)', page)


def test_decisions_are_shown() -> None:
    decided = Decision(4, "l", "r", "dismissed", "same lab group", "2026-01-02T03:04:05", False)
    view = finding_view(FOUND, LEFT, RIGHT, decision=decided)
    page = rendered("finding", view)
    assert view.decided_number == 4
    assert "<strong>Dismissed</strong> on 2 Jan 2026, 03:04" in page and "same lab group" in page
    opened = Decision(5, "l", "r", "open", "", "2026-01-02T03:04:05", False)
    assert not finding_view(FOUND, LEFT, RIGHT, decision=opened).decided


def test_bars_count_every_pair_and_dots_are_at_their_scores() -> None:
    counts = [0] * BINS
    counts[60], counts[75], counts[99] = 30, 10, 1
    many = [finding_view(FOUND, LEFT, RIGHT, number=n) for n in range(1, 21)]
    view = histogram(counts, many)
    assert sorted(bar.title for bar in view.bars) == [
        "0.20 to 0.22: 30 pairs", "0.50 to 0.52: 10 pairs", "0.98 to 1.00: 1 pair",
    ]  # fmt: skip
    assert len(view.dots) == 20 and {dot.x for dot in view.dots} == {view.dots[0].x}
    zero, one = (next(t.x for t in view.ticks if t.label == label) for label in ("0.2", "1.0"))
    assert view.dots[0].x == pytest.approx(zero + (one - zero) * (0.9 - 0.2) / 0.8, abs=0.2)
    assert all(bar.y >= max(dot.y for dot in view.dots) for bar in view.bars)
    assert "41 pairs, half of them below 0.22; 20 findings, a dot each." in view.title
    assert histogram(counts, many[:1]).title.endswith("0.22; 1 finding, the dot.")
    assert histogram(counts).title.endswith("0.22; no finding.")
    assert histogram([0] * BINS).title == "No two answers to compare."


def test_a_cluster_shows_its_centre_and_members() -> None:
    cluster = Cluster(1, "q", "cluster", "l", ("loop",), 0.1, (Member("l", 1.0), Member("r", 0.8)))
    page = rendered("cluster_card", cluster_view(cluster, LEFT))
    assert "2 answers" in page and "Alpha beta" in page and "0.80" in page and "loop" in page


def test_names_can_be_hidden_or_left_out() -> None:
    answers = [
        Answer("x-17", "Marie Curie told me", "q", "ann smith"),
        Answer("x-18", "ANN  SMITH wrote it; so did smith, Smith and x-17", "q", "Marie Curie"),
    ]
    both = Pseudonyms(answers)
    page = rendered("answer_text", segments(answers[1].text, (), both), UNKNOWN)
    assert '<span class="name">ANN  SMITH</span><span class="alias">author 1</span>' in page
    gone = Pseudonyms(answers, replace=True)
    assert gone.replace_in_text(answers[1].text) == (
        "author 1 wrote it; so did author 1, author 1 and answer 1"
    )
    said = "".join(run.text for run in text_runs("x-17 is one of the earlier answers", gone))
    assert said == "answer 1 is one of the earlier answers"


# -- colours ---------------------------------------------------------------------------------------

TEXT_ON = [
    ("ink", "ground"), ("ink", "card"), ("ink", "sunk"), ("soft", "ground"), ("soft", "card"),
    ("soft", "sunk"), ("accent", "ground"), ("accent", "card"), ("accent", "sunk"),
    ("on-accent", "accent"), ("ink", "verbatim-tint"), ("ink", "reworded-tint"),
    ("verbatim", "card"), ("reworded", "card"), ("reworded", "reworded-tint"),
    ("good", "good-tint"), ("bad", "bad-tint"), ("warn", "warn-tint"), ("good", "card"),
    ("bad", "card"), ("soft", "warn-tint"), ("ink", "bad-tint"), ("ink", "good-tint"),
]  # fmt: skip
DRAWN_ON = [("edge", "card"), ("edge", "ground"), ("focus", "card"), ("focus", "ground"),
            ("bad", "card"), ("verbatim", "verbatim-tint")]  # fmt: skip


def palettes() -> list[dict[str, str]]:
    blocks = re.findall(r"color-scheme: (?:light|dark);(.*?)\}", asset("static/colours.css"), re.S)
    return [dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6})", block)) for block in blocks]


def contrast(one: str, other: str) -> float:
    def light(colour: str) -> float:
        parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
        linear = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    low, high = sorted((light(one), light(other)))
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("colours", palettes(), ids=["light", "dark", "dark by choice"])
def test_every_text_has_enough_contrast_in_light_and_dark(colours: dict[str, str]) -> None:
    for text, ground in TEXT_ON:
        assert contrast(colours[text], colours[ground]) >= 4.5, (text, ground)
    for shape, ground in DRAWN_ON:
        assert contrast(colours[shape], colours[ground]) >= 3, (shape, ground)


def test_dark_colours_are_the_same_by_system_and_by_choice() -> None:
    _, system, choice = palettes()
    assert system == choice


def test_a_finding_that_chance_cannot_be_judged_of_has_no_number() -> None:
    reason = "chance can't be judged here: only 12 unrelated pairs"
    page = rendered("finding", finding_view(replace(FOUND, expected=None, remarks=(reason,)),
                                            LEFT, RIGHT))  # fmt: skip
    assert reason.replace("'", "&#39;") in page
    said = re.sub(r'aria-label="[^"]*"', "", page).lower()
    assert len(re.findall("can(&#39;|’)t be judged", said)) == 1  # once is enough
    assert "1 in 1" not in page and "None" not in page
    judged = rendered("finding", finding_view(replace(FOUND, q_value=0.02), LEFT, RIGHT))
    assert 'title="expected 0.001, q-value 0.02"><strong>moderate</strong> · 1 in 1,000 <' in judged
    head, numbers = judged.split('<details class="numbers">')
    assert "0.02" not in head.split("title=")[0] and "0.90" not in head
    numbers = re.sub("<button.*?</button>", "", numbers)
    assert (
        "In numbers: expected 0.001, q 0.02" in numbers and "80 % of the shorter answer" in numbers
    )
    assert "0.90 of the whole answers, 0.95 sentence by sentence" in numbers
    assert "osine" not in judged and "score" not in judged


def test_a_finding_begins_with_the_question_and_names_the_authors_before_the_ids() -> None:
    left = replace(LEFT, meta={"prompt": "Why does a loop <wait>?"})
    right = replace(RIGHT, author="bo")
    page = rendered("finding", finding_view(FOUND, left, right, number=3))
    order = ["<strong><bdi>q</bdi></strong>", "Why does a loop &lt;wait&gt;?", "<h4",
             "<bdi>ann</bdi> and <bdi>bo</bdi></h4>", 'class="sides"', "80% is the same.",
             '<details class="numbers">']  # fmt: skip
    places = [page.index(part) for part in order]
    assert places == sorted(places)
    assert '<details class="of">' not in page
    assert page.index("<bdi>bo</bdi></strong>") < page.index("<bdi>r</bdi></span>")
    unknown = rendered("finding", finding_view(FOUND, left, replace(RIGHT, author=None)))
    assert "<bdi>ann</bdi> and <bdi>r</bdi></h4>" in unknown
    for prompt in ("Why?\n- one\n- two", "Why " * 60):
        view = finding_view(FOUND, replace(LEFT, meta={"prompt": prompt}), RIGHT)
        assert '<details class="of"><summary>' in rendered("finding", view)


def test_times_are_relative_and_who_was_first_is_said_only_where_something_is_shared() -> None:
    left = replace(LEFT, submitted_at="2025-08-30T18:33")
    right = replace(RIGHT, submitted_at="2025-09-01T09:40")
    page = rendered("finding", finding_view(FOUND, left, right))
    assert "30 Aug 2025, 18:33</bdi></div>" in page
    assert "1 Sep 2025, 09:40</bdi> · 1 day 15 h later</div>" in page
    assert "handed in first" in page
    nothing = replace(FOUND, verdict="no finding", passages=())
    assert "handed in first" not in rendered("finding", finding_view(nothing, left, right))
    passages = replace(FOUND, verdict="no finding")
    assert "handed in first" in rendered("finding", finding_view(passages, left, right))


def test_each_term_with_a_question_mark_is_explained_in_the_page() -> None:
    page = rendered("finding", finding_view(replace(FOUND, q_value=0.1), LEFT, RIGHT))
    page += rendered("legend") + rendered("glossary_texts")
    targets = set(re.findall(r'popovertarget="([^"]+)"', page))
    assert {"about-strength", "about-kind-of-match", "about-similarity", "about-q"} <= targets
    assert targets <= set(re.findall(r'id="([^"]+)" popover', page))
    for text in GLOSSARY.values():
        assert 2 <= len(re.findall(r"[.:] ?(?=[A-Z“]|if|$)", text)) and "nats" not in text


@pytest.mark.parametrize("folder", ["templates", "static"])
def test_people_read_similarity_and_no_word_of_the_trade(folder: str) -> None:
    files = [file for file in (PAGES / folder).rglob("*") if file.suffix in (".html", ".js")]
    assert files
    for file in files:
        text = re.sub(r"{#.*?#}|//[^\n]*|/\*.*?\*/", "", file.read_text("utf-8"), flags=re.S)
        assert not re.search(r"\b(cosines?|nats|q-value)\b", text, re.I), file


def test_each_answer_is_read_in_its_own_direction_and_language() -> None:
    arabic = replace(LEFT, text="HTTP هو بروتوكول. ```\nx = 1\n```", language="ar")
    page = rendered("finding", finding_view(FOUND, arabic, replace(RIGHT, language="en")))
    assert '<p class="answer left" lang="ar" dir="rtl">' in page
    assert '<p class="answer right" lang="en" dir="ltr">' in page
    unknown = rendered("finding", finding_view(FOUND, LEFT, replace(RIGHT, language="und")))
    assert 'left" lang="" dir="auto">' in unknown and 'right" lang="" dir="auto">' in unknown


def test_a_question_is_read_in_its_own_direction_and_language() -> None:
    arabic = replace(LEFT, meta={"prompt": "HTTP: ما هو ملف تعريف الارتباط وما فائدته؟"})
    page = rendered("finding", finding_view(FOUND, arabic, RIGHT))
    assert '<bdi class="asks" lang="ar" dir="rtl">' in page
    german = replace(LEFT, meta={"prompt": "Was ist ein Cookie, und wozu ist es gut?"})
    assert '<bdi class="asks" lang="de" dir="ltr">' in rendered(
        "finding", finding_view(FOUND, german, RIGHT)
    )
    number = replace(LEFT, meta={"prompt": "1+1?"})
    assert '<bdi class="asks" lang="" dir="auto">' in rendered(
        "finding", finding_view(FOUND, number, RIGHT)
    )


def test_code_is_read_from_left_to_right_in_any_answer() -> None:
    text = "الشفرة\n```\nx = f(1);\ny = g(2);\n```"
    view = side_view(Answer("a", text, language="ar"))
    page = rendered("answer_text", view.segments, view.locale)
    assert 'dir="rtl"' in page
    assert '<code dir="ltr">x = f(1);' in page
    marked = segments(text, [Highlight(16, 17, "verbatim", 1)])  # else its parts would be swapped
    assert len(marked) == 5
    assert rendered("answer_text", marked, view.locale).count("<code") == 1


@pytest.mark.parametrize(
    "text", ["    loop()\n    stop()", "It is:\n\n    stop()", "    stop()\n\nSo."]
)
def test_an_answer_may_begin_and_end_with_code(text: str) -> None:
    view = side_view(Answer("a", text))
    page = rendered("answer_text", view.segments, view.locale)
    assert page.count('<code dir="ltr">') == page.count("</code>") == 1
