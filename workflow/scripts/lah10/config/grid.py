"""Sections `pressure` and `temperature`: the grid."""

from typing import Literal

from pydantic import Field

from lah10.config.quantities import GridValues
from lah10.config.section import Section


class Pressure(Section):
    unit: Literal["GPa"] = Field("GPa", description="Unit of the pressures.")
    values: GridValues = Field(
        description="Pressures, each once; 150 and 150.0 are the same. The folder of a point is "
        "named after them."
    )


class Temperature(Section):
    unit: Literal["K"] = Field("K", description="Unit of the temperatures.")
    values: GridValues = Field(
        description="Temperatures, each once. The classical bath needs values above 0."
    )
