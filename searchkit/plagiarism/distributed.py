"""Detection over shards: the questions that are judged by themselves as tasks of a runner.

What a question's findings follow from is written for a worker: its answers with their vectors, what
they were given, and how common each sequence of words is in the whole corpus. The questions with
few answers are judged by what all of them are like; they stay with the detector that is here.
"""

from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from functools import lru_cache, partial
from pathlib import Path
from typing import Any

import numpy as np

from searchkit.core.records import Answer
from searchkit.encoding.distributed import load_worker_encoder
from searchkit.encoding.encoder import Encoder
from searchkit.plagiarism.detector import Detector, Given, Group
from searchkit.plagiarism.evidence import Written, embed_with
from searchkit.plagiarism.likeness import LENGTHS, Background
from searchkit.plagiarism.records import Finding
from searchkit.runners.base import Runner
from searchkit.runners.files import map_array, read_array, read_texts, write_array, write_texts

Task = tuple[str, str, dict[str, Any]]  # the background's folder, the question's, the settings


class FarDetector:
    """Lets a runner's workers look at questions for a `Detector`; each loads the model once."""

    def __init__(self, runner: Runner, model: str, fingerprint: str) -> None:
        self._folder = runner.folder
        self._workers = runner.pool(partial(load_worker_encoder, model, fingerprint))

    def look_at(self, detector: Detector, groups: Sequence[Group]) -> Iterator[Group]:
        """Look at questions as `Detector.look_at`; give each when that is done, in any order."""
        far = [group for group in groups if not group.has_few]
        for group in groups:
            if group.has_few:
                detector.look_at(group)
                yield group
        if not far:
            return
        with tempfile.TemporaryDirectory(prefix="detect-", dir=self._folder) as folder:
            path = Path(folder)
            _write_background(path, detector.background)
            settings = {
                name: getattr(detector, name)
                for name in ("max_expected", "max_common", "by_passages")
            }
            tasks = (
                _written(path, number, group, settings, detector.wanted)
                for number, group in enumerate(far)
            )
            found = self._workers.run(detect, tasks)
            for number, (group, findings) in enumerate(zip(far, found, strict=True)):
                detector.take(group, findings)
                shutil.rmtree(path / f"{number}")
                yield group


def detect(encoder: Encoder, task: Task) -> list[Finding]:
    """Find what is surprising in one question; the task of a worker."""
    folder, question, settings = task
    group, wanted = _read_group(Path(question))
    detector = Detector(embed_with(lambda: encoder), _background(folder), wanted=wanted, **settings)
    detector.look_at(group)
    return detector.findings


def _write_background(path: Path, background: Background) -> None:
    (path / "answers").write_text(str(background.answers))
    for kind, (hashes, counts) in background.known.items():
        write_array(path / f"{kind}-hashes.npy", hashes)
        write_array(path / f"{kind}-counts.npy", counts)


@lru_cache(maxsize=1)
def _background(folder: str) -> Background:
    path = Path(folder)
    known = {
        kind: (map_array(path / f"{kind}-hashes.npy"), map_array(path / f"{kind}-counts.npy"))
        for kind in LENGTHS
    }
    return Background(int((path / "answers").read_text()), known)


def _written(
    folder: Path, number: int, group: Group, settings: dict[str, Any], wanted: set[str] | None
) -> Task:
    """Write a question when a worker is free for it."""
    path = folder / f"{number}"
    path.mkdir()
    answers = [
        json.dumps(
            {
                "answer": asdict(text.answer),
                "passages": list(text.passages),
                "earlier": text.earlier,
                "wanted": wanted is None or text.answer.id in wanted,
            }
        )
        for text in group.texts
    ]
    write_texts(path / "answers.parquet", answers)
    write_array(path / "wholes.npy", np.stack([text.vector for text in group.texts]))
    write_array(path / "passages.npy", np.concatenate([text.vectors for text in group.texts]))
    for kind, hashes in group.given.sequences.items():
        write_array(path / f"given-{kind}.npy", hashes)
    (path / "question.json").write_text(json.dumps(group.question), "utf-8")
    return str(folder), str(path), settings


def _read_group(path: Path) -> tuple[Group, set[str]]:
    """Return a question as it was written, and the ids that findings are wanted of."""
    rows = [json.loads(row) for row in read_texts(path / "answers.parquet")]
    wholes, vectors = read_array(path / "wholes.npy"), read_array(path / "passages.npy")
    ends = np.cumsum([len(row["passages"]) for row in rows])[:-1]
    texts = [
        Written(
            Answer(**row["answer"]),
            whole,
            [(a, b) for a, b in row["passages"]],
            inside,
            row["earlier"],
        )
        for row, whole, inside in zip(rows, wholes, np.split(vectors, ends), strict=True)
    ]
    given = Given([])
    given.sequences = {kind: read_array(path / f"given-{kind}.npy") for kind in given.sequences}
    question = json.loads((path / "question.json").read_text("utf-8"))
    wanted = {row["answer"]["id"] for row in rows if row["wanted"]}
    return Group(question, texts, given), wanted
