"""Results that were copied: by content they are finished, whatever their dates.

Snakemake runs a job again where an input is newer than an output. Copied files (`cp -r`, a fresh
clone) have dates in any order. Before a run, stages whose dates are out of order are compared by
content: crystals are built again, and the fingerprint of a run is computed from the configuration
and the files that it starts from. Where all agree, the files get new dates in the right order. What
differs keeps its dates, and Snakemake decides.

Where dates are in order, or files are not there, nothing is read and no more than dates are looked
at: it costs what Snakemake's own look at the same files costs.
"""

import base64
import functools
import os
import tempfile
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from itertools import product
from pathlib import Path

from lah10.campaign import jobs
from lah10.config.boundary import PUBLISHED
from lah10.config.campaign import Config
from lah10.io.files import sha256

_hash = functools.cache(sha256)

#: Files of a path-integral run, and of the analysis of one and of a point.
PIMD_OUTPUTS = ("thermo.nc", "centroids.nc", "beads.nc", "pimd.xml", "start.xyz")
PIMD_ANALYSED = ("distortion.nc", "correlations.nc", "summary.nc")
ANALYSED = ("distortion.nc", "diffusion.nc", "energetics.nc", "correlations.nc", "summary.nc")


@dataclass(frozen=True)
class Stage:
    """One job's files.

    Attributes
    ----------
    inputs, outputs : list of Path
        Those whose dates count for Snakemake.
    same : callable
        Whether the outputs are those of the job that the configuration gives.
    run : list of Path
        What a run of dynamics leaves, all of it; nothing of other stages.
    """

    inputs: list[Path]
    outputs: list[Path]
    same: Callable[[], bool]
    run: list[Path] = field(default_factory=list)


def keep(
    config: Config,
    results: str | os.PathLike,
    ranks: int,
    published: str | None = None,
    rhombohedral: str | None = None,
) -> int:
    """Put the dates of finished files in order.

    Parameters
    ----------
    config
        Of the campaign.
    results
        Its folder, with structures/, points/ and boundary/.
    ranks
        MPI ranks that a point gets where it has as many cores; fewer are possible.
    published
        Where a rule puts the published potential, which windows may use; None: there is no rule.
    rhombohedral
        Structure file of R-3m, the second start; None: points that start from it are left alone.

    Returns
    -------
    int
        Stages whose files were given new dates.
    """
    layout = _Layout(config, Path(results), ranks, published, rhombohedral)
    kept = _keep(layout.structures())
    if kept is None:
        return 0
    for chain in layout.chains():
        for stage in chain:
            done = _keep(stage)
            if done is None:
                break
            kept += done
    return kept


def finish(
    config: Config,
    results: str | os.PathLike,
    ranks: int,
    published: str | None = None,
    rhombohedral: str | None = None,
    records: str | os.PathLike = ".snakemake",
) -> int:
    """Count stages as done that finished after their Snakemake was killed.

    Snakemake marks what it starts as incomplete, removes the mark when it sees the end, and removes
    what has a mark when it runs the job again. A run of dynamics whose Snakemake was killed may
    have ended well meanwhile. Then its files are whole, and of the configuration's job.

    Parameters
    ----------
    config, results, ranks, published, rhombohedral
        As in `keep`.
    records
        Snakemake's folder.

    Returns
    -------
    int
        Stages that were found finished.
    """
    marks = Path(records, "incomplete")
    marked = {
        os.path.join(folder, name) for folder, _, names in os.walk(marks) for name in names
    }
    if not marked:
        return 0
    found = 0
    for chain in _Layout(config, Path(results), ranks, published, rhombohedral).chains():
        for stage in chain:
            if not any(str(_record(marks, file)) in marked for file in stage.run):
                continue
            if not all(file.exists() for file in stage.run) or not stage.same():
                break
            for file in stage.run:
                _record(marks, file).unlink(missing_ok=True)
                # It may be of a job with other parameters.
                _record(Path(records, "metadata"), file).unlink(missing_ok=True)
            found += 1
    return found


def _record(folder: Path, file: Path) -> Path:
    """Where Snakemake keeps a record of a file; names are cut as it cuts them."""
    name = base64.urlsafe_b64encode(str(file).encode()).decode()
    longest = os.pathconf(folder, "PC_NAME_MAX") - 1 if folder.exists() else 254
    parts = [name[i : i + longest] for i in range(0, len(name), longest)]
    return Path(folder, *(f"@{part}" for part in parts[:-1]), parts[-1])


