"""Section `distortion`: the local order parameter."""

from pydantic import Field

from lah10.config.quantities import quantity
from lah10.config.section import Section


class Distortion(Section):
    window: quantity("ps", "0.5 ps") = Field(
        "0.5 ps",
        description="Window of the local order parameter, at most `dynamics.produce`.",
    )
