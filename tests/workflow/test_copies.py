"""Finished results in another clone: of path integrals and of the boundary's windows, too.

Their files are made up but for what decides: the crystals, and the fingerprints of the jobs.
"""

import os
import re
import shutil
import time
from pathlib import Path

import pytest
import xarray as xr

from campaigns import MODEL, Campaign, checkout, copied
from lah10.campaign import copies, jobs
from lah10.config import reading
from lah10.crystal.angle import sheared
from lah10.crystal.structures import campaign_supercell, read_supercell, write_supercell
from lah10.dynamics.job import Job
from lah10.dynamics.lammps_input import write_data
from lah10.io import netcdf
from lah10.pimd.job import PimdJob

BEADS, ANGLES = (4, 8), ("0", "0.6", "1.2", "1.8", "2.4")
CONFIG = {
    "baths": ["classical"],
    "pimd": {
        "points": [{"pressure": 150, "temperature": 100, "beads": list(BEADS)}],
        "start": "classical",
    },
    "boundary": {
        "angles": [float(angle) for angle in ANGLES],
        "classical": {"pressure": [150], "temperature": [300]},
        "pimd": {"points": [{"pressure": 150, "temperature": 300, "beads": 4}]},
    },
}


def dataset(path: Path, fingerprint: str) -> None:
    netcdf.write(xr.Dataset(attrs={"fingerprint": fingerprint}), path, "made up")


def crystal(atoms, path: Path) -> None:
    write_supercell(path, atoms)
    write_data(atoms, path.with_suffix(".data"))


def run_of(folder: Path, make, files: dict, names) -> None:
    """A path-integral run and the others of its files."""
    folder.mkdir(parents=True)
    fingerprint = PimdJob(**make(files)).fingerprint()
    for name in copies.PIMD_OUTPUTS:
        dataset(folder / name, fingerprint)
    for name in names:
        dataset(folder / name, fingerprint)


def stages_of(folder: Path, make, files: dict) -> str:
    """Both stages of classical dynamics; the fingerprint of the second."""
    folder.mkdir(parents=True)
    (folder / "equilibrated.restart").write_text(str(folder.name))
    for name in ("equilibrate.lmp", "produce.lmp"):
        (folder / name).touch()
    dataset(folder / "equilibration.nc", Job(**make("equilibrate", files)).fingerprint())
    more = {
        "restart": str(folder / "equilibrated.restart"),
        "equilibration": str(folder / "equilibration.nc"),
    }
    fingerprint = Job(**make("produce", files | more)).fingerprint()
    for name in ("thermo.nc", "spectra.nc", "trajectory.nc"):
        dataset(folder / name, fingerprint)
    return fingerprint


@pytest.fixture(scope="module")
def finished(tmp_path_factory, server):
    made = Campaign(checkout(tmp_path_factory.mktemp("copies")), "copies", server=server)
    made.configure(**CONFIG)
    # The clone has a structure file of its own, with a date of its own.
    shutil.copy(made.folder / "resources/structures/Fm-3m.cif", made.folder / "own.cif")
    made.configure(**CONFIG, structure={"file": "own.cif"})
    config = reading.load([made.configfile], root=made.folder)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(made.folder)
        results = Path("results/copies")
        supercell = results / "structures/supercell.xyz"
        supercell.parent.mkdir(parents=True)
        of = config.structure
        crystal(campaign_supercell(of.file, of.cell, of.repeat, of.isotopes), supercell)
        model = config.potential.model
        files = {"supercell": str(supercell), "model": model}
        both = files | {"supercell_data": str(supercell.with_suffix(".data"))}

        classical = results / "points/classical/P150_T100"
        fingerprint = stages_of(
            classical,
            lambda stage, at: jobs.dynamics(config, stage, ("classical", "150", "100"), at),
            both,
        )
        for name in copies.ANALYSED:
            dataset(classical / name, fingerprint)
        start = {
            "restart": str(classical / "equilibrated.restart"),
            "equilibration": str(classical / "equilibration.nc"),
        }
        for beads in BEADS:
            run_of(
                results / f"points/pimd/P150_T100/beads{beads}",
                lambda at, n=beads: jobs.path_integrals(config, ("150", "100"), n, at),
                files | start,
                copies.PIMD_ANALYSED,
            )
        (results / "boundary/structures").mkdir(parents=True)
        for angle in ANGLES:
            path = results / f"boundary/structures/angle{angle}.xyz"
            crystal(sheared(read_supercell(supercell), float(angle)), path)
            window = results / f"boundary/potential/classical/P150_T300/angle{angle}"
            at = both | {"supercell_data": str(path.with_suffix(".data"))}
            fingerprint = stages_of(
                window,
                lambda stage, at, a=angle: jobs.window(config, stage, ("150", "300"), a, at),
                at,
            )
            dataset(window / "window.nc", fingerprint)
            folder = results / f"boundary/potential/pimd/P150_T300/angle{angle}"
            run_of(
                folder / "beads4",
                lambda at, a=angle: jobs.pimd_window(config, ("150", "300"), 4, a, at),
                files | {"supercell": str(path)},
                (),
            )
            shutil.copy(folder / "beads4/thermo.nc", folder / "window.nc")
            (folder / "beads4/beads.nc").unlink()  # temporary, and used
    return made