class _Layout:
    """The stages of a campaign and their files, as the rules have them."""

    def __init__(
        self,
        config: Config,
        results: Path,
        ranks: int,
        published: str | None,
        rhombohedral: str | None,
    ):
        self.config, self.results, self.ranks = config, results, ranks
        self.published, self.rhombohedral = published, rhombohedral
        self.supercell = results / "structures/supercell.xyz"
        self.data = self.supercell.with_suffix(".data")
        self.distorted = results / "structures/distorted.xyz"

    def structures(self) -> Stage:
        """The supercell, of which everything else is made."""
        outputs = [self.supercell, self.data, *self.benchmark("structures.tsv")]
        same = functools.partial(_same_files, self.write_supercell, self.supercell)
        return Stage([Path(self.config.structure.file)], outputs, same)

    def chains(self) -> Iterator[Iterable[Stage]]:
        """Stages that follow one another; the first that is not finished ends a chain."""
        for bath, pressure, temperature in product(
            self.config.baths, self.config.pressure.values, self.config.row("cubic")
        ):
            yield self.point("cubic", bath, pressure, temperature)
        if self.config.distorted_points and self.rhombohedral:
            yield [self.structures_distorted()]
            for bath, pressure, temperature in product(
                self.config.baths, self.config.pressure.values, self.config.row("distorted")
            ):
                yield self.point("distorted", bath, pressure, temperature)
        for point in self.config.pimd.points:
            for beads in point.beads:
                yield self.path_integrals(point.pressure, point.temperature, beads)
        potentials = self.config.boundary_potentials
        curves = self.config.boundary.runs(potentials)
        for angle in self.config.boundary.angles if curves else ():
            sheared = self.sheared(angle)
            yield [sheared]
            for potential, nuclei, gpa, kelvin in curves:
                if self.model(potential)[0] is None:
                    continue
                make = self.window if nuclei == "classical" else self.pimd_window
                yield make(potential, gpa, kelvin, angle)

    # ---------------------------------------------------------------------------- stages

    def structures_distorted(self) -> Stage:
        """The supercell as R-3m, the second start."""
        outputs = [self.distorted, self.distorted.with_suffix(".data")]
        outputs += self.benchmark("structures_distorted.tsv")
        same = functools.partial(_same_files, self.write_distorted, self.distorted)
        return Stage([self.supercell], outputs, same)

    def point(self, crystal: str, bath: str, pressure: str, temperature: str) -> Iterator[Stage]:
        """A point of the grid from one of the two crystals; in a sweep, after its neighbour."""
        points = self.results / "points"
        data, row = self.data, points
        if crystal == "distorted":
            data, row = self.distorted.with_suffix(".data"), points / "distorted"
        folder = row / bath / f"P{pressure}_T{temperature}"
        times = folder.relative_to(points)
        start = [folder / "equilibrated.restart", folder / "equilibration.nc"]
        equilibrated = [*start, folder / "equilibrate.lmp"]
        run = [folder / "thermo.nc", folder / "spectra.nc"]
        end = [] if self.config.sweep == "none" else [folder / "produced.restart"]
        produced = [*run, folder / "trajectory.nc", folder / "produce.lmp", *end]
        moving = self.moving(folder)
        crystals = [self.supercell, data]
        before: dict[str, str] = {}
        if (kelvin := self.config.neighbour(crystal, temperature)) is not None:
            neighbour = row / bath / f"P{pressure}_T{kelvin}"
            before["restart"] = str(neighbour / "produced.restart")
            before["before"] = str(neighbour / "thermo.nc")
        outputs = [*equilibrated, *self.benchmark(times / "equilibrate.tsv")]
        of = (bath, pressure, temperature)
        models = (self.config.potential.model, self.config.potential.committee)

        def same(stage: str) -> bool:
            def job(files: dict) -> dict:
                if stage == "equilibrate":
                    files = files | before
                return jobs.dynamics(self.config, stage, of, files) | {"start": crystal}

            return self.same_run(stage, job, folder, data, *models)

        inputs = [*crystals, *map(Path, before.values())]
        yield Stage(inputs, outputs, functools.partial(same, "equilibrate"), equilibrated)
        outputs = [*run, *moving, folder / "produce.lmp", *end]
        outputs += self.benchmark(times / "produce.tsv")
        yield Stage([*crystals, *start], outputs, functools.partial(same, "produce"), produced)
        outputs = [*_within(folder, ANALYSED), *self.benchmark(times / "analyse.tsv")]
        yield Stage(
            [self.supercell, *run, *moving],
            outputs,
            functools.partial(_same_fingerprint, run[0], folder / "summary.nc"),
        )

    def path_integrals(self, pressure: str, temperature: str, beads: int) -> Iterator[Stage]:
        """A path-integral run at a point of the grid."""
        of = f"P{pressure}_T{temperature}"
        folder = self.results / "points/pimd" / of / f"beads{beads}"
        times = folder.relative_to(self.results / "points")
        files = {"supercell": str(self.supercell), "model": self.config.potential.model}
        if self.config.pimd.start == "classical":
            classical = self.results / "points/classical" / of
            files["restart"] = str(classical / "equilibrated.restart")
            files["equilibration"] = str(classical / "equilibration.nc")
        inputs = [Path(file) for name, file in files.items() if name != "model"]
        outputs = [*_within(folder, PIMD_OUTPUTS), *self.benchmark(times / "pimd_run.tsv")]
        job = functools.partial(
            jobs.path_integrals, self.config, (pressure, temperature), beads, files
        )
        same = functools.partial(_same_pimd, folder / "thermo.nc", job)
        yield Stage(inputs, outputs, same, _within(folder, PIMD_OUTPUTS))
        inputs = [self.supercell, *_within(folder, PIMD_OUTPUTS[:3])]
        outputs = [*_within(folder, PIMD_ANALYSED), *self.benchmark(times / "pimd_analyse.tsv")]
        same = functools.partial(_same_fingerprint, folder / "thermo.nc", folder / "summary.nc")
        yield Stage(inputs, outputs, same)

    def sheared(self, angle: str) -> Stage:
        """The supercell at one angle of the cell."""
        crystal = self.crystal_at(angle)
        outputs = [crystal, crystal.with_suffix(".data")]
        outputs += self.benchmark(Path("boundary/structures", f"angle{angle}.tsv"))
        write = functools.partial(self.write_sheared, angle)
        return Stage([self.supercell], outputs, functools.partial(_same_files, write, crystal))

    def window(self, potential: str, gpa: str, kelvin: str, angle: str) -> Iterator[Stage]:
        """A window of classical nuclei."""
        folder = self.boundary(potential, "classical", gpa, kelvin, angle)
        times = folder.relative_to(self.results)
        data = self.crystal_at(angle).with_suffix(".data")
        model, fetched = self.model(potential)
        crystal = [self.supercell, data, *fetched]
        start = [folder / "equilibrated.restart", folder / "equilibration.nc"]
        equilibrated = [*start, folder / "equilibrate.lmp"]
        run = [folder / "thermo.nc", folder / "spectra.nc"]
        produced = [*run, folder / "trajectory.nc", folder / "produce.lmp"]
        moving = self.moving(folder)

        def same(stage: str) -> bool:
            job = functools.partial(jobs.window, self.config, stage, (gpa, kelvin), angle)
            return self.same_run(stage, job, folder, data, model)

        outputs = [*equilibrated, *self.benchmark(times / "equilibrate.tsv")]
        yield Stage(crystal, outputs, functools.partial(same, "equilibrate"), equilibrated)
        outputs = [*run, *moving, folder / "produce.lmp", *self.benchmark(times / "produce.tsv")]
        yield Stage([*crystal, *start], outputs, functools.partial(same, "produce"), produced)
        yield self.measured(folder, folder, moving)

    def pimd_window(self, potential: str, gpa: str, kelvin: str, angle: str) -> Iterator[Stage]:
        """A window of path integrals."""
        window = self.boundary(potential, "pimd", gpa, kelvin, angle)
        beads = self.config.boundary.beads(gpa, kelvin)
        folder = window / f"beads{beads}"
        times = folder.relative_to(self.results)
        crystal = self.crystal_at(angle)
        model, fetched = self.model(potential)
        files = {"supercell": str(crystal), "model": model}
        job = functools.partial(jobs.pimd_window, self.config, (gpa, kelvin), beads, angle, files)
        outputs = [path for path in _within(folder, PIMD_OUTPUTS) if path.name != "beads.nc"]
        outputs += [*_there(folder / "beads.nc"), *self.benchmark(times / "pimd.tsv")]
        same = functools.partial(_same_pimd, folder / "thermo.nc", job)
        yield Stage([crystal, *fetched], outputs, same, _within(folder, PIMD_OUTPUTS))
        yield self.measured(window, folder, [folder / "centroids.nc"])

    def measured(self, window: Path, run: Path, moving: list[Path]) -> Stage:
        """What was measured in a window's run."""
        times = window.relative_to(self.results)
        thermo, result = run / "thermo.nc", window / "window.nc"
        return Stage(
            [self.supercell, thermo, *moving],
            [result, *self.benchmark(times / "measure.tsv")],
            functools.partial(_same_fingerprint, thermo, result),
        )

    # ----------------------------------------------------------------------------- files

    def benchmark(self, name: str | Path) -> list[Path]:
        """A benchmark's file, whose date counts for Snakemake as an output's, if it is there."""
        return _there(self.results / "benchmarks" / name)

    def moving(self, folder: Path) -> list[Path]:
        """The trajectory in a folder, where it is kept or was not deleted."""
        trajectory = folder / "trajectory.nc"
        return [trajectory] if self.config.keep_trajectories else _there(trajectory)

    def crystal_at(self, angle: str) -> Path:
        return self.results / f"boundary/structures/angle{angle}.xyz"

    def boundary(self, potential: str, nuclei: str, gpa: str, kelvin: str, angle: str) -> Path:
        state = f"P{gpa}_T{kelvin}"
        return self.results / "boundary" / potential / nuclei / state / f"angle{angle}"

    def model(self, potential: str) -> tuple[str | None, list[Path]]:
        """The model of one of the boundary's potentials, and what of it is the work of a rule."""
        model = self.config.boundary_potentials[potential].model
        if model != PUBLISHED:
            return model, []
        return self.published, [Path(self.published)] if self.published else []

    # --------------------------------------------------------------------------- content

    def write_supercell(self, folder: Path) -> None:
        from lah10.crystal import structures
        from lah10.dynamics.lammps_input import write_data

        of = self.config.structure
        crystal = structures.campaign_supercell(of.file, of.cell, of.repeat, of.isotopes)
        structures.write_supercell(folder / self.supercell.name, crystal)
        write_data(crystal, folder / self.data.name)

    def write_distorted(self, folder: Path) -> None:
        from lah10.crystal import structures
        from lah10.crystal.rhombohedral import distorted
        from lah10.dynamics.lammps_input import write_data

        template = structures.read_supercell(self.supercell)
        crystal = distorted(template, structures.read_crystal(self.rhombohedral))
        structures.write_supercell(folder / self.distorted.name, crystal)
        write_data(crystal, (folder / self.distorted.name).with_suffix(".data"))

    def write_sheared(self, angle: str, folder: Path) -> None:
        from lah10.crystal import structures
        from lah10.crystal.angle import sheared
        from lah10.dynamics.lammps_input import write_data

        crystal = sheared(structures.read_supercell(self.supercell), float(angle))
        path = folder / self.crystal_at(angle).name
        structures.write_supercell(path, crystal)
        write_data(crystal, path.with_suffix(".data"))

    def same_run(
        self,
        stage: str,
        job: Callable[[dict], dict],
        folder: Path,
        data: Path,
        model: str,
        committee: Iterable[str] = (),
    ) -> bool:
        """Whether a stage of dynamics left files of the job that the configuration gives.

        job : makes it of its files.
        """
        from lah10.dynamics.job import Job

        produce = stage == "produce"
        found = _attribute(folder / ("thermo.nc" if produce else "equilibration.nc"))
        if found is None:
            return False
        files = {"supercell": str(self.supercell), "supercell_data": str(data), "model": model}
        if produce:
            files["restart"] = str(folder / "equilibrated.restart")
            files["equilibration"] = str(folder / "equilibration.nc")
            files["committee"] = list(committee)
        asked = Job(**job(files))
        # As many ranks as the job was given then, which is part of the fingerprint.
        return any(
            found == replace(asked, mpi_ranks=given).fingerprint(_hash)
            for given in dict.fromkeys([self.ranks, *range(1, self.ranks)])
        )


