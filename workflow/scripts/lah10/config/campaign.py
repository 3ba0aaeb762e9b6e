"""A campaign: all sections together, and the rules between them."""

import math
from itertools import product
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, model_validator

from lah10.config import section
from lah10.config.bath import MIN_ADAPTATION, Bath, Baths
from lah10.config.boundary import Boundary, BoundaryPotential
from lah10.config.distortion import Distortion
from lah10.config.dynamics import Dynamics, Stage
from lah10.config.grid import Pressure, Temperature
from lah10.config.pimd import Pimd
from lah10.config.potential import Potential
from lah10.config.quantities import STEP_TOLERANCE, unique
from lah10.config.section import Section
from lah10.config.structure import ATOMS_IN_CELL, Structure


class Grid(Section):
    """Baths, pressures and temperatures, and the dynamics of a point: all that a run depends on."""

    structure: Structure
    baths: Baths = Field(
        description="Thermal baths: `classical` (white noise), `qtb` (quantum thermal bath), "
        "`adqtb` (adaptive quantum thermal bath). Each takes the whole grid."
    )
    pressure: Pressure
    temperature: Temperature
    bath: Bath = Field(default_factory=Bath)
    dynamics: Dynamics
    seed: Annotated[int, Field(ge=1, le=2**31 - 1, strict=True)] = Field(
        1, description="Seed of every random number of the campaign."
    )

    @model_validator(mode="after")
    def _bath_fits_dynamics(self) -> "Grid":
        if "classical" in self.baths and "0" in self.temperature.values:
            where = self.temperature.values.index("0")
            raise section.rule(
                f"temperature.values[{where}]",
                "a number > 0 with the classical bath in `baths` (nothing moves at 0 K)",
                "0",
            )
        nyquist = 500.0 / self.dynamics.timestep
        if self.bath.cutoff > nyquist:
            raise section.rule(
                "bath.cutoff",
                f"at most {nyquist:g} THz, half the sampling rate of dynamics.timestep",
                f"{self.bath.cutoff:g} THz",
            )
        self._check_spectra_of_equilibration()
        return self

    def _check_spectra_of_equilibration(self) -> None:
        """Baths that learn from their spectra need enough of them, and whole ones."""
        segment = self.dynamics.spectrum_segment
        if "adqtb" in self.baths:
            times = self.bath.adaptation / segment
            too_few = times < MIN_ADAPTATION * (1 - STEP_TOLERANCE)
            if too_few or abs(times - round(times)) > STEP_TOLERANCE * times:
                raise section.rule(
                    "bath.adaptation",
                    f"a whole multiple of dynamics.spectrum_segment ({segment:g} ps), at least "
                    f"{MIN_ADAPTATION} of them ({MIN_ADAPTATION * segment:g} ps)",
                    f"{self.bath.adaptation:g} ps",
                )
        if self.bath.shift_pressure and self.dynamics.equilibrate < 2 * segment:
            raise section.rule(
                "dynamics.equilibrate",
                "with bath.shift_pressure at least two of dynamics.spectrum_segment "
                f"({segment:g} ps)",
                f"{self.dynamics.equilibrate:g} ps",
            )

    @property
    def n_atoms(self) -> int:
        """Atoms in the supercell."""
        return ATOMS_IN_CELL[self.structure.cell] * math.prod(self.structure.repeat)

    @property
    def points(self) -> list[tuple[str, str, str]]:
        """(bath, pressure, temperature) of every point, P and T in canonical text."""
        return list(product(self.baths, self.pressure.values, self.temperature.values))

    def duration(self, stage: Stage, bath: str) -> float:
        """Length of a stage, ps; an adaptive bath adapts when it has equilibrated."""
        extra = self.bath.adaptation if (stage, bath) == ("equilibrate", "adqtb") else 0.0
        return getattr(self.dynamics, stage) + extra

    def dynamics_options(self, stage: Stage, bath: str) -> dict[str, float]:
        """What a stage of a point depends on, as numbers, the unit in each key."""
        dynamics = self.dynamics
        options = {
            "timestep_fs": dynamics.timestep,
            "duration_ps": self.duration(stage, bath),
            "thermo_interval_fs": dynamics.thermo_interval,
            "checkpoint_interval_ps": dynamics.checkpoint_interval,
            "cell_period_ps": dynamics.cell_period,
        }
        if stage == "produce":
            options["frame_interval_fs"] = dynamics.frame_interval
        learns = bath == "adqtb" or (bath != "classical" and self.bath.shift_pressure)
        if stage == "produce" or learns:
            options |= {
                "spectrum_interval_fs": dynamics.spectrum_interval,
                "spectrum_segment_ps": dynamics.spectrum_segment,
                "spectrum_atoms": dynamics.spectrum_atoms,
            }
        return options

    def bath_options(self, stage: Stage, bath: str) -> dict[str, float | str | bool]:
        """Parameters of a bath, the unit in each key; only those that its stage depends on."""
        options = {"friction_per_ps": self.bath.friction, "cutoff_THz": self.bath.cutoff}
        if bath != "classical":
            if self.bath.correction != "none":
                options["correction"] = self.bath.correction
            if self.bath.shift_pressure:
                options["shift_pressure"] = True
        if (stage, bath) == ("equilibrate", "adqtb"):
            options["adaptation_ps"] = self.bath.adaptation
            options["adaptation_rate"] = self.bath.adaptation_rate
        return options


