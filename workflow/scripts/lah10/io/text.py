"""Numbers with errors, and tables, as text: the one place where they are made."""

import math
from collections.abc import Iterable, Sequence

#: Decimals beyond which a value is not given, however small its error.
MOST_DECIMALS = 12


def plus_minus(
    value: float, error: float | None = None, places: int | None = None, sign: str = ""
) -> str:
    """ "12.34 ± 0.05": a value and its standard error.

    Parameters
    ----------
    value : float
        NaN gives "".
    error : float, optional
        None: the value has no error and stands alone. NaN, zero or less: the error is unknown,
        which gives "12.34 ± ?".
    places : int, optional
        Decimals of both. Default: as many as the error's two leading digits have; without a known
        error the value has four significant digits.
    sign : {"", "+"}
        "+" gives a positive value its sign.
    """
    value = float(value)
    if math.isnan(value):
        return ""
    known = error is not None and math.isfinite(error) and (error > 0 or places is not None)
    if places is None and known:
        places = decimals(error)
    text = f"{value:{sign}.4g}" if places is None else f"{value:{sign}.{places}f}"
    if error is None:
        return text
    return f"{text} ± {float(error):.{places}f}" if known else f"{text} ± ?"


def decimals(error: float) -> int:
    """Decimals of the two leading digits of an error > 0: 3 for 0.053, 0 for 12."""
    return min(max(0, 1 - math.floor(math.log10(error))), MOST_DECIMALS)


def markdown(
    header: Sequence[str], rows: Iterable[Sequence[object]], aligned: bool = False
) -> str:
    """A table in Markdown. Cells stand as they are.

    Columns are in line, for a terminal, where `aligned`. Elsewhere they are not: in a file under
    version control one long cell would change every line. (`pandas.DataFrame.to_markdown` always
    aligns, and takes text that looks like a number for one.)
    """
    lines = [[str(cell) for cell in row] for row in (header, *rows)]
    columns = zip(*lines, strict=True)
    widths = [max(map(len, column)) if aligned else 0 for column in columns]
    lines.insert(1, ["-" * max(width, 3) for width in widths])
    return "\n".join(
        "| " + " | ".join(cell.ljust(w) for cell, w in zip(line, widths, strict=True)) + " |"
        for line in lines
    )


def duration(seconds: float) -> str:
    """Hours, minutes and seconds: "1:02:03"."""
    return f"{int(seconds // 3600)}:{int(seconds % 3600 // 60):02d}:{int(seconds % 60):02d}"


def aligned(rows: Sequence[Sequence[str]]) -> list[str]:
    """Lines of a table for a terminal: the first column to the left, the others to the right."""
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    return [
        "  ".join(
            cell.ljust(width) if i == 0 else cell.rjust(width)
            for i, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in rows
    ]
