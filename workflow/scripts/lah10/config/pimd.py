"""Section `pimd`: path integrals at points of the grid."""

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, WithJsonSchema, model_validator

from lah10.config import section
from lah10.config.quantities import Expected, GridValue, quantity, unique, whole_multiples
from lah10.config.section import Section


def _beads(value: Any) -> tuple[int, ...]:
    """One number of beads or several, in ascending order."""
    numbers = value if isinstance(value, list | tuple) else [value]
    if not numbers or any(type(n) is not int or n < 2 for n in numbers):
        raise section.expected("a whole number >= 2, or a list of such numbers")
    return unique(tuple(sorted(numbers)))


Beads = Annotated[
    tuple[int, ...],
    BeforeValidator(_beads),
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "integer", "minimum": 2},
                {"type": "array", "items": {"type": "integer", "minimum": 2}, "minItems": 1},
            ]
        },
        mode="validation",
    ),
    Expected("whole number >= 2, or list"),
]


class PimdPoint(Section):
    pressure: GridValue = Field(description="A value of `pressure.values`.")
    temperature: GridValue = Field(description="A value of `temperature.values`, above 0.")
    beads: Beads = Field(
        description="Number of beads. Of several, all are run, which shows convergence; the "
        "largest gives the result."
    )


class Pimd(Section):
    points: tuple[PimdPoint, ...] = Field(
        (),
        description="Points of the grid for path integrals, such as `{pressure: 150, temperature: "
        "100, beads: [32, 48, 64]}`.",
    )
    start: Literal["crystal", "classical"] = Field(
        "crystal",
        description="Start of the beads: `crystal`, the perfect crystal at its static volume; "
        "`classical`, positions and cell at the end of the equilibration with the classical bath "
        "at the same point (which must be among `baths`). Equal results from both mean that "
        "`pimd.equilibrate` is long enough and no barrier is in the way.",
    )
    springs: Literal["economised", "trotter"] = Field(
        "economised",
        description="Springs between beads: `economised` springs are exact for oscillators up to "
        "`pimd.highest_frequency`; `trotter`, the usual ones, need several times more beads.",
    )
    highest_frequency: quantity("THz", "80 THz") = Field(
        "80 THz",
        description="Frequency up to which economised springs are fitted, somewhat above the "
        "highest of the crystal.",
    )
    timestep: quantity("fs", "0.5 fs", at_most=1.0) = Field("0.5 fs", description="Time step.")
    equilibrate: quantity("ps", "1 ps") = Field(
        "1 ps",
        description="Discarded part of a run; a whole multiple of `pimd.frame_interval`. The "
        "analysis detects and cuts what is left of equilibration.",
    )
    produce: quantity("ps", "5 ps") = Field(
        "5 ps", description="Measured part of a run; a whole multiple of `pimd.frame_interval`."
    )
    thermo_interval: quantity("fs", "5 fs") = Field(
        "5 fs",
        description="Time between records of energies, cell and pressure; a whole multiple of "
        "`pimd.timestep`.",
    )
    frame_interval: quantity("fs", "20 fs") = Field(
        "20 fs",
        description="Time between stored frames of centroids and beads; a whole multiple of "
        "`pimd.thermo_interval`.",
    )
    frame_beads: Annotated[int, Field(ge=1, strict=True)] = Field(
        8, description="Beads stored of each frame, about, evenly spaced on the ring."
    )
    checkpoint_interval: quantity("ps", "0.1 ps") = Field(
        "0.1 ps",
        description="Time between checkpoints; a whole multiple of `pimd.frame_interval`. i-PI is "
        "set up anew at each: another interval gives another trajectory.",
    )
    thermostat_damping: quantity("ps", "0.1 ps") = Field(
        "0.1 ps", description="Relaxation time of the centroids and of the cell's motion."
    )
    barostat_damping: quantity("ps", "0.5 ps") = Field(
        "0.5 ps",
        description="Sets the mass of the cell, N k_B T τ² with the kinetic temperature of quantum "
        "nuclei as T; no relaxation time. The cell has the temperature of the point, by Langevin's "
        "equation. No mean depends on it.",
    )

    @model_validator(mode="after")
    def _nested(self) -> "Pimd":
        whole_multiples(
            self,
            ("thermo_interval", "timestep"),
            ("frame_interval", "thermo_interval"),
            ("checkpoint_interval", "frame_interval"),
            ("equilibrate", "frame_interval"),
            ("produce", "frame_interval"),
        )
        return self

    @property
    def options(self) -> dict[str, float | int]:
        """What every run depends on, as numbers, the unit in each key."""
        return {
            "timestep_fs": self.timestep,
            "equilibrate_ps": self.equilibrate,
            "produce_ps": self.produce,
            "thermo_interval_fs": self.thermo_interval,
            "frame_interval_fs": self.frame_interval,
            "frame_beads": self.frame_beads,
            "checkpoint_interval_ps": self.checkpoint_interval,
            "thermostat_damping_ps": self.thermostat_damping,
            "barostat_damping_ps": self.barostat_damping,
        }

    @property
    def highest_THz(self) -> float | None:
        """Highest frequency to which springs are fitted, THz; None for Trotter springs."""
        return self.highest_frequency if self.springs == "economised" else None
