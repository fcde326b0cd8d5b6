"""What the tests of the server share: an index with the toy encoder; a pool of it, a client of it.

A file whose tests need other answers, or another index, has its own fixture `answers` or `folder`.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from helpers.serving import client_of, make_index, toy
from starlette.testclient import TestClient

from searchkit import Answer
from searchkit.web.index_pool import IndexPool

__all__ = ["toy"]


@pytest.fixture
def folder(tmp_path: Path, answers: list[Answer], toy: None) -> Path:
    return make_index(tmp_path / "index", answers)


@pytest.fixture
def pool(folder: Path) -> Iterator[IndexPool]:
    pool = IndexPool.open(folder)
    yield pool
    pool.close()


@pytest.fixture
def client(folder: Path) -> Iterator[TestClient]:
    with client_of(folder) as client:
        yield client
