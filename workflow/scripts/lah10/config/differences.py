"""Section `differences`: energies between phases, learnt by the last layer after training."""

from typing import Annotated

from pydantic import BeforeValidator, Field

from lah10.config import section
from lah10.config.quantities import Expected, quantity, unique
from lah10.config.runs import Positive
from lah10.config.section import Section

TRAINED = "trained"


def _models(value: object) -> str | tuple[str, ...]:
    if value == TRAINED:
        return TRAINED
    if isinstance(value, list | tuple) and value and all(isinstance(one, str) for one in value):
        return unique(tuple(value))
    raise section.expected("trained, or a list of frozen graphs (.pb)")


class Differences(Section):
    """Energy differences between crystals of one volume, or of one pair (`last_layer`)."""

    labels: tuple[str, ...] = Field(
        (),
        description="Extended XYZ files of crystals of one cell and one mesh each, with energies. "
        "Frames of one `volume` are a group, or of one `pair` where they have that key; "
        "differences within a group are learnt. Empty: nothing is changed after training.",
    )
    models: Annotated[
        str | tuple[str, ...], BeforeValidator(_models), Expected("`trained` or list of paths")
    ] = Field(
        TRAINED,
        description="Models that are changed: `trained`, those of `seeds`; or frozen graphs, not "
        "compressed, one for each of `seeds`, with `training.json` and `lcurve.out` beside them, "
        "in place of a training.",
    )
    held_out: tuple[Annotated[float, Field(gt=0)], ...] = Field(
        (), description="Volumes (Å³ per formula unit) whose groups are compared and not learnt."
    )
    energy_error: quantity("meV", "0.05 meV") = Field(
        "0.05 meV", description="Error per atom that a difference may keep."
    )
    force_error: quantity("eV/Å", "0.02 eV/Å") = Field(
        "0.02 eV/Å",
        description="Error that a force of these crystals may keep, along a direction: where a "
        "crystal comes to rest depends on it.",
    )
    ridge: Annotated[float, Field(gt=0)] = Field(
        1.0,
        description="How strongly forces and stress hold the weights: α of the ridge regression.",
    )
    frames: Positive = Field(
        10, description="Frames of each training system that hold forces and stress, at most."
    )
    directions: Positive = Field(24, description="Directions in which a frame's force counts.")

    @property
    def graphs(self) -> tuple[str, ...]:
        """Frozen graphs in place of a training; empty: the trained models."""
        return () if self.models == TRAINED else tuple(self.models)
