"""Results that were copied: by content they are finished, whatever their dates.

Snakemake runs a job again where an input is newer than an output. Copied files (`cp -r`, a fresh
clone) have dates in any order. Before a run, stages whose dates are out of order are compared by
content: the supercell is built again, and the fingerprint of a stage of dynamics is computed from
the configuration and the files that it starts from. Where all agree, the files get new dates in the
right order. What differs keeps its dates, and Snakemake decides.
"""

import base64
import functools
import os
import tempfile
from collections.abc import Iterable
from pathlib import Path

from lah10.config.campaign import Config
from lah10.io.files import sha256

_hash = functools.cache(sha256)


def keep(config: Config, results: str | os.PathLike, ranks: int) -> int:
    """Put the dates of finished files in order.

    Parameters
    ----------
    config
        Of the campaign.
    results
        Its folder, with structures/ and points/.
    ranks
        MPI ranks that a point gets where it has as many cores; fewer are possible.

    Returns
    -------
    int
        Stages whose files were given new dates.
    """
    supercell = Path(results, "structures/supercell.xyz")
    data = supercell.with_suffix(".data")
    benchmarks = Path(results, "benchmarks")
    built = [supercell, data, *_there(benchmarks / "structures.tsv")]
    kept = _keep([config.structure.file], built, lambda: _same_crystal(config, data))
    if kept is None:
        return 0
    for bath, pressure, temperature in config.points:
        point = Path(results, "points", bath, f"P{pressure}_T{temperature}")
        start = [point / "equilibrated.restart", point / "equilibration.nc"]
        run = [point / "thermo.nc", point / "spectra.nc"]
        trajectory = point / "trajectory.nc"
        moving = [trajectory] if config.keep_trajectories or trajectory.exists() else []
        analysed = [
            point / f"{name}.nc"
            for name in ("distortion", "diffusion", "energetics", "correlations", "summary")
        ]
        times = benchmarks / point.relative_to(Path(results, "points"))
        equilibrated = [*start, point / "equilibrate.lmp", *_there(times / "equilibrate.tsv")]
        produced = [*run, *moving, point / "produce.lmp", *_there(times / "produce.tsv")]
        analysed = [*analysed, *_there(times / "analyse.tsv")]
        same = functools.partial(_same_run, config, (bath, pressure, temperature), point, ranks)
        stages = (
            ([supercell, data], equilibrated, functools.partial(same, "equilibrate", supercell)),
            ([supercell, data, *start], produced, functools.partial(same, "produce", supercell)),
            ([supercell, *run, *moving], analysed,
             functools.partial(_same_fingerprint, run[0], point / "summary.nc")),
        )  # fmt: skip
        for inputs, outputs, compare in stages:
            done = _keep(inputs, outputs, compare)
            if done is None:
                break
            kept += done
    return kept


def finish(config: Config, results: str | os.PathLike, ranks: int, records=".snakemake") -> int:
    """Count stages as done that finished after their Snakemake was killed.

    Snakemake marks what it starts as incomplete, removes the mark when it sees the end, and removes
    what has a mark when it runs the job again. A stage of dynamics whose Snakemake was killed may
    have ended well meanwhile. Then its files are whole, and of the configuration's job.

    Parameters
    ----------
    config, results, ranks
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
    supercell, found = Path(results, "structures/supercell.xyz"), 0
    for bath, pressure, temperature in config.points:
        point = Path(results, "points", bath, f"P{pressure}_T{temperature}")
        for stage, names in (
            ("equilibrate", ("equilibration.nc", "equilibrated.restart", "equilibrate.lmp")),
            ("produce", ("thermo.nc", "spectra.nc", "trajectory.nc", "produce.lmp")),
        ):
            files = [point / name for name in names]
            if not any(str(_record(marks, file)) in marked for file in files):
                continue
            if not all(file.exists() for file in files):
                break
            if not _same_run(config, (bath, pressure, temperature), point, ranks, stage, supercell):
                break
            for file in files:
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


def _there(path: Path) -> list[Path]:
    """A benchmark's file, whose date counts for Snakemake as an output's does, if it is there."""
    return [path] if path.is_file() else []


def _keep(inputs: Iterable, outputs: Iterable, same) -> int | None:
    """1 where outputs got new dates, 0 where dates are in order, None where files are not there, or
    not the same."""
    try:
        newest = max(os.stat(path).st_mtime_ns for path in inputs)
        oldest = min(os.stat(path).st_mtime_ns for path in outputs)
    except OSError:
        return None
    if oldest >= newest:
        return 0
    if not same():
        return None
    for path in outputs:
        os.utime(path)
    return 1


def _same_crystal(config: Config, data: Path) -> bool:
    """Whether the supercell's files are what the configuration's structure gives."""
    from lah10.crystal import structures
    from lah10.dynamics.lammps_input import write_data

    shape = config.structure
    supercell = structures.campaign_supercell(
        shape.file, shape.cell, shape.repeat, shape.isotopes
    )
    with tempfile.TemporaryDirectory() as folder:
        structures.write_supercell(Path(folder, "supercell.xyz"), supercell)
        write_data(supercell, Path(folder, "supercell.data"))
        return all(
            path.read_bytes() == (data.parent / path.name).read_bytes()
            for path in Path(folder).iterdir()
        )


def _same_run(
    config: Config, point: tuple[str, str, str], folder: Path, ranks: int, stage: str,
    supercell: Path,
) -> bool:  # fmt: skip
    """Whether a stage's output is of the job that the configuration gives."""
    from lah10.dynamics.job import Job

    produce = stage == "produce"
    found = _attribute(folder / ("thermo.nc" if produce else "equilibration.nc"), "fingerprint")
    if found is None:
        return False
    bath, pressure, temperature = point
    # As many ranks as the job was given then, which is part of the fingerprint.
    return any(
        found
        == Job(
            stage=stage,
            bath=bath,
            pressure_GPa=float(pressure),
            temperature_K=float(temperature),
            supercell=str(supercell),
            supercell_data=str(supercell.with_suffix(".data")),
            restart_in=str(folder / "equilibrated.restart") if produce else None,
            equilibration=str(folder / "equilibration.nc") if produce else None,
            outputs={},
            scratch="",
            potential={
                "model": config.potential.model,
                "committee": list(config.potential.committee) if produce else [],
            },
            bath_options=config.bath_options(stage, bath),
            dynamics=config.dynamics_options(stage, bath),
            seed=config.seed,
            campaign=config.campaign,
            mpi_ranks=given,
        ).fingerprint(_hash)
        for given in dict.fromkeys([ranks, *range(1, ranks)])
    )


def _same_fingerprint(one: Path, other: Path) -> bool:
    """Whether two files carry the fingerprint of one run."""
    found = _attribute(one, "fingerprint")
    return found is not None and found == _attribute(other, "fingerprint")


def _attribute(path: Path, name: str) -> str | None:
    """A global attribute of a NetCDF file; None where it has none or cannot be read."""
    from netCDF4 import Dataset

    try:
        with Dataset(path) as file:
            return str(file.getncattr(name))
    except (OSError, AttributeError):
        return None
