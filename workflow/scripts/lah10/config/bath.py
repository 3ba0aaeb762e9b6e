"""Sections `baths` and `bath`: the thermal baths and their parameters."""

from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from lah10.config.quantities import quantity, unique
from lah10.config.section import Section

#: Spectral segments in which an adaptive bath adapts, at least: production uses the mean γ_r of the
#: later half, and whether it has settled is read off the last third.
MIN_ADAPTATION = 12

Baths = Annotated[
    tuple[Literal["classical", "qtb", "adqtb"], ...],
    Field(min_length=1),
    AfterValidator(unique),
]


class Bath(Section):
    friction: quantity("/ps", "10 /ps") = Field(
        "10 /ps",
        description="Langevin friction γ. In a quantum bath it biases energies and dynamics; see "
        "`docs/methods/baths.md`.",
    )
    cutoff: quantity("THz", "200 THz") = Field(
        "200 THz",
        description="Highest frequency of the coloured noise, at most half the sampling rate "
        "1/timestep. The noise of the classical bath stays white.",
    )
    correction: Literal["none", "potential"] = Field(
        "none",
        description="`potential` changes the noise of quantum baths so that the potential energy "
        "of a vibration does not depend on friction or time step. The analysis corrects kinetic "
        "energies in both cases.",
    )
    shift_pressure: Annotated[bool, Field(strict=True)] = Field(
        False,
        description="Quantum baths: equilibration measures the kinetic pressure that friction "
        "adds, and production raises its pressure by that much.",
    )
    adaptation: quantity("ps", "12 ps") = Field(
        "12 ps",
        description="`adqtb`: time added to `dynamics.equilibrate`, in which the bath adapts. A "
        f"whole multiple of `dynamics.spectrum_segment`, at least {MIN_ADAPTATION} of them. "
        "`quantum_bath_reason` of a point asks for more where γ_r has not settled.",
    )
    adaptation_rate: Annotated[float, Field(gt=0, le=1, strict=True)] = Field(
        0.3,
        description="`adqtb`: share of the way to balance covered in one spectrum segment. Larger "
        "systems bear a higher rate.",
    )
