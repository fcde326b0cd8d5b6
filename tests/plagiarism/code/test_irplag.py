"""One copy in a class of IRPlag's programs: it is found, and no independent program is reported."""

from __future__ import annotations

import json
from collections import defaultdict
from pathlib import Path

import numpy as np
import pytest

from searchkit.core.records import Answer
from searchkit.plagiarism.code.detector import find_in_code
from searchkit.plagiarism.preparation import PreparedAnswer, make_group
from searchkit.plagiarism.records import MAX_EXPECTED

LOWEST_RECALL = {"L1": 0.95, "L2": 0.90, "L3": 0.70}


def prepared(row: dict[str, str]) -> PreparedAnswer:
    vector = np.zeros(1, np.float32)
    answer = Answer(row["id"], row["answer"], question=row["question"], author=row["id"])
    return PreparedAnswer(answer, vector, [(0, len(answer.text))], vector[None])


def judged(texts: list[PreparedAnswer]) -> list[set[str]]:
    """Return the pairs that are reported with a number."""
    findings = find_in_code(make_group(None, texts, ""), MAX_EXPECTED)
    return [{f.left, f.right} for f in findings if f.expected is not None]


@pytest.fixture(scope="module")
def rows(shared_data: Path) -> list[dict[str, str]]:
    lines = (shared_data / "irplag-java-01-03.jsonl").read_text(encoding="utf-8").splitlines()
    return [json.loads(line) for line in lines]


def test_copies_are_found_by_level(rows: list[dict[str, str]]) -> None:
    found = defaultdict(list)
    for question in {row["question"] for row in rows}:
        inside = [row for row in rows if row["question"] == question]
        honest = [prepared(row) for row in inside if row["kind"] != "plagiarized"]
        (original,) = (row["id"] for row in inside if row["kind"] == "original")
        assert judged(honest) == []
        for row in inside:
            if row["level"] in LOWEST_RECALL:
                pairs = judged([*honest, prepared(row)])
                assert pairs in ([], [{original, row["id"]}])
                found[row["level"]].append(bool(pairs))
    for level, lowest in LOWEST_RECALL.items():
        assert np.mean(found[level]) >= lowest, level
