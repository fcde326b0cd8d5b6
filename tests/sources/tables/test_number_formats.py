"""Numbers of a workbook are read as its cells show them."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import openpyxl
import pytest
from helpers.source_files import read

from searchkit.sources.tables.workbooks.number_formats import FormattedCells, shown_number


@pytest.mark.parametrize(
    ("value", "code", "shown"),
    [
        (7, "000000", "000007"), (12345678, "000000", "12345678"), (0, "00", "00"),
        (7, '"S"000', "S007"), (8, '0" Punkte"', "8 Punkte"), (1234567, "000-0000", "123-4567"),
        (7.5, "000", "7.5"), (-7, "000", "-7"), (0.75, "0%", "75%"), (0.755, "0%", "75.5%"),
        (1, "0.00%", "100%"), (0.075, "#,##0.0 %", "7.5%"),
    ],
)  # fmt: skip
def test_numbers_are_shown_without_loss(value: float, code: str, shown: str) -> None:
    assert shown_number(value, code) == shown


def test_formats_of_cells_in_a_workbook(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    sheet = book.active
    sheet.append(["id", "answer", "mark", "rate", "day", "n"])
    for row, number in enumerate((7, 42), 2):
        sheet.append([number, f"x{number}", number / 100, 0.5, date(2025, 8, number % 30), number])
        sheet.cell(row, 1).number_format = "000000;-000000"
        sheet.cell(row, 3).number_format = "0.00%"
        sheet.cell(row, 4).number_format = "0.00"
    sheet.cell(3, 1).number_format = "General"
    book.save(path := tmp_path / "a.xlsx")
    first, second = read(path)
    assert (first.id, second.id) == ("000007", "42")
    assert first.submitted_at in ("2025-08-07", None)
    assert {name: first.meta[name] for name in ("mark", "rate", "n")} == {
        "mark": "7%", "rate": "0.5", "n": "7"
    }  # fmt: skip


def test_runs_of_formatted_cells() -> None:
    cells = FormattedCells({1: "00", 2: "0%"})
    for row, style in enumerate("1112010", 1):
        cells.add(row, 0, style)
    shown = []
    for row in range(1, 9):
        values: list[object] = [1.0, 1.0] if row != 2 else ["text", True]
        cells.show(row, values)
        shown.append(values[0])
    assert shown == ["01", "text", "01", "100%", 1.0, "01", 1.0, 1.0]
