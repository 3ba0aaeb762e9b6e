"""The files of a stage, from the segments that it kept and, after a failure, the one that broke."""

from collections.abc import Callable, Iterator, Mapping, Sequence

import numpy as np
import xarray as xr
from ase.data import atomic_numbers

from lah10 import ELEMENTS, nuclides
from lah10.bath.adaptive import MAX_FRICTION_DRIFT, unsettled
from lah10.crystal.trajectory import write_trajectory
from lah10.dynamics import records
from lah10.dynamics.checkpoint import Checkpoints
from lah10.dynamics.job import Job
from lah10.dynamics.lammps_input import RECORD
from lah10.dynamics.stage_bath import StageBath
from lah10.io import netcdf
from lah10.io.files import atomic_path, sha256
from lah10.schema import SPECTRA


def segments(checkpoints: Checkpoints) -> Iterator[dict[str, np.ndarray]]:
    """Arrays of the segments kept, in their order."""
    for number in range(1, checkpoints.completed + 1):
        yield checkpoints.load(number)


def frames(
    checkpoints: Checkpoints, unfinished: Mapping[str, Sequence]
) -> Iterator[tuple[float, np.ndarray, np.ndarray]]:
    """Time (ps), cell (3, 3) and positions (n, 3) in Å of every stored frame, in their order."""
    for arrays in (*segments(checkpoints), unfinished):
        if "frame_time" in arrays:
            yield from zip(
                arrays["frame_time"],
                arrays["frame_cell"],
                arrays["frame_positions"],
                strict=True,
            )


def attributes(
    job: Job,
    status: str,
    message: str,
    fingerprint: str,
    pressure_shift: float,
    wall: float,
    done: float,
    isotopes: Mapping[str, str],
) -> dict:
    """Global attributes of a stage's datasets.

    Parameters
    ----------
    pressure_shift : float
        GPa, by which production set its barostat higher.
    wall : float
        Seconds that the segments took.
    done : float
        ps in the segments kept.
    isotopes : mapping
        Of the crystal, by element.
    """
    return {
        "status": status,
        "status_message": message,
        "campaign": job.campaign,
        "stage": job.stage,
        "bath": job.bath,
        "pressure_GPa": job.pressure_GPa,
        "temperature_K": job.temperature_K,
        "friction_per_ps": job.bath_options["friction_per_ps"],
        "cutoff_THz": job.bath_options["cutoff_THz"],
        "bath_correction": job.bath_options.get("correction", "none"),
        "pressure_shift_GPa": pressure_shift,
        "timestep_fs": job.dynamics["timestep_fs"],
        "seed": job.seed,
        **(job.held_shape or {}),
        "formula": nuclides.formula(isotopes),
        "isotopes": nuclides.text(isotopes),
        "potential": str(job.potential["model"]),
        "potential_sha256": sha256(job.potential["model"]),
        "committee_sha256": " ".join(map(sha256, job.potential.get("committee", ()))),
        "config": job.config_json,
        "versions": records.versions(),
        "fingerprint": fingerprint,
        "wall_seconds": wall,
        "ps_per_hour": done / wall * 3600 if wall else 0.0,
    }


