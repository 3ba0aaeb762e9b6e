"""The section `boundary`: free energies along the cell's angle, `snakemake boundary`."""

from decimal import Decimal
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field, WithJsonSchema, model_validator

from lah10.config import section
from lah10.config.quantities import Expected, GridValue, quantity, unique
from lah10.config.section import Section

#: Windows at δ > 0 that a curve needs, and the largest angle, degree: R-3m has at most 3° from 100
#: GPa on, and beyond the largest no crystal of LaH10 is stable.
FEWEST, LARGEST_ANGLE = 4, 8
#: What stands for the published potential, which a rule fetches, and the pressure, GPa, up to which
#: its authors trained it.
PUBLISHED, PUBLISHED_UP_TO = "published", "215"


def _angles(values: tuple[str, ...]) -> tuple[str, ...]:
    if any(Decimal(text) > LARGEST_ANGLE for text in values):
        raise section.expected(
            f"angles of at most {LARGEST_ANGLE} degree (R-3m LaH10 has 1 to 3; no crystal is "
            "stable beyond)"
        )
    if sum(Decimal(text) > 0 for text in values) < FEWEST:
        raise section.expected(f"at least {FEWEST} angles above 0 for the integral's error")
    return tuple(sorted(unique(values), key=Decimal))


def _above_zero(text: str) -> str:
    if Decimal(text) == 0:
        raise section.expected(
            "a temperature > 0 (thermodynamic integration needs thermal motion; at 0 K static "
            "enthalpies serve)"
        )
    return text


Angles = Annotated[
    tuple[GridValue, ...],
    AfterValidator(_angles),
    Expected(f"list of at least {FEWEST} above 0: degrees <= {LARGEST_ANGLE}"),
    WithJsonSchema(
        {
            "type": "array",
            "items": {"type": "number", "minimum": 0, "maximum": LARGEST_ANGLE},
            "minItems": FEWEST,
        },
        mode="validation",
    ),
]
Kelvin = Annotated[GridValue, AfterValidator(_above_zero)]
Values = Annotated[tuple[GridValue, ...], AfterValidator(unique)]
KelvinValues = Annotated[tuple[Kelvin, ...], AfterValidator(unique)]


class BoundaryClassical(Section):
    pressure: Values = Field((), description="Pressures of classical nuclei, GPa.")
    temperature: KelvinValues = Field(
        (), description="Temperatures of classical nuclei, K, above 0; each at every pressure."
    )
    equilibrate: quantity("ps", "0.5 ps") = Field(
        "0.5 ps", description="Discarded part of a window's run."
    )
    produce: quantity("ps", "2.5 ps") = Field("2.5 ps", description="Measured part.")


class BoundaryState(Section):
    pressure: GridValue = Field(description="Pressure, GPa.")
    temperature: Kelvin = Field(description="Temperature, K, above 0.")
    beads: Annotated[int, Field(ge=2, strict=True)] = Field(description="Beads of every atom.")


class BoundaryPimd(Section):
    points: tuple[BoundaryState, ...] = Field(
        (), description="States of quantum nuclei, by path integrals. Time step, springs, "
        "intervals and thermostat are those of `pimd`."
    )
    equilibrate: quantity("ps", "0.5 ps") = Field(
        "0.5 ps", description="Discarded part of a window's run."
    )
    produce: quantity("ps", "2 ps") = Field("2 ps", description="Measured part.")

    @model_validator(mode="after")
    def _once(self) -> "BoundaryPimd":
        states = [(point.pressure, point.temperature) for point in self.points]
        for i, state in enumerate(states):
            if state in states[:i]:
                raise section.rule(
                    f"points[{i}]", "every state once", f"{state[0]} GPa, {state[1]} K twice"
                )
        return self


class BoundaryPotential(Section):
    model: str = Field(
        description="Frozen DeePMD graph, or `published`: the model of Ly and Ceperley, fetched "
        "at its pinned commit."
    )
    highest_pressure: GridValue | None = Field(
        None,
        description="GPa, above which it has no windows; by default 215 for `published`, the "
        "highest of its data, and no limit for others.",
    )

    @property
    def up_to(self) -> Decimal | None:
        """Highest pressure, GPa; None: any."""
        if self.highest_pressure is not None:
            return Decimal(self.highest_pressure)
        return Decimal(PUBLISHED_UP_TO) if self.model == PUBLISHED else None


Name = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]*$")]


class Boundary(Section):
    angles: Angles = Field(
        ("0", "0.4", "0.8", "1.2", "1.6", "2", "2.4"),
        description="Windows of `snakemake boundary`: the three conventional cell angles less 90 "
        "degree. A window at 0 serves the volume and the enthalpy of the cubic phase.",
    )
    classical: BoundaryClassical = Field(
        default_factory=BoundaryClassical, description="Classical nuclei."
    )
    pimd: BoundaryPimd = Field(default_factory=BoundaryPimd, description="Quantum nuclei.")
    potentials: dict[Name, BoundaryPotential] = Field(
        {},
        description="Potentials by name, each `{model: ...}` and, where it must not go higher, "
        "`highest_pressure` (GPa). A model is a frozen DeePMD graph or `published`, the model of "
        "Ly and Ceperley, fetched at its pinned commit and used up to 215 GPa. Without any: "
        "`potential.model`, named `potential`. The spread between them is the systematic error.",
    )
    volume_period: quantity("ps", "0.2 ps") = Field(
        "0.2 ps",
        description="Period, about, of the volume's oscillation, by which its mass is set. No "
        "mean depends on it.",
    )

    @model_validator(mode="before")
    @classmethod
    def _sampled(cls, content: Any) -> Any:
        for bath in ("qtb", "adqtb"):
            if isinstance(content, dict) and bath in content:
                raise section.problem(
                    f"{bath}: expected classical or pimd; a quantum thermal bath has no free "
                    "energy: the density that it samples is not exp(-G/kT) of any G, so its mean "
                    "stress is no derivative of one"
                )
        return content

    def states(self, nuclei: Literal["classical", "pimd"]) -> list[tuple[str, str]]:
        """(pressure, temperature) of every state, canonical."""
        if nuclei == "classical":
            of = self.classical
            return [(p, t) for p in of.pressure for t in of.temperature]
        return [(point.pressure, point.temperature) for point in self.pimd.points]

    def beads(self, pressure: str, temperature: str) -> int:
        """Beads of the path integrals at a state."""
        states = {(point.pressure, point.temperature): point.beads for point in self.pimd.points}
        return states[pressure, temperature]

    def runs(self, models: dict[str, BoundaryPotential]) -> list[tuple[str, str, str, str]]:
        """(potential, nuclei, pressure, temperature) of every curve."""
        return [
            (name, nuclei, p, t)
            for name, potential in models.items()
            for nuclei in ("classical", "pimd")
            for p, t in self.states(nuclei)
            if potential.up_to is None or Decimal(p) <= potential.up_to
        ]
