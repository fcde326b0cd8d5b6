"""Code in answers: what is shown in a fixed width."""

from __future__ import annotations

import time
from itertools import pairwise

import pytest

from searchkit.text.code import code_blocks

FENCED = "Like this:\n```js\nconst a = 1\n```\nand so on"


@pytest.mark.parametrize(
    ("text", "code"),
    [
        (FENCED, ["const a = 1\n"]),
        ("Like this:\n\n    first line\n    second line\n\nand so on",
         ["    first line\n    second line\n"]),
        ("\tprint 1\n\tprint 2", ["\tprint 1\n\tprint 2"]),
        ("    only this", ["    only this"]),
        ("A list:\n    - not after a blank line", []),
        ("plain prose\n\nand more of it", []),
        ("    \n    \n", []),
        ("", []),
        ("x:\r\n\r\n    a = b\r\n", ["    a = b\r\n"]),
        ("for (let i = 0; i < 3; i++) {\n  f(i);\n}\nThat was code that looks like it, see?",
         ["for (let i = 0; i < 3; i++) {\n  f(i);\n}"]),
    ],
)  # fmt: skip
def test_code_is_found(text: str, code: list[str]) -> None:
    assert [text[start:end] for start, end in code_blocks(text)] == code


def test_blocks_that_overlap_are_one() -> None:
    text = "\n\n    ```\n    a = f(1);\n    b = f(2);\n    ```\n\n    c = f(3);\n"
    blocks = code_blocks(text)
    assert all(a[1] <= b[0] for a, b in pairwise(blocks))
    assert all("a = f(1)" in text[start:end] or start for start, end in blocks)


def test_many_lines_take_linear_time() -> None:
    start = time.perf_counter()
    code_blocks("    x\n" * 100_000 + "\n\n" * 100_000)
    assert time.perf_counter() - start < 5
