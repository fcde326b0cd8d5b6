"""The graph, the matrix and the lists of a group: who with whom, how often, how strong."""

from __future__ import annotations

import re
from typing import Any

from helpers.students import course, large_course, met

from searchkit import Answer
from searchkit.pages.environment import asset, environment
from searchkit.pages.groups.graph import (
    COLOURS,
    graph_view,
    group_colour,
    network_layout,
    short_name,
    slider_steps,
)
from searchkit.pages.groups.matrix import MAX_STUDENTS, strength_legend, strength_of
from searchkit.pages.groups.pairs import spellings, student_pairs
from searchkit.pages.groups.views import (
    GroupDetails,
    displayed_names,
    group_details,
    group_numbers,
)
from searchkit.pages.pseudonyms import Pseudonyms
from searchkit.plagiarism.records import Ring

FINDINGS, ANSWERS = course(
    met("q1", "ann", "bob", 1e-9), met("q2", "bob", "ann", 1e-2), met("q1", "bob", "cy", None),
    met("q3", "cy", "dee", 1e-3),
)  # fmt: skip
IDS = tuple((finding.left, finding.right) for finding in FINDINGS[:3])
RING = Ring(("ann", "bob", "cy"), ("q1", "q2"), IDS, 1e-9, "ann, bob and cy share.")


def details(**more: Any) -> GroupDetails:
    return group_details(RING, FINDINGS, ANSWERS, **more)


def rendered(macro: str, *args: Any) -> str:
    return str(getattr(environment().get_template("graph.html").module, macro)(*args))


def test_several_findings_of_two_students_are_one_thicker_line() -> None:
    pairs, names = student_pairs(FINDINGS, [RING], ANSWERS), spellings([RING], ANSWERS.values())
    view = graph_view(
        pairs, network_layout(pairs, names, {}), displayed_names(names), group_numbers([RING])
    )
    assert [(n.name.text, n.group, n.colour) for n in view.nodes] == [
        ("ann", 1, 1), ("bob", 1, 1), ("cy", 1, 1), ("dee", 0, 0),
    ]  # fmt: skip
    assert view.nodes[1].title == "group 1, 3 findings with 2 students"
    lines = {(view.nodes[e.one].name.text, view.nodes[e.other].name.text): e for e in view.edges}
    assert lines["ann", "bob"].counts == (2, 1, 1, 1, 1, 1)
    assert lines["bob", "cy"].counts == (1, 0, 0, 0, 0, 0)  # chance can't be judged
    assert lines["cy", "dee"].counts == (1, 1, 0, 0, 0, 0)
    assert lines["ann", "bob"].thickness > lines["bob", "cy"].thickness
    assert view.title == "A graph of 4 students; 3 pairs of them were found together."


def test_the_slider_names_each_strength_with_its_odds() -> None:
    labels = [step.label for step in slider_steps()]
    assert labels[0] == "all findings, weak ones too"
    assert labels[1:4] == ["moderate · rarer than 1 in 100", "strong · rarer than 1 in 1,000",
                           "very strong · rarer than 1 in 10,000"]  # fmt: skip
    assert labels[-1] == "very strong · rarer than 1 in 1,000,000"


def test_more_groups_than_colours_are_told_apart_by_their_numbers() -> None:
    assert [group_colour(n) for n in (0, 1, COLOURS, COLOURS + 1)] == [0, 1, COLOURS, 1]
    style = asset("static/groups/groups.css")
    assert all(f".g{n} {{" in style for n in range(COLOURS + 1))
    view = details(number=COLOURS + 2)
    page = rendered("graph", view.graph)
    assert page.count(f'class="inside" y="4">{COLOURS + 2}<') == 3


def test_the_matrix_says_who_with_whom_in_which_questions_and_how_strong() -> None:
    matrix = details().matrix
    assert matrix and [name.text for name in matrix.columns] == ["ann", "bob"]
    (bob, (with_ann,)), (cy, (none, with_bob)) = matrix.rows
    assert (bob.text, cy.text) == ("bob", "cy")
    assert with_ann and [q.text for q in with_ann.questions] == ["q1", "q2"]
    assert with_ann.strength.word == "very strong" and with_ann.strength.dots == "●●●●"
    assert none is None
    assert (
        with_bob and with_bob.strength.word == "can't be judged" and with_bob.strength.dots == "?"
    )
    page = rendered("group", details())
    assert f'href="#{with_ann.anchor}"' in page and f'id="{with_ann.anchor}"' in page


