"""Section `dynamics`: times of a run."""

from typing import Annotated, Any, Literal

from pydantic import Field, TypeAdapter, model_validator

from lah10.config import section
from lah10.config.quantities import quantity, time, whole_multiples
from lah10.config.section import Section

#: Stages of molecular dynamics.
Stage = Literal["equilibrate", "produce"]

#: fs: with it `lah10.bath.timestep` is within its limit.
LONGEST_STEP = 0.75
Timestep = quantity("fs", "0.5 fs", at_most=LONGEST_STEP)
#: Reads a time step by itself, where the rest of `dynamics` does not matter.
TIMESTEP = TypeAdapter(Timestep)


#: ps: 2 THz, below the phonons of cells of a few dozen atoms and more.
SHORTEST_CELL_PERIOD = 0.5


class Dynamics(Section):
    timestep: Timestep = Field(
        "0.5 fs",
        description="Time step. `snakemake plan` prints what it does to energies, volume and ΔG: "
        "the stiffest vibration's potential energy is 1.2 % too large at 0.5 fs and 2.7 % at "
        "0.75 fs, where 3 % is the limit.",
    )
    equilibrate: quantity("ps", "10 ps") = Field(
        description="Length of the equilibration, which starts from the perfect crystal, or in a "
        "`sweep` from the end of another run."
    )
    produce: quantity("ps", "50 ps") = Field(
        description="Length of the measured run. The analysis detects and cuts what is left of "
        "equilibration."
    )
    cell_period: quantity("ps", "0.6 ps") = Field(
        "0.6 ps",
        description="Period of the volume's oscillation, about, which sets the mass of the cell: "
        "of a crystal of 550 GPa and 3 Å³ an atom; shears swing two to six times slower. At least "
        f"{SHORTEST_CELL_PERIOD:g} ps, so that the cell stays below the phonons. The cell has the "
        "temperature of the bath, by a stochastic thermostat. No mean depends on it.",
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

    @model_validator(mode="before")
    @classmethod
    def _cell_has_a_period(cls, content: Any) -> Any:
        if isinstance(content, dict) and "barostat_damping" in content:
            raise section.rule(
                "barostat_damping",
                "cell_period in its place, the period of the volume's oscillation, such as 0.6 ps "
                "(the old key was no relaxation time: it set the cell's mass by the atoms' kinetic "
                "temperature; the cell moves otherwise now, so points are run again)",
                str(content["barostat_damping"]),
            )
        return content

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
        if self.cell_period < SHORTEST_CELL_PERIOD:
            raise section.rule(
                "cell_period",
                f"at least {SHORTEST_CELL_PERIOD:g} ps, below the frequencies of the phonons",
                time(self, "cell_period"),
            )
        if self.spectrum_segment > self.produce:
            raise section.rule(
                "spectrum_segment",
                f"at most produce ({time(self, 'produce')})",
                time(self, "spectrum_segment"),
            )
        return self
