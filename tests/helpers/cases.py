"""The made-up files of `../shared/cases`, a file a kind of trouble; tests skip where it isn't."""

from pathlib import Path

import pytest

CASES = Path(__file__).parents[2].parent / "shared" / "cases"


def case(name: str) -> Path:
    """Return the path of a case; skips the test where there are none."""
    if not CASES.is_dir():
        pytest.skip(f"the files of {CASES.name} are not here")
    return CASES / name
