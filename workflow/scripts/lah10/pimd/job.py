"""What a path-integral run is asked to do: its description, its seed and its fingerprint."""

import hashlib
import json
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

from lah10.bath.bath import expected_temperature
from lah10.dynamics.records import versions
from lah10.io.files import sha256
from lah10.pimd import ipi_input

#: The deep potential's driver.
DEEP_POTENTIAL = str(Path(__file__).with_name("deep_potential.py"))


@dataclass(frozen=True)
class PimdJob:
    """One run of one point with one number of beads; written as JSON for the process that runs it.

    Attributes
    ----------
    pressure_GPa : float or None
        None keeps the cell of `start`.
    temperature_K : float
    beads : int
    highest_THz : float or None
        Up to which economised springs are fitted; None: Trotter springs.
    start : str
        Structure to start from (any format of ASE with a cell, a along x and b in xy), first
        brought to the volume at which its static pressure is the one wanted.
    restart, equilibration : str or None
        LAMMPS restart file of a classical run of the same atoms, whose positions and cell all beads
        begin with in place of those of `start`, and its time series; a run that failed there fails
        here.
    driver : str
        Python file with the potential-energy surface, as i-PI loads it.
    driver_options : dict
        Its parameters. Paths among them count by their content.
    outputs : dict
        Paths: thermo, centroids, beads (NetCDF), xml (i-PI's input) and start (its structure).
    scratch : str
        Folder of the checkpoints, in which i-PI runs.
    dynamics : dict
        timestep_fs, equilibrate_ps, produce_ps, thermo_interval_fs, frame_interval_fs,
        checkpoint_interval_ps, thermostat_damping_ps, barostat_damping_ps, frame_beads.
    seed : int
    campaign : str
    config_json : str
        The campaign's configuration, kept with the results.
    held_shape : dict or None
        Of a run whose cell keeps the shape of `start` and changes its volume alone: angle_degree,
        its angle δ (`crystal.angle`), and volume_damping_ps, i-PI's relaxation time of the cell.
    """

    pressure_GPa: float | None
    temperature_K: float
    beads: int
    highest_THz: float | None
    start: str
    outputs: dict
    scratch: str
    dynamics: dict
    seed: int
    campaign: str = ""
    driver: str = DEEP_POTENTIAL
    driver_options: dict = field(default_factory=dict)
    config_json: str = "{}"
    restart: str | None = None
    equilibration: str | None = None
    held_shape: dict | None = None

    @property
    def name(self) -> str:
        pressure = "" if self.pressure_GPa is None else f" P{self.pressure_GPa:g}"
        shape = f" at {self.held_shape['angle_degree']:g} degree" if self.held_shape else ""
        return f"pimd{pressure} T{self.temperature_K:g}{shape} {self.beads} beads"

    @property
    def rule(self) -> str:
        """Name of the rule that runs it, by which a rerun is forced."""
        return "boundary_pimd" if self.held_shape else "pimd_run"

    def random_seed(self) -> int:
        """A seed that belongs to this campaign's seed and this run alone."""
        of = [self.seed, "pimd", self.pressure_GPa, self.temperature_K, self.beads,
              self.highest_THz]  # fmt: skip
        if self.held_shape:
            of.append(self.held_shape["angle_degree"])
        return int.from_bytes(hashlib.sha256(json.dumps(of).encode()).digest()[:4], "big") >> 2

    def steps(self, name: str) -> int:
        """A time of `dynamics` (its key, in fs or ps) as a whole number of time steps."""
        value = self.dynamics[name] * (1000 if name.endswith("_ps") else 1)
        return max(1, round(value / self.dynamics["timestep_fs"]))

    @property
    def total_steps(self) -> int:
        return self.steps("equilibrate_ps") + self.steps("produce_ps")

    def barostat_fs(self, heavier: float = 1.0) -> float:
        """i-PI's relaxation time of the cell, fs; `heavier` as in `expected_temperature`.

        i-PI gives the cell the mass N k_B T τ². The campaign's damping is meant with the kinetic
        temperature of quantum nuclei in place of T, as for the baths: else a cell at 100 K would
        be so light that it swings faster than the protons.
        """
        if self.held_shape:
            return 1000 * self.held_shape["volume_damping_ps"]
        kinetic = expected_temperature("qtb", self.temperature_K, heavier)
        ratio = kinetic / self.temperature_K
        return 1000 * self.dynamics["barostat_damping_ps"] * math.sqrt(ratio)

    def xml(
        self,
        start: str,
        driver: str,
        options: dict,
        masses: Sequence[float] | None = None,
        heavier: float = 1.0,
    ) -> str:
        """i-PI's input, with these paths in it.

        masses : (n,) g/mol; None: i-PI's own of the elements.
        heavier : as in `barostat_fs`.
        """
        return ipi_input.simulation(
            beads=self.beads,
            temperature=self.temperature_K,
            pressure=self.pressure_GPa,
            highest_frequency=self.highest_THz,
            steps=self.total_steps,
            timestep=self.dynamics["timestep_fs"],
            thermo_every=self.steps("thermo_interval_fs"),
            frame_every=self.steps("frame_interval_fs"),
            frame_beads=self.dynamics["frame_beads"],
            thermostat=1000 * self.dynamics["thermostat_damping_ps"],
            barostat=self.barostat_fs(heavier),
            seed=self.random_seed(),
            start=start,
            driver=driver,
            driver_options=options,
            hold_shape=self.held_shape is not None,
            masses=masses,
        )

    def fingerprint(self, digest: Callable[[str], str] = sha256) -> str:
        """Hash of everything that decides the run's numbers, the content of its inputs included.

        digest : of a file's content; another one may remember what it has read.
        """
        said = asdict(self)
        for silent in ("outputs", "scratch", "campaign", "config_json"):
            del said[silent]
        if said["held_shape"] is None:
            del said["held_shape"]
        for name in ("restart", "equilibration"):
            path = said.pop(name)
            if path:
                said[name] = digest(path)
        said["versions"] = [versions(), ipi_version()]
        said["start"], said["driver"] = digest(self.start), digest(self.driver)
        said["driver_options"] = {
            key: digest(value) if isinstance(value, str) and Path(value).is_file() else value
            for key, value in self.driver_options.items()
        }
        return hashlib.sha256(json.dumps(said, sort_keys=True).encode()).hexdigest()


def described(
    point: tuple[str, str],
    beads: int,
    files: Mapping[str, str],
    *,
    highest_THz: float | None,
    dynamics: Mapping[str, float],
    seed: int,
    **others,
) -> dict:
    """A run of the deep potential at (pressure, temperature), GPa and K, as arguments of `PimdJob`.

    Parameters
    ----------
    files : mapping
        supercell, model and, where the run starts from a classical state, restart and
        equilibration, by the names that they have in the rule; crystal, where it starts from
        another one than the supercell.
    others
        Further arguments.
    """
    pressure, temperature = point
    return {
        "pressure_GPa": float(pressure),
        "temperature_K": float(temperature),
        "beads": beads,
        "highest_THz": highest_THz,
        "start": files.get("crystal", files["supercell"]),
        "restart": files.get("restart"),
        "equilibration": files.get("equilibration"),
        "driver_options": {"model": files["model"], "template": files["supercell"]},
        "dynamics": dict(dynamics),
        "seed": seed,
    } | others


def ipi_version() -> str:
    from importlib.metadata import version

    return version("ipi")