def write(
    job: Job,
    bath: StageBath,
    checkpoints: Checkpoints,
    parts: Sequence[Mapping[str, np.ndarray]],
    unfinished: Mapping[str, Sequence],
    attrs: Mapping,
    static: float,
    last_commands: Sequence[str],
    warn: Callable[[str], None],
) -> None:
    """Write the outputs of a stage; the time series, by which a stage counts as done, last.

    Parameters
    ----------
    parts : sequence of mappings
        Arrays of the segments, the unfinished one included.
    unfinished : mapping
        What the segment that broke had recorded; empty without a failure.
    attrs : mapping
        See `attributes`.
    static : float
        Energy of the relaxed mean structure, eV; NaN if there is none.
    last_commands : sequence of str
        Commands given to LAMMPS since the last segment that was kept.
    warn : callable
        Takes a message if an adaptive bath did not settle.
    """
    status = attrs["status"]
    commands = [line for part in parts if "commands" in part for line in part["commands"]]
    series = {
        name: np.concatenate([part[name] for part in parts if name in part])
        for name in ("time", *records.SERIES, *records.OPTIONAL)
        if any(name in part for part in parts)
    }
    if job.stage == "produce":
        _write_production(job, bath, checkpoints, parts, unfinished, attrs)
    end = job.outputs.get("produced" if job.stage == "produce" else "restart")
    if end is not None:
        # After a failure the next stage finds an empty file and hands the failure on.
        restart = b""
        if status == "ok":
            restart = checkpoints.restart(checkpoints.completed).read_bytes()
        with atomic_path(end) as aside:
            aside.write_bytes(restart)
    with atomic_path(job.outputs["commands"]) as aside:
        aside.write_text("\n".join([RECORD, *commands, *last_commands]) + "\n")
    counts = np.bincount(bath.types, minlength=len(ELEMENTS))
    thermo = records.thermo_dataset(
        series.get("time", []), series, bath.element_masses, counts, static, attrs
    )
    if job.bath == "adqtb" and job.stage == "equilibrate":
        thermo = thermo.merge(_friction_dataset(bath, checkpoints, warn))
    if status == "ok" and job.stage == "equilibrate" and job.bath_options.get("shift_pressure"):
        name = "velocity_spectrum"
        blocks = np.concatenate([part[name] for part in segments(checkpoints) if name in part])
        thermo["pressure_shift"] = (
            (),
            bath.estimated_pressure_shift(blocks, series["volume"]),
            {"units": "GPa", "long_name": "what the friction adds to the kinetic pressure"},
        )
    netcdf.write(thermo, job.outputs["thermo"])


def _friction_dataset(
    bath: StageBath, checkpoints: Checkpoints, warn: Callable[[str], None]
) -> xr.Dataset:
    """γ_r that the adaptation settled on, how it came there, and whether it arrived."""
    recorder, _ = bath.recorder()
    adaptation = bath.adaptation(recorder)
    if checkpoints.completed:
        adaptation.restore(checkpoints.load(checkpoints.completed))
    drift = adaptation.drift()
    if (drift > MAX_FRICTION_DRIFT).any():
        warn(unsettled(drift))
    return records.friction_dataset(
        recorder.frequency, adaptation.settled(), adaptation.history(), drift
    )


def _write_production(
    job: Job,
    bath: StageBath,
    checkpoints: Checkpoints,
    parts: Sequence[Mapping[str, np.ndarray]],
    unfinished: Mapping[str, Sequence],
    attrs: Mapping,
) -> None:
    """Write spectra and trajectory."""
    recorder, _ = bath.recorder()
    shape = (0, len(ELEMENTS), len(recorder.frequency))
    spectra = [
        np.concatenate([part[name] for part in parts if name in part] or [np.empty(shape)])
        for name in ("velocity_spectrum", "force_velocity_spectrum")
    ]
    friction = np.full(shape[1:], float(job.bath_options["friction_per_ps"]))
    drift = None
    if job.bath == "adqtb" and attrs["status"] == "ok":
        friction = bath.adapted_friction(recorder)
        with xr.open_dataset(job.equilibration) as data:
            drift = data["friction_drift"].values if "friction_drift" in data else None
    spectra = records.spectra_dataset(
        recorder.frequency,
        *spectra,
        friction,
        [len(g) for g in recorder.groups],
        job.bath,
        job.temperature_K,
        attrs,
    )
    if drift is not None:
        spectra["friction_drift"] = records.described(SPECTRA["friction_drift"], drift)
    netcdf.write(spectra, job.outputs["spectra"])
    title = f"{attrs['formula']} {job.bath} {job.pressure_GPa:g} GPa {job.temperature_K:g} K"
    numbers = np.array([atomic_numbers[element] for element in ELEMENTS])[bath.types]
    write_trajectory(
        job.outputs["trajectory"], numbers, frames(checkpoints, unfinished), title
    )