@pytest.fixture
def cloned(finished, tmp_path):
    """The results in another folder, every date in reverse and no records of Snakemake's."""
    made = copied(finished, tmp_path / "clone")
    shutil.rmtree(made.folder / ".snakemake", ignore_errors=True)
    now = time.time()
    measured = ("window", *(name.split(".")[0] for name in copies.ANALYSED))
    stages = (*measured, "thermo", "spectra", "trajectory", "centroids", "beads", "pimd", "start",
              "produce", "equilibrat", "angle", "supercell")  # fmt: skip
    for path in made.results.rglob("*.*"):
        if path.is_file():
            order = next(i for i, name in enumerate(stages) if path.name.startswith(name))
            os.utime(path, times=(now - 1000 + order,) * 2)
    (made.folder / "own.cif").touch()
    return made


#: Planned in any case: what is made within seconds, and what the test has no files of.
ELSE = {"Phonons", "Compare", "Draw", "Integrate"}


def planned(made) -> set[str]:
    return {m for m in made.planned("pimd", "boundary") if m.split()[0] not in ELSE}


def test_path_integrals_and_windows_of_another_clone_are_finished(cloned):
    assert planned(cloned) == set()
    dates = {path: path.stat().st_mtime_ns for path in cloned.results.rglob("*.nc")}
    assert planned(cloned) == set()  # and stay so, untouched
    assert dates == {path: path.stat().st_mtime_ns for path in cloned.results.rglob("*.nc")}


def test_those_of_other_content_run_again(cloned):
    window = cloned.results / "boundary/potential/classical/P150_T300/angle1.2"
    with open(window / "equilibrated.restart", "a") as file:
        file.write("changed")
    thermo = cloned.results / "points/pimd/P150_T100/beads8/thermo.nc"
    dataset(thermo, "of another run")
    os.utime(thermo, times=(time.time() - 2000,) * 2)
    state = "150 GPa, 100 K, 8 beads"
    at = "at 1.2 degree: potential, classical, 150 GPa, 300 K"
    assert planned(cloned) == {
        f"Path integrals at {state}", f"Analyse path integrals at {state}",
        f"Run a window {at}", f"Measure the window {at}",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("change", "rerun"),
    [
        ({"pimd": {"timestep": "0.25 fs", "thermo_interval": "5 fs"}}, "path integrals|, pimd,"),
        ({"boundary": {"volume_period": "0.3 ps"}}, "window"),
    ],
)
def test_those_of_other_keys_run_again(cloned, change, rerun):
    content = {key: CONFIG[key] | change.get(key, {}) for key in CONFIG if key != "baths"}
    cloned.configure(baths=CONFIG["baths"], structure={"file": "own.cif"}, **content)
    found = planned(cloned)
    assert found and all(re.search(rerun, message.lower()) for message in found)


def test_nothing_is_read_where_dates_are_in_order(finished, monkeypatch, tmp_path):
    """A dry run of a large campaign looks at dates, and no further."""
    made = copied(finished, tmp_path / "ordered")
    config = reading.load([made.configfile], root=made.folder)
    monkeypatch.chdir(made.folder)
    now = time.time()
    for path in sorted(made.results.rglob("*.*")):
        os.utime(path, times=(now,) * 2)
    os.utime("own.cif", times=(now - 1,) * 2)
    monkeypatch.setattr(copies, "_hash", None)
    monkeypatch.setattr(copies, "_attribute", None)
    assert copies.keep(config, "results/copies", 1) == 0
    assert Path(MODEL).is_file()


def test_runs_that_ended_after_their_snakemake_was_killed_are_done(finished, monkeypatch, tmp_path):
    """Their marks go, of path integrals and windows as of points; others' stay."""
    made = copied(finished, tmp_path / "killed")
    config = reading.load([made.configfile], root=made.folder)
    monkeypatch.chdir(made.folder)
    results = Path("results/copies")
    beads = results / "points/pimd/P150_T100/beads8"
    window = results / "boundary/potential/classical/P150_T300/angle0.6"
    other = results / "points/pimd/P150_T100/beads4"
    dataset(other / "thermo.nc", "of another run")
    marks = Path(".snakemake/incomplete")
    marks.mkdir(parents=True)
    for file in (beads / "thermo.nc", window / "spectra.nc", other / "thermo.nc"):
        copies._record(marks, file).touch()
    assert copies.finish(config, "results/copies", 1) == 2
    assert list(marks.iterdir()) == [copies._record(marks, other / "thermo.nc")]
    assert copies.finish(config, "results/copies", 1) == 0