def test_a_large_group_has_a_matrix_of_those_with_the_most_findings() -> None:
    findings, answers = large_course(36, 300)
    ids = tuple((f.left, f.right) for f in findings)
    ring = Ring(tuple(sorted({a.author or "" for a in answers.values()})), ("q1",), ids, None)
    matrix = group_details(ring, findings, answers).matrix
    assert matrix and len(matrix.rows) == MAX_STUDENTS - 1
    assert matrix.left_out == len(ring.authors) - MAX_STUDENTS
    cells = [cell for _, row in matrix.rows for cell in row if cell]
    assert all(re.fullmatch("[0-9]+ questions?", cell.summary) for cell in cells)
    assert not any(cell.questions for cell in cells)


def test_a_group_of_two_has_no_matrix_and_its_pair_links_to_the_findings() -> None:
    ring = Ring(("ann", "bob"), ("q1", "q2"), RING.findings[:2], 1e-9)
    view = group_details(ring, FINDINGS, ANSWERS, anchors={ring.findings[0]: "finding-7"})
    assert view.matrix is None
    (pair,) = view.pairs
    assert [(m.question.text, m.anchor, m.facts) for m in pair.meetings] == [
        ("q1", "finding-7", "very strong · less than 1 in 1,000,000"),
        ("q2", "", "weak · 1 in 100"),
    ]


def test_each_strength_has_its_dots_and_odds() -> None:
    assert [(s.level, s.word) for s in map(strength_of, (0.05, 9e-3, 9e-4, 9e-5, None))] == [
        (1, "weak"), (2, "moderate"), (3, "strong"), (4, "very strong"), (0, "can't be judged"),
    ]  # fmt: skip
    assert strength_legend()[0] == ("weak", "●○○○", "1 in 100 or more often")
    assert strength_legend()[-1] == ("very strong", "●●●●", "rarer than 1 in 10,000")


def test_names_that_are_too_long_are_cut_in_the_graph_alone() -> None:
    assert short_name("x" * 14) == "x" * 14 and short_name("x" * 15) == "x" * 13 + "…"


def test_both_the_name_and_the_pseudonym_are_drawn_or_the_pseudonym_alone() -> None:
    both = rendered("group", details(names=Pseudonyms(ANSWERS.values())))
    assert 'class="label name" y="24">ann</text>' in both
    assert 'class="label alias" y="24">author 1</text>' in both
    gone = rendered("group", details(names=Pseudonyms(ANSWERS.values(), replace=True)))
    assert not re.search(r"\b(ann|bob|cy)\b", gone) and "author 1" in gone


def test_hostile_names_are_escaped_and_nothing_is_inline() -> None:
    findings, answers = course(*(met(f"q{n}", '"><script>', "<img onerror=x>") for n in range(2)))
    answers = {id_: Answer(id_, "", "javascript:x", a.author) for id_, a in answers.items()}
    ids = tuple((f.left, f.right) for f in findings)
    ring = Ring(('"><script>', "<img onerror=x>"), ("javascript:x",), ids, 0.01, '"><script>')
    view = group_details(ring, findings, answers)
    page = rendered("group", view) + rendered("graph", view.graph, True)
    assert "<script" not in page and "<img" not in page
    assert not re.search(r"\sstyle=|\son\w+=\"", page)
    assert not re.search(r'(href|src)="(?!#)', page)


def test_the_script_needs_no_eval_and_inserts_no_markup() -> None:
    script = asset("static/groups/graph.js")
    assert not re.search(r"\beval\b|new Function|innerHTML|\.style\b", script)


def test_a_group_of_which_chance_cannot_be_judged_has_no_number() -> None:
    ring = Ring(("ann", "bob"), ("q1", "q2"), RING.findings[:2], None)
    page = rendered("group", group_details(ring, FINDINGS, ANSWERS))
    assert "can&#39;t be judged" in page and "None" not in page


def test_all_of_a_large_course_is_drawn() -> None:
    findings, answers = large_course(80, 300)
    pairs = student_pairs(findings, [], answers)
    names = spellings([], answers.values())
    view = graph_view(pairs, network_layout(pairs, names, {}), displayed_names(names), {})
    assert sum(edge.counts[0] for edge in view.edges) == len(findings)
    assert all(list(e.counts) == sorted(e.counts, reverse=True) for e in view.edges)
