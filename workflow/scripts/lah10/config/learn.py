"""Section `learn`: active learning."""

from typing import Annotated, ClassVar

from pydantic import BeforeValidator, Field, model_validator

from lah10.config import section
from lah10.config.bath import Baths
from lah10.config.campaign import Grid
from lah10.config.dynamics import Dynamics
from lah10.config.grid import Pressure, Temperature
from lah10.config.quantities import STEP_TOLERANCE, Expected, quantity, unique
from lah10.config.runs import Positive, Run, Share
from lah10.config.section import Section
from lah10.config.structure import Structure

#: The source that active learning adds to those of the split.
LEARNT = "learn"


class Explore(Grid):
    """Where active learning looks for structures: runs like those of a campaign."""

    structure: Structure = Field(
        default_factory=lambda: Structure(repeat=(1, 1, 1)),
        description="Crystal to repeat.",
    )
    baths: Baths = Field(
        ("classical", "qtb"), description="Thermal baths; each takes the whole grid."
    )
    pressure: Pressure = Field(
        default_factory=lambda: Pressure(values=(100, 150, 200, 250, 300)),
        description="Pressures of the grid.",
    )
    temperature: Temperature = Field(
        default_factory=lambda: Temperature(values=(20, 200, 600)),
        description="Temperatures of the grid.",
    )
    dynamics: Dynamics = Field(
        default_factory=lambda: Dynamics(
            equilibrate="0.5 ps", produce="2 ps", frame_interval="50 fs"
        ),
        description="Times of a run.",
    )

    @model_validator(mode="after")
    def _some_frames(self) -> "Explore":
        if self.frames < 1:
            raise section.rule(
                "dynamics.frame_interval",
                f"at most produce ({self.dynamics.produce:g} ps), or no frame is stored",
                f"{self.dynamics.frame_interval:g} fs",
            )
        return self

    @property
    def frames(self) -> int:
        """Frames that are stored of a point."""
        return int(1000 * self.dynamics.produce / self.dynamics.frame_interval + STEP_TOLERANCE)


class Retrain(Run):
    """How every model goes on when a round brought new labels."""

    input: str = Field(
        "resources/potentials/lah10/learn.json",
        description="Input of deepmd-kit without data, steps and seeds.",
    )
    steps: Positive = Field(
        8000,
        description="Training steps of every model in a round, a multiple of `checkpoint_steps`.",
    )
    share: Share = Field(
        0.3,
        description="Share of these steps for the labels of all rounds together, beside `shares`.",
    )


def _models(value: object) -> str | tuple[str, ...]:
    if value in ("none", "trained"):
        return value
    if (
        isinstance(value, list | tuple)
        and len(value) >= 2
        and all(isinstance(one, str) for one in value)
    ):
        return unique(tuple(value))
    raise section.expected("none, trained, or a list of at least two frozen graphs (.pb)")


class Learn(Section):
    """Active learning: explore, select where a committee disagrees, label, retrain."""

    RENAMED: ClassVar[dict[str, str]] = {"scale": "same_reference_as"}

    models: Annotated[
        str | tuple[str, ...], BeforeValidator(_models), Expected("`none`, `trained` or list")
    ] = Field(
        "none",
        description="Committee at the start: at least two frozen graphs, not compressed, that "
        "`learn.retrain.input` describes; or `trained`, the models of `seeds`. The first model "
        "explores.",
    )
    rounds: Positive = Field(4, description="Most rounds.")
    share: Annotated[float, Field(gt=0, lt=1, strict=True)] = Field(
        0.02,
        description="Learning ends when the share of frames with a force deviation above "
        "`learn.lower` is below this. Frames lost because a run broke down count as above.",
    )
    lower: quantity("eV/Å", "0.25 eV/Å") = Field(
        "0.25 eV/Å",
        description="Force deviation (largest of a frame's atoms, as `model_deviation`) from "
        "which on a frame may be labelled.",
    )
    upper: quantity("eV/Å", "1 eV/Å") = Field(
        "1 eV/Å",
        description="Force deviation from which on a frame is not labelled, because the structure "
        "itself is in doubt. Such frames are counted as `beyond`.",
    )
    labels: Positive = Field(
        20,
        description="Most structures labelled in a round, as `labels.gpaw` says. Slurm groups "
        "their jobs by the name `label_selected`.",
    )
    same_reference_as: str = Field(
        "lah10-gpaw-pbe",
        description="Source of the split whose offsets in `alignment` and `pulay_pv_per_atom` "
        "hold for the new labels: one with `shared_energy_reference`, computed with the settings "
        "of `labels.gpaw`.",
    )
    retrain: Retrain = Field(default_factory=Retrain, description="Training in a round.")
    explore: Explore = Field(
        default_factory=Explore,
        description="Runs of a round: the keys `structure`, `baths`, `pressure`, `temperature`, "
        "`bath`, `dynamics` and `seed` of a campaign. Keep the cell small: GPAW labels 11 to 44 "
        "atoms in minutes.",
    )

    @model_validator(mode="after")
    def _bounds(self) -> "Learn":
        if self.lower >= self.upper:
            raise section.rule(
                "lower", f"less than upper ({self.upper:g} eV/Å)", f"{self.lower:g} eV/Å"
            )
        return self
