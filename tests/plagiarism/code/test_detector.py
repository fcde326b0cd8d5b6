"""Findings among programs: copies are found whatever was changed, nobody else is reported."""

from __future__ import annotations

from itertools import combinations
from pathlib import Path
from random import Random

import pytest
from helpers.encoder import ToyEncoder
from helpers.programs import CLASSES, PYTHON, random_program, renamed, reordered, with_texts

from searchkit import Answer, Index
from searchkit.plagiarism.compare import compare
from searchkit.plagiarism.find import find_plagiarism, find_plagiarism_among
from searchkit.plagiarism.records import NO_FINDING, PlagiarismResult

COPIES = {"source", "renamed-1", "renamed-2", "commented"}


def among(texts: dict[str, str], **options: object) -> PlagiarismResult:
    answers = [Answer(name, text, question="q", author=name) for name, text in texts.items()]
    return find_plagiarism_among(answers, ToyEncoder(window=400), **options)


def random_class(count: int, lines: int, seed: int = 0) -> dict[str, str]:
    random = Random(seed)
    return {f"honest-{n:02}": random_program(lines, random) for n in range(count)}


@pytest.mark.parametrize("ending", CLASSES)
def test_copies_in_a_small_class_are_ranked(ending: str) -> None:
    found = among(CLASSES[ending].texts())
    shown = {name for finding in found.findings for name in (finding.left, finding.right)}
    assert shown == COPIES
    assert {finding.expected for finding in found.findings} == {None}
    assert all("chance can't be judged here" in f.remarks[-1] for f in found.findings)


def test_verdicts_and_reasons_say_what_was_changed() -> None:
    found = {f.left: f for f in among(PYTHON.texts()).findings if f.right == "source"}
    assert found["commented"].verdict == "identical"
    assert found["commented"].reason.startswith(
        "The same program, 149 tokens, but for comments and white space."
    )
    assert found["renamed-1"].verdict == "near copy"
    assert found["renamed-1"].reason == (
        "The same after renaming 5 names, 149 tokens; 1 comment is the same word for word."
    )
    assert found["renamed-1"].verbatim == 1


def test_passages_are_places_in_both_texts() -> None:
    texts = PYTHON.texts()
    (finding,) = (f for f in among(texts).findings if f.left == "renamed-2")
    for passage in finding.passages:
        left = texts[finding.left][slice(*passage.left)]
        right = texts[finding.right][slice(*passage.right)]
        assert left.strip() == left and right.strip() == right
        assert len(left.split()) == len(right.split())


def test_copies_in_a_class_have_a_number_and_nobody_else_is_reported() -> None:
    texts = random_class(20, 60)
    texts["verbatim"] = texts["honest-00"]
    texts["renamed"] = renamed(texts["honest-01"])
    texts["reordered"] = reordered(texts["honest-02"], Random(1))
    found = among(texts)
    assert {(finding.left, finding.right) for finding in found.findings} == {
        ("honest-00", "verbatim"),
        ("honest-01", "renamed"),
        ("honest-02", "reordered"),
    }
    verdicts = {finding.right: finding.verdict for finding in found.findings}
    assert verdicts == {"verbatim": "identical", "renamed": "near copy", "reordered": "near copy"}
    assert all(finding.expected is not None for finding in found.findings)
    assert found.pooled == []


@pytest.mark.parametrize("lines", [25, 80])
def test_independent_programs_are_not_reported(lines: int) -> None:
    for seed in range(4):
        assert among(random_class(14, lines, seed)).findings == []


def test_a_rare_text_gives_a_copy_away_where_all_programs_are_alike() -> None:
    program = 'for i in range(5):\n    print("Hello, world")\nprint("Done")\n' * 3
    texts = {f"honest-{n:02}": program for n in range(16)}
    for name in ("one", "other"):
        texts[name] = with_texts(program, {"Done": "Finish of teh program, thank you 4711"})
    found = among(texts)
    judged = [finding for finding in found.findings if finding.expected is not None]
    assert [(finding.left, finding.right) for finding in judged] == [("one", "other")]
    assert "Finish of teh program" in judged[0].reason
    ranked = [finding for finding in found.findings if finding.expected is None]
    assert ranked and all("the programs are short or much alike" in f.remarks[-1] for f in ranked)


def test_copies_are_shown_where_four_fifths_copied() -> None:
    texts = random_class(4, 40)
    for n in range(12):
        copy = texts["honest-00"] if n % 2 else renamed(texts["honest-00"])
        texts[f"copy-{n:02}"] = copy.replace("import sys", f"import sys\nseed = {n}")
    found = among(texts)
    shown = {name for finding in found.findings for name in (finding.left, finding.right)}
    assert shown == {"honest-00", *(f"copy-{n:02}" for n in range(12))}


def test_a_template_is_no_evidence() -> None:
    template = random_program(60, Random(99))
    texts = {name: template + text for name, text in random_class(14, 30).items()}
    with_it = among(texts, template=template)
    assert not [finding for finding in with_it.findings if finding.expected is not None]
    texts["copy"] = texts["honest-03"]
    judged = [f for f in among(texts, template=template).findings if f.expected is not None]
    assert [(finding.left, finding.right) for finding in judged] == [("copy", "honest-03")]


def test_compare_and_plagiarism_give_one_judgement(tmp_path: Path) -> None:
    texts = random_class(14, 40)
    texts["renamed"] = renamed(texts["honest-01"])
    with Index.create(tmp_path / "index", ToyEncoder(window=400)) as index:
        index.add([Answer(name, text, question="q", author=name) for name, text in texts.items()])
        findings = {(f.left, f.right): f for f in find_plagiarism(index).findings}
        assert findings
        for left, right in combinations(sorted(texts), 2):
            if left[-1] in "019d" and right[-1] in "1d":
                finding = compare(index, left, right).finding
                if known := findings.get((left, right)):
                    assert finding.expected == known.expected
                    assert (finding.verdict, finding.reason) == (known.verdict, known.reason)
                    assert finding.passages == known.passages
                else:
                    assert finding.verdict == NO_FINDING


def test_attempts_of_one_author_are_no_copies_of_each_other() -> None:
    texts = random_class(14, 40)
    answers = [Answer(name, text, question="q", author=name) for name, text in texts.items()]
    answers.append(
        Answer("again", texts["honest-03"], question="q", author="honest-03", attempt=2, attempts=2)
    )
    assert find_plagiarism_among(answers, ToyEncoder(window=400)).findings == []


def test_how_often_a_text_stands_there_is_told() -> None:
    loop = 'for i in range(5):\n    print("Hello, world")\nprint("Done", 1)\nprint("Bye", 2)\n'
    texts = {f"honest-{n:02}": loop for n in range(16)}
    texts |= {name: 'print("Hello, World")\n' * 5 + 'print("Done", 1)\n' for name in ("one", "two")}
    found = {(f.left, f.right): f for f in among(texts).findings}
    assert '"Hello, World" 5 times' in found["one", "two"].reason


def test_more_programs_than_can_be_compared_are_judged_like_prose(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("searchkit.plagiarism.code.languages.MAX_PROGRAMS", 5)
    found = among(PYTHON.texts())
    assert all(finding.semantic is not None for finding in found.findings)