def _within(folder: Path, names: Iterable[str]) -> list[Path]:
    return [folder / name for name in names]


def _there(path: Path) -> list[Path]:
    return [path] if path.is_file() else []


def _keep(stage: Stage) -> int | None:
    """1 where outputs got new dates, 0 where dates are in order, None where files are not there, or
    not the same."""
    try:
        newest = max(os.stat(path).st_mtime_ns for path in stage.inputs)
        oldest = min(os.stat(path).st_mtime_ns for path in stage.outputs)
    except OSError:
        return None
    if oldest >= newest:
        return 0
    if not stage.same():
        return None
    for path in stage.outputs:
        os.utime(path)
    return 1


def _same_files(write: Callable[[Path], None], beside: Path) -> bool:
    """Whether the files that `write` puts into a folder are those in the folder of `beside`."""
    with tempfile.TemporaryDirectory() as folder:
        write(Path(folder))
        return all(
            path.read_bytes() == (beside.parent / path.name).read_bytes()
            for path in Path(folder).iterdir()
        )


def _same_pimd(thermo: Path, job: Callable[[], dict]) -> bool:
    """Whether a path-integral run is the one that the configuration gives."""
    from lah10.pimd.job import PimdJob

    found = _attribute(thermo)
    return found is not None and found == PimdJob(**job()).fingerprint(_hash)


def _same_fingerprint(one: Path, other: Path) -> bool:
    """Whether two files carry the fingerprint of one run."""
    found = _attribute(one)
    return found is not None and found == _attribute(other)


def _attribute(path: Path, name: str = "fingerprint") -> str | None:
    """A global attribute of a NetCDF file; None where it has none or cannot be read."""
    from netCDF4 import Dataset

    try:
        with Dataset(path) as file:
            return str(file.getncattr(name))
    except (OSError, AttributeError):
        return None
