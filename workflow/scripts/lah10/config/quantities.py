"""Numbers of the configuration: quantities with a unit, values of a grid, times that nest.

A quantity is a string with its one unit ("0.5 fs"); it is read, never converted. Values of a grid
are decimal numbers; their canonical text (`canonical`) names folders and decides what is equal.
"""

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, Field, PlainSerializer, WithJsonSchema

from lah10.config import section
from lah10.config.section import Section

#: Times of `dynamics` and `pimd` that are given in fs; the others are in ps.
FEMTOSECONDS = {"timestep", "thermo_interval", "frame_interval", "spectrum_interval"}
#: Whole multiples are recognised in spite of decimal fractions in binary.
STEP_TOLERANCE = 1e-9

NUMBER = r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?"


@dataclass(frozen=True)
class Expected:
    """What a value must be, in words; the table of keys shows it."""

    text: str


def canonical(value: int | float | str) -> str:
    """Decimal text without trailing zeros or exponent: 150.0 -> "150", "1.50" -> "1.5".

    Raises
    ------
    ValueError
        `value` is no finite decimal number.
    """
    if isinstance(value, bool):
        raise ValueError(value)
    try:
        number = Decimal(str(value).strip())
    except InvalidOperation:
        raise ValueError(value) from None
    if not number.is_finite():
        raise ValueError(value)
    return format(number.normalize() + 0, "f")  # + 0 turns -0 into 0


def quantity(unit: str, example: str, at_most: float = math.inf) -> Any:
    """Annotated float > 0 read from a string "<number> <unit>"."""
    pattern = rf"^\s*({NUMBER})\s*{re.escape(unit)}\s*$"
    bound = "" if math.isinf(at_most) else f" and <= {at_most:g}"

    def read(value: Any) -> float:
        match = re.match(pattern, value) if isinstance(value, str) else None
        if match is None:
            raise section.expected(f'a number with the unit {unit}, such as "{example}"')
        number = float(match[1])
        if not 0 < number <= at_most or math.isinf(number):
            raise section.expected(f"a value > 0{bound} {unit}")
        return number

    schema = {"type": "string", "pattern": pattern, "examples": [example]}
    return Annotated[
        float,
        BeforeValidator(read),
        PlainSerializer(lambda number: f"{canonical(number)} {unit}"),
        WithJsonSchema(schema, mode="validation"),
        Expected(unit if math.isinf(at_most) else f"<= {at_most:g} {unit}"),
    ]


def unique(values: Sequence) -> Sequence:
    """The values, each of which must occur once."""
    for i, value in enumerate(values):
        if value in values[:i]:
            raise section.problem(f"expected every value once, got {value} twice")
    return values


def _grid_value(value: Any) -> str:
    try:
        text = canonical(value)
    except ValueError:
        raise section.expected("a plain number (the unit has its own key)") from None
    if Decimal(text) < 0:
        raise section.expected("a number >= 0")
    return text


GridValue = Annotated[
    str, BeforeValidator(_grid_value), WithJsonSchema({"type": "number", "minimum": 0})
]
GridValues = Annotated[tuple[GridValue, ...], Field(min_length=1), AfterValidator(unique)]


def time(section: Section, key: str) -> str:
    """A time of a section with its unit."""
    return f"{getattr(section, key):g} {'fs' if key in FEMTOSECONDS else 'ps'}"


def whole_multiples(times: Section, *pairs: tuple[str, str]) -> None:
    """The first time of each pair must be a whole multiple of the second."""
    for key, base in pairs:
        first, second = (
            getattr(times, name) * (1.0 if name in FEMTOSECONDS else 1e3) for name in (key, base)
        )
        ratio = first / second
        if round(ratio) < 1 or abs(ratio - round(ratio)) > STEP_TOLERANCE * ratio:
            raise section.rule(
                key, f"a whole multiple of {base} ({time(times, base)})", time(times, key)
            )
