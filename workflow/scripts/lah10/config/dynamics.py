"""Section `dynamics`: times of a run."""

from typing import Annotated, Literal

from pydantic import Field, TypeAdapter, model_validator

from lah10.config import section
from lah10.config.quantities import quantity, time, whole_multiples
from lah10.config.section import Section

#: Stages of molecular dynamics.
Stage = Literal["equilibrate", "produce"]

Timestep = quantity("fs", "0.5 fs", at_most=0.5)
#: Reads a time step by itself, where the rest of `dynamics` does not matter.
TIMESTEP = TypeAdapter(Timestep)


class Dynamics(Section):
    timestep: Timestep = Field("0.5 fs", description="Time step.")
    equilibrate: quantity("ps", "10 ps") = Field(
        description="Length of the equilibration, which starts from the perfect crystal."
    )
    produce: quantity("ps", "50 ps") = Field(
        description="Length of the measured run. The analysis detects and cuts what is left of "
        "equilibration."
    )
    barostat_damping: quantity("ps", "0.5 ps") = Field(
        "0.5 ps", description="Relaxation time of the cell."
    )
    thermo_interval: quantity("fs", "5 fs") = Field(
        "5 fs",
        description="Time between records of energies, cell and pressure; a whole multiple of "
        "`timestep`.",
    )
    frame_interval: quantity("fs", "20 fs") = Field(
        "20 fs",
        description="Time between stored frames of the trajectory; a whole multiple of "
        "`thermo_interval`.",
    )
    checkpoint_interval: quantity("ps", "1 ps") = Field(
        "1 ps",
        description="Time between checkpoints; a whole multiple of `thermo_interval` and "
        "`spectrum_segment`. LAMMPS is set up anew at each: another interval gives another "
        "trajectory.",
    )
    spectrum_interval: quantity("fs", "2 fs", at_most=2.5) = Field(
        "2 fs",
        description="Time between velocity samples for the vibrational density of states; a whole "
        "multiple of `timestep`.",
    )
    spectrum_segment: quantity("ps", "1 ps") = Field(
        "1 ps",
        description="Length of one Fourier segment; its inverse is the resolution in THz.",
    )
    spectrum_atoms: Annotated[int, Field(ge=1, strict=True)] = Field(
        1000, description="Most atoms of each element whose velocities are sampled."
    )

    @model_validator(mode="after")
    def _nested(self) -> "Dynamics":
        """Records, segments and checkpoints fall on whole steps, and on each other."""
        whole_multiples(
            self,
            ("thermo_interval", "timestep"),
            ("spectrum_interval", "timestep"),
            ("frame_interval", "thermo_interval"),
            ("spectrum_segment", "spectrum_interval"),
            ("checkpoint_interval", "thermo_interval"),
            ("checkpoint_interval", "spectrum_segment"),
            ("equilibrate", "thermo_interval"),
            ("produce", "thermo_interval"),
        )
        if self.spectrum_segment > self.produce:
            raise section.rule(
                "spectrum_segment",
                f"at most produce ({time(self, 'produce')})",
                time(self, "spectrum_segment"),
            )
        return self