def _with_cubic(starts: tuple[str, ...]) -> tuple[str, ...]:
    if "cubic" not in starts:
        raise section.expected("[cubic] or [cubic, distorted]; the table is of the cubic start")
    return unique(starts)


#: Crystals that points start from.
Starts = Annotated[tuple[Literal["cubic", "distorted"], ...], AfterValidator(_with_cubic)]


def _campaign(name: str) -> str:
    if name == "potential":
        raise section.expected("any other name (results/potential is for training potentials)")
    return name


class Named(Section):
    """What has results of its own."""

    campaign: Annotated[
        str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]*$"), AfterValidator(_campaign)
    ] = Field(description="Name. Results go to `results/<campaign>/`, logs to `logs/<campaign>/`.")


class Config(Grid, Named):
    """A campaign: its grid of baths, pressures and temperatures, and how a point is run."""

    potential: Potential = Field(default_factory=Potential)
    keep_trajectories: Annotated[bool, Field(strict=True)] = Field(
        False,
        description="Keep `trajectory.nc` of an analysed point. Without it a changed analysis "
        "repeats the dynamics.",
    )
    starts: Starts = Field(
        ("cubic",),
        description="Crystals that every point of the grid starts from: `cubic`, Fm-3m, or both, "
        "`[cubic, distorted]`. `distorted` is R-3m, and its points lie in `points/distorted/`. "
        "Where the two end in different phases, `hysteresis` marks the point.",
    )
    sweep: Literal["none", "temperature"] = Field(
        "none",
        description="`temperature`: points of one bath, pressure and start are a row. Each starts "
        "from the end of its neighbour's run: `cubic` cools from the highest temperature down, "
        "`distorted` heats from the lowest up. Only the first of a row starts from a crystal. The "
        "runs of a row wait for each other. Needs both `starts`. `none`: every point starts from "
        "its crystal.",
    )
    distortion: Distortion = Field(default_factory=Distortion)
    pimd: Pimd = Field(default_factory=Pimd)
    boundary: Boundary = Field(default_factory=Boundary)
    training: str = Field(
        "config/training.yaml",
        description="File with the settings of the potential's training, below. No point depends "
        "on them.",
    )

    @model_validator(mode="after")
    def _consistent(self) -> "Config":
        if self.distortion.window > self.dynamics.produce:
            raise section.rule(
                "distortion.window",
                f"at most dynamics.produce ({self.dynamics.produce:g} ps)",
                f"{self.distortion.window:g} ps",
            )
        if self.sweep != "none" and "distorted" not in self.starts:
            raise section.rule(
                "sweep",
                "none, or `starts: [cubic, distorted]` with it (one cools, the other heats)",
                self.sweep,
            )
        self._check_pimd()
        self._check_boundary()
        return self

    def _check_boundary(self) -> None:
        """Lengths of windows fall on the records of the sections that they take them from."""
        for nuclei, name, base, interval in (
            ("classical", "dynamics", self.dynamics, "thermo_interval"),
            ("pimd", "pimd", self.pimd, "frame_interval"),
        ):
            if not self.boundary.states(nuclei):
                continue
            for stage in ("equilibrate", "produce"):
                length = getattr(getattr(self.boundary, nuclei), stage)
                step = getattr(base, interval)
                times = length * 1e3 / step
                if round(times) < 1 or abs(times - round(times)) > STEP_TOLERANCE * times:
                    raise section.rule(
                        f"boundary.{nuclei}.{stage}",
                        f"a whole multiple of {name}.{interval} ({step:g} fs)",
                        f"{length:g} ps",
                    )

    def _check_pimd(self) -> None:
        """Path integrals are compared with the baths at the same points, each once, above 0 K."""
        if self.pimd.start == "classical" and "classical" not in self.baths:
            raise section.rule(
                "pimd.start", "crystal, or the classical bath in `baths`", "classical without it"
            )
        seen = set()
        for i, point in enumerate(self.pimd.points):
            for key in ("pressure", "temperature"):
                value, grid = getattr(point, key), getattr(self, key).values
                if value not in grid:
                    raise section.rule(
                        f"pimd.points[{i}].{key}",
                        f"a value of {key}.values ({', '.join(grid)})",
                        value,
                    )
            if point.temperature == "0":
                raise section.rule(
                    f"pimd.points[{i}].temperature",
                    "a number > 0 (the number of beads grows as 1/T)",
                    "0",
                )
            if (point.pressure, point.temperature) in seen:
                raise section.rule(
                    f"pimd.points[{i}]",
                    "every point once, with a list of beads",
                    f"{point.pressure} GPa, {point.temperature} K twice",
                )
            seen.add((point.pressure, point.temperature))

    @property
    def distorted_points(self) -> list[tuple[str, str, str]]:
        """`points` that start from R-3m, too."""
        return self.points if "distorted" in self.starts else []

    def row(self, start: str) -> tuple[str, ...]:
        """Temperatures in the order in which points from a crystal run where they sweep."""
        return tuple(sorted(self.temperature.values, key=float, reverse=start == "cubic"))

    def neighbour(self, start: str, temperature: str) -> str | None:
        """Temperature at whose end a point starts; None where it starts from its crystal.

        Parameters
        ----------
        start : {"cubic", "distorted"}
        temperature : str
            K, as in the grid.
        """
        row = self.row(start)
        at = row.index(temperature)
        return row[at - 1] if self.sweep != "none" and at else None

    def window_options(self, stage: Stage) -> dict[str, float]:
        """What a stage of a window of classical nuclei depends on, as `dynamics_options`."""
        length = getattr(self.boundary.classical, stage)
        options = self.dynamics_options(stage, "classical") | {"duration_ps": length}
        del options["cell_period_ps"]  # its cell is not flexible: boundary.volume_period
        if stage == "produce":
            # Spectra of a window are not analysed; one segment must fit in.
            options["spectrum_segment_ps"] = min(options["spectrum_segment_ps"], length)
        return options

    @property
    def pimd_window_options(self) -> dict[str, float | int]:
        """What a window of path integrals depends on, as `Pimd.options`."""
        of = self.boundary.pimd
        return self.pimd.options | {"equilibrate_ps": of.equilibrate, "produce_ps": of.produce}

    @property
    def boundary_potentials(self) -> dict[str, BoundaryPotential]:
        """Potentials of the boundary by name; without any, the campaign's own as `potential`."""
        return dict(self.boundary.potentials) or {
            "potential": BoundaryPotential(model=self.potential.model)
        }

    @property
    def models(self) -> tuple[str, ...]:
        """The model in charge, then its committee."""
        return (self.potential.model, *self.potential.committee)
