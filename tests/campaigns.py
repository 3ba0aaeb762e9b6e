"""What tests of whole campaigns share: a folder to run in, and a configuration of seconds."""

import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass, field, replace
from pathlib import Path

import xarray as xr
import yaml
from ase.build import bulk
from ase.calculators.lj import LennardJones

from forkserver import ForkServer
from lah10.io.files import sha256
from lah10.phonons.phonons import phonons as crystal_phonons

REPOSITORY = Path(__file__).resolve().parents[1]
#: The potential that campaigns of these tests run on; another one can be tried without shipping it.
MODEL = Path(os.environ.get("LAH10_TEST_MODEL", REPOSITORY / "resources/potentials/lah10/lah10.pb"))
#: On PYTHONPATH, dynamics runs on a pair potential and does not load the deep one.
PAIR = REPOSITORY / "tests/standin/pair"
#: What a run needs of a checkout.
CHECKOUT = ("Snakefile", "config", "envs", "profiles", "resources", "slurm", "workflow")

TINY = {
    "structure": {"cell": "conventional", "repeat": [1, 1, 1]},
    "potential": {"model": str(MODEL)},
    "baths": ["qtb"],
    "pressure": {"values": [150]},
    "temperature": {"values": [100]},
    "dynamics": {
        "equilibrate": "0.05 ps",
        "produce": "0.3 ps",
        "frame_interval": "5 fs",
        "checkpoint_interval": "0.05 ps",
        "spectrum_segment": "0.05 ps",
    },
    "distortion": {"window": "0.05 ps"},
    "keep_trajectories": True,
}


@dataclass
class Campaign:
    """A folder with a checkout's files and one configuration.

    Attributes
    ----------
    environment : dict
        Variables for its commands besides those of this process.
    server : ForkServer or None
        Runs what is no run: dry runs and questions.
    """

    folder: Path
    name: str
    environment: dict[str, str] = field(default_factory=dict)
    server: ForkServer | None = None

    @property
    def configfile(self) -> Path:
        return self.folder / f"{self.name}.yaml"

    @property
    def results(self) -> Path:
        return self.folder / "results" / self.name

    def point(self, bath: str = "qtb", pressure="150", temperature="100") -> Path:
        """A point's folder, relative to the campaign's."""
        return Path(f"results/{self.name}/points/{bath}/P{pressure}_T{temperature}")

    def configure(self, **changes) -> None:
        """Write the configuration: the tiny one with other sections or keys of sections."""
        content = {"campaign": self.name, **TINY}
        for key, value in changes.items():
            section = content.get(key)
            content[key] = section | value if isinstance(section, dict) else value
        self.configfile.write_text(yaml.safe_dump(content, sort_keys=False))

    def give_phonons(self, pressure: float = 150, isotopes: str = "natural") -> None:
        """Write the phonons of another crystal as those of the potential, which take a minute."""
        crystal = bulk("LaH", "rocksalt", a=4.0)  # Å
        nearest = LennardJones(sigma=2.0 / 2 ** (1 / 6), rc=5.0)
        phonons = crystal_phonons(crystal, nearest, supercell=(2, 2, 2), mesh=(2, 2, 2))
        phonons = phonons.assign_coords(pressure=float(pressure))
        phonons.attrs |= {"potential_sha256": sha256(MODEL), "structure": "none"}
        phonons.attrs["isotopes"] = isotopes
        path = self.results / f"harmonic/P{pressure:g}.nc"
        path.parent.mkdir(parents=True)
        phonons.to_netcdf(path)

    def command(self, *arguments: str, config: str | None = None) -> list[str]:
        """The command line; the option that takes any number of files stands before a "--"."""
        at = arguments.index("--") if "--" in arguments else len(arguments)
        configfile = ("--configfile", config or self.configfile.name)
        return [sys.executable, "-m", "snakemake", *arguments[:at], *configfile, *arguments[at:]]

    def snakemake(
        self, *arguments: str, config: str | None = None, timeout: float = 300
    ) -> subprocess.CompletedProcess:
        """Run Snakemake here as a user would, and wait for its end."""
        command = self.command(*arguments, config=config)
        if self.server and ("--cores" not in arguments or "--touch" in arguments):
            return self.server.run(
                *command[3:], folder=self.folder, timeout=timeout, environment=self.environment
            )
        return self.run(*command, timeout=timeout)

    def run(self, *command: str, timeout: float = 300) -> subprocess.CompletedProcess:
        """Run a command in the campaign's folder."""
        return subprocess.run(
            command,
            cwd=self.folder,
            env=os.environ | self.environment,
            capture_output=True,
            text=True,
            timeout=timeout,
        )

    def planned(self, *arguments: str) -> list[str]:
        """Messages of the jobs that a dry run would run, sorted."""
        run = self.snakemake("--dry-run", *arguments)
        assert run.returncode == 0, run.stdout + run.stderr
        return sorted(re.findall(r"^Job \d+: (.*)$", run.stdout, flags=re.MULTILINE))

    def dataset(self) -> xr.Dataset:
        return xr.load_dataset(self.results / "phase_diagram.nc", decode_times=False)


def checkout(folder: Path) -> Path:
    """Link the repository's files into a folder, which then has results of its own."""
    folder.mkdir(parents=True, exist_ok=True)
    for name in CHECKOUT:
        if not (folder / name).is_symlink():
            (folder / name).symlink_to(REPOSITORY / name)
    return folder


def copied(original: Campaign, folder: Path) -> Campaign:
    """A campaign in another folder, dates and Snakemake's records included."""
    shutil.copytree(original.folder, folder, symlinks=True)
    return replace(original, folder=folder)
