"""Values with errors, and tables, as text."""

import math

import pytest

from lah10.io.text import decimals, markdown, plus_minus


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        ((12.3456, 0.051), "12.346 ± 0.051"),
        ((1234.5, 56.0), "1234 ± 56"),
        ((1234.5, 560.0), "1234 ± 560"),
        ((-1e-9, 2e-10), "-0.00000000100 ± 0.00000000020"),
        ((12.3456,), "12.35"),
        ((12.3456, None), "12.35"),
        ((12.3456, math.nan), "12.35 ± ?"),
        ((12.3456, 0.0), "12.35 ± ?"),
        ((12.3456, math.inf), "12.35 ± ?"),
        ((math.nan, 0.1), ""),
        ((12.3456, 0.051, 1), "12.3 ± 0.1"),
        ((12.3456, 0.0, 1), "12.3 ± 0.0"),
        ((12.3456, math.nan, 1), "12.3 ± ?"),
        ((12.3456, None, 1), "12.3"),
        ((1.2, 0.5, None, "+"), "+1.20 ± 0.50"),
        ((-1.2, math.nan, None, "+"), "-1.2 ± ?"),
    ],
)
def test_plus_minus(arguments, text):
    assert plus_minus(*arguments) == text


def test_decimals_of_an_error():
    assert [decimals(x) for x in (0.053, 0.1, 1.0, 9.9, 10.0, 123.0)] == [3, 2, 1, 1, 0, 0]


@pytest.mark.parametrize("aligned", [False, True])
def test_a_table_keeps_its_cells(aligned):
    text = markdown(["θ (°)", "name"], [["1.20 ± 0.50", "a"], ["007", 3], ["", "b"]], aligned)
    lines = text.splitlines()
    assert (len({len(line) for line in lines}) == 1) == aligned
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
    assert set(lines[1]) == {"|", "-", " "}
    assert [cells[0], *cells[2:]] == [
        ["θ (°)", "name"], ["1.20 ± 0.50", "a"], ["007", "3"], ["", "b"],
    ]  # fmt: skip


def test_a_table_without_rows_has_its_header():
    assert markdown(["a", "b"], []).splitlines() == ["| a | b |", "| --- | --- |"]


def test_rows_have_the_columns_of_the_header():
    with pytest.raises(ValueError, match="zip"):
        markdown(["a", "b"], [["1"]])
