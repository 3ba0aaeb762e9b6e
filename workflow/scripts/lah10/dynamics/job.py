"""What a run is asked to do: the job's description, its seeds and its fingerprint."""

import hashlib
import json
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

import xarray as xr

from lah10.dynamics.records import versions
from lah10.io.files import sha256


@dataclass(frozen=True)
class Job:
    """One stage of one grid point; written as JSON for the process that runs it.

    Attributes
    ----------
    stage : {"equilibrate", "produce"}
    bath : {"classical", "qtb", "adqtb"}
    pressure_GPa, temperature_K : float
    supercell : str
        Perfect supercell, extended XYZ (template of the sites, order of the tags).
    supercell_data : str
        The same as a LAMMPS data file.
    restart_in : str or None
        LAMMPS restart to start from; None: the crystal ("equilibrate" alone).
    equilibration : str or None
        Time series of the stage before: to produce, of the equilibration, where an adaptive bath
        finds its γ_r; to equilibrate from `restart_in`, of the neighbour's production.
    outputs : dict
        Paths: thermo, commands, and restart (equilibrate) or spectra, trajectory and, where a
        neighbour goes on from its end, produced (produce).
    scratch : str
        Folder of the stage's checkpoints.
    potential : dict
        model: path, committee: list of paths.
    bath_options : dict
        friction_per_ps, cutoff_THz; where it is not "none", correction; where production shifts
        its pressure, shift_pressure; for an adaptive bath adaptation_rate and, to equilibrate,
        adaptation_ps, the last part of the stage, in which it adapts.
    dynamics : dict
        timestep_fs, duration_ps, thermo_interval_fs, frame_interval_fs, checkpoint_interval_ps,
        cell_period_ps (of a flexible cell), spectrum_interval_fs, spectrum_segment_ps,
        spectrum_atoms.
    seed : int
    campaign : str
    config_json : str
        The campaign's configuration, kept with the results.
    mpi_ranks : int
    held_shape : dict or None
        Of a run whose cell keeps its shape and changes its volume alone: angle_degree, the angle δ
        of `supercell_data` (`crystal.angle`), and volume_damping_ps, which sets the mass of the
        volume (`lammps_input.volume_barostat`).
    start : {"cubic", "distorted"}
        The crystal in `supercell_data`: Fm-3m, or R-3m on its sites.
    """

    stage: str
    bath: str
    pressure_GPa: float
    temperature_K: float
    supercell: str
    supercell_data: str
    outputs: dict
    scratch: str
    potential: dict
    bath_options: dict
    dynamics: dict
    seed: int
    campaign: str
    restart_in: str | None = None
    equilibration: str | None = None
    config_json: str = "{}"
    mpi_ranks: int = 1
    held_shape: dict | None = None
    start: str = "cubic"

    @property
    def name(self) -> str:
        shape = f" at {self.held_shape['angle_degree']:g} degree" if self.held_shape else ""
        shape += "" if self.start == "cubic" else f" from the {self.start} crystal"
        return f"{self.bath} P{self.pressure_GPa:g} T{self.temperature_K:g}{shape} {self.stage}"

    @property
    def rule(self) -> str:
        """Name of the rule that runs it, by which a rerun is forced."""
        if self.start != "cubic":
            return f"{self.stage}_{self.start}"
        return f"boundary_{self.stage}" if self.held_shape else self.stage

    def number(self, purpose: str, bits: int) -> int:
        """A number of so many bits that belongs to this seed, point, stage and purpose alone."""
        of = [self.seed, self.stage, self.bath, self.pressure_GPa, self.temperature_K, purpose]
        if self.held_shape:
            of.append(self.held_shape["angle_degree"])
        if self.start != "cubic":
            of.append(self.start)
        digest = hashlib.sha256(json.dumps(of).encode()).digest()
        return int.from_bytes(digest[:8], "big") >> (64 - bits)

    def fingerprint(self, digest: Callable[[str], str] = sha256) -> str:
        """Hash of everything that decides the run's numbers, the content of its inputs included.

        digest : of a file's content; another one may remember what it has read.
        """
        said = asdict(self)
        for silent in ("outputs", "scratch", "campaign", "config_json"):
            del said[silent]
        if said["held_shape"] is None:
            del said["held_shape"]
        if said["start"] == "cubic":
            del said["start"]
        said["versions"] = versions()
        for name in ("supercell", "supercell_data", "restart_in", "equilibration"):
            if said[name]:
                said[name] = digest(said[name])
        models = [self.potential["model"], *self.potential.get("committee", [])]
        said["potential"] = [digest(model) for model in models]
        return hashlib.sha256(json.dumps(said, sort_keys=True).encode()).hexdigest()

    def finished(self, fingerprint: str | None = None) -> bool:
        """Whether all outputs are there, and of this job (`fingerprint` if it is known)."""
        try:
            with xr.open_dataset(self.outputs["thermo"]) as data:
                same = data.attrs.get("fingerprint") == (fingerprint or self.fingerprint())
        except (OSError, ValueError):
            return False
        return same and all(Path(path).exists() for path in self.outputs.values())

    def steps(self, name: str) -> int:
        """A time of `dynamics` (its key, in fs or ps) as a whole number of time steps."""
        value = self.dynamics[name] * (1000 if name.endswith("_ps") else 1)
        return max(1, round(value / self.dynamics["timestep_fs"]))
