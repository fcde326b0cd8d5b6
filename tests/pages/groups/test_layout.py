"""Places of students: the same each time, and no two students or names on each other."""

from __future__ import annotations

import os
import subprocess
import sys
import time

import numpy as np
import pytest
from helpers.files import ROOT
from helpers.students import course, large_course, met

from searchkit import Answer
from searchkit.pages.groups.graph import network_layout, node_size
from searchkit.pages.groups.layout import Layout, lay_out, separate
from searchkit.pages.groups.pairs import spellings, student_pairs
from searchkit.plagiarism.records import Finding

Course = tuple[list[Finding], dict[str, Answer]]
PAIR = course(met("q1", "ann", "Bartholomew Featherstonehaugh"))
STAR = course(*(met("q1", "hub", f"leaf number {n}") for n in range(19)))
PARTS = course(*(met("q1", f"a{n}", f"b{n}") for n in range(40)), met("q2", "a1", "a2"))
CJK = course(*(met("q1", f"山田太郎山田太郎{n}", f"山田太郎{n + 1}") for n in range(12)))


def placed(found: Course, groups: dict[str, int] | None = None) -> tuple[Layout, dict[str, str]]:
    findings, answers = found
    names = spellings([], answers.values())
    pairs = student_pairs(findings, [], answers)
    return network_layout(pairs, names, groups or {}), names


def overlapping(layout: Layout, names: dict[str, str]) -> list[tuple[str, str]]:
    """Return the students who lie on each other with their names, by comparing every two."""
    keys = list(layout.places)
    return [
        (one, other)
        for n, one in enumerate(keys)
        for other in keys[:n]
        if all(
            abs(layout.places[one][axis] - layout.places[other][axis])
            < (node_size(names[one])[axis] + node_size(names[other])[axis]) / 2
            for axis in (0, 1)
        )
    ]


@pytest.mark.parametrize("found", [PAIR, STAR, PARTS, CJK, large_course(120, 400)])
def test_neither_students_nor_names_lie_on_each_other(found: Course) -> None:
    layout, names = placed(found)
    assert layout.places.keys() == names.keys()
    assert overlapping(layout, names) == []
    for key, (x, y) in layout.places.items():
        width, height = node_size(names[key])
        assert width / 2 <= x <= layout.width - width / 2
        assert height / 2 <= y <= layout.height - height / 2


def test_the_same_graph_has_the_same_places_in_whatever_order_it_is_given() -> None:
    edges = [("a", "b"), ("b", "c"), ("c", "f"), ("d", "e"), ("f", "g")]
    sizes, groups = dict.fromkeys("abcdefg", (80.0, 42.0)), {"f": 2, "g": 2, "b": 1, "a": 1}
    turned = dict(reversed(list(sizes.items()))), edges[::-1]
    assert lay_out(sizes, edges, groups) == lay_out(*turned, groups)


def test_the_same_graph_has_the_same_places_in_another_process() -> None:
    program = (
        "from helpers.students import large_course\n"
        "from searchkit.pages.groups.graph import network_layout\n"
        "from searchkit.pages.groups.pairs import spellings, student_pairs\n"
        "findings, answers = large_course(40, 90)\n"
        "names = spellings([], answers.values())\n"
        "groups = {key: 1 + int(key[1:]) // 12 for key in names if int(key[1:]) % 12 < 8}\n"
        "print(network_layout(student_pairs(findings, [], answers), names, groups))\n"
    )
    path = os.pathsep.join([str(ROOT), str(ROOT / "tests")])
    layouts = {
        subprocess.check_output(
            [sys.executable, "-c", program], text=True,
            env=dict(os.environ, PYTHONHASHSEED=seed, PYTHONPATH=path),
        )
        for seed in ("1", "2")
    }  # fmt: skip
    assert len(layouts) == 1


def test_the_students_of_a_group_are_together() -> None:
    findings, answers = large_course(120, 400)
    names = spellings([], answers.values())
    groups = {key: 1 + int(key[1:]) // 12 for key in names if int(key[1:]) % 12 < 10}
    layout, _ = placed((findings, answers), groups)
    assert overlapping(layout, names) == []
    for number in set(groups.values()):
        own = np.array([layout.places[key] for key in groups if groups[key] == number])
        low, high = own.min(axis=0), own.max(axis=0)
        inside = [key for key, place in layout.places.items()
                  if (low <= place).all() and (place <= high).all()]  # fmt: skip
        assert {groups.get(key) for key in inside} == {number}


def test_a_course_of_500_students_is_laid_out_in_seconds_and_holds_together() -> None:
    found = large_course(500, 2_000)
    groups = {f"s{n:03}": 1 + n // 12 for n in range(480)}
    began = time.perf_counter()
    layout, names = placed(found, groups)
    assert time.perf_counter() - began < 20  # 0.5 s on a quiet core
    assert len(layout.places) > 490 and overlapping(layout, names) == []
    area = sum(np.prod(node_size(name)) for name in names.values())
    assert layout.width * layout.height < 10 * area


def test_boxes_at_the_same_place_are_pushed_apart() -> None:
    boxes = np.full((30, 2), (80.0, 42.0))
    points = separate(np.zeros((30, 2)), boxes)
    apart = np.abs(points[:, None] - points[None]) >= boxes[0] - 0.01
    assert (apart.any(axis=2) | np.eye(30, dtype=bool)).all()


def test_a_student_who_is_called_like_the_number_of_a_group_is_not_in_it() -> None:
    one, other = (
        lay_out(
            dict.fromkeys((name, "a", "b", "c"), (80.0, 42.0)),
            [("a", "b"), ("b", "c"), (name, "c")],
            {"a": 1, "b": 1},
        )
        for name in ("1", "0")
    )
    assert list(one.places.values()) == list(other.places.values())


def test_nothing_to_lay_out() -> None:
    assert lay_out({}, [], {}).places == {}
