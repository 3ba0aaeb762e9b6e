"""Real runs: resuming, failing, handing failures on.

Every one on a pair potential (tests/standin/pair), and those that are slow on the shipped one. Of
`golden/` each file is the command stream that the program gave LAMMPS, paths aside; write them anew
with UPDATE_GOLDEN=1, and read what changed.
"""

import importlib.util
import json
import os
import signal
import subprocess
import sys
import threading
import time
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pytest
import xarray as xr

from campaigns import PAIR
from lah10.crystal.structures import build_supercell, read_crystal, write_supercell
from lah10.dynamics.job import Job
from lah10.dynamics.lammps_input import restart_is_whole, write_data
from lah10.dynamics.launch import run_stage
from lah10.dynamics.records import processor
from lah10.errors import PointFailure, Unfinished, UserError
from lah10.io.child import environment
from lah10.io.files import sha256
from lah10.io.space import free_bytes
from lah10.schema import STATUS
from lah10.units import BOLTZMANN

ROOT = Path(__file__).parents[2]
MODEL = ROOT / "resources/potentials/lah10/lah10.pb"
GOLDEN = Path(__file__).parent / "golden"


@pytest.fixture(scope="module", params=["pair", pytest.param("shipped", marks=pytest.mark.slow)])
def potential(request):
    """What the atoms move in."""
    with pytest.MonkeyPatch.context() as patch:
        if request.param == "pair":
            patch.setenv("PYTHONPATH", str(PAIR))
        yield request.param


@pytest.fixture(scope="module")
def crystal(potential, tmp_path_factory):
    folder = tmp_path_factory.mktemp("crystal")
    atoms = build_supercell(
        read_crystal(ROOT / "resources/structures/Fm-3m.cif"), "primitive", (2, 2, 1)
    )
    write_supercell(folder / "supercell.xyz", atoms)
    write_data(atoms, folder / "supercell.data")
    return folder


def equilibration(crystal, folder, **changes):
    """Job of a short equilibration of 44 atoms with two checkpoints."""
    folder.mkdir(parents=True, exist_ok=True)
    dynamics = {
        "timestep_fs": 0.5,
        "duration_ps": 0.06,
        "thermo_interval_fs": 5.0,
        "frame_interval_fs": 10.0,
        "checkpoint_interval_ps": 0.02,
        "cell_period_ps": 0.6,
        "spectrum_interval_fs": 2.0,
        "spectrum_segment_ps": 0.01,
        "spectrum_atoms": 100,
    }
    dynamics.update(changes.pop("dynamics", {}))
    options = {
        "stage": "equilibrate",
        "bath": "qtb",
        "pressure_GPa": 150.0,
        "temperature_K": 100.0,
        "supercell": str(crystal / "supercell.xyz"),
        "supercell_data": str(crystal / "supercell.data"),
        "outputs": {
            "thermo": str(folder / "equilibration.nc"),
            "restart": str(folder / "equilibrated.restart"),
            "commands": str(folder / "equilibrate.lmp"),
        },
        "scratch": str(folder / "scratch" / "equilibrate"),
        "potential": {"model": str(MODEL), "committee": []},
        "bath_options": {"friction_per_ps": 10.0, "cutoff_THz": 200.0},
        "dynamics": dynamics,
        "seed": 1,
        "campaign": "test",
    }
    return options | changes


def production(before, folder, **changes):
    """Job that goes on from an equilibration's outputs."""
    options = before | {
        "stage": "produce",
        "restart_in": before["outputs"]["restart"],
        "equilibration": before["outputs"]["thermo"],
        "outputs": {
            "thermo": str(folder / "thermo.nc"),
            "spectra": str(folder / "spectra.nc"),
            "trajectory": str(folder / "trajectory.nc"),
            "commands": str(folder / "produce.lmp"),
        },
        "scratch": str(folder / "scratch" / "produce"),
    }
    return options | changes


def same_arrays(one, other):
    with xr.open_dataset(one) as a, xr.open_dataset(other) as b:
        assert set(a.variables) == set(b.variables)
        for name in a.variables:
            nan = a[name].dtype.kind == "f"
            assert np.array_equal(a[name].values, b[name].values, equal_nan=nan), name


@pytest.fixture(scope="module")
def undisturbed(crystal, tmp_path_factory):
    folder = tmp_path_factory.mktemp("undisturbed")
    first = equilibration(crystal, folder)
    run_stage(first, folder / "log")
    second = production(first, folder)
    run_stage(second, folder / "log")
    return folder, first, second


def checkpoints(scratch: Path) -> int:
    """Number of checkpoints that a run has."""
    try:
        return json.loads((scratch / "checkpoint.json").read_text())["completed"]
    except FileNotFoundError:
        return 0


def kill_after_first_checkpoint(job, number=1):
    """Start the job and kill it at its first checkpoint, or a later one; True if it was still
    running then."""
    job = Job(**job)
    scratch = Path(job.scratch)
    scratch.mkdir(parents=True, exist_ok=True)
    file = scratch / "job.json"
    # In a session of its own, so that the death of this test's shell is not what ends it.
    file.write_text(json.dumps(asdict(job)))
    process = subprocess.Popen(
        [sys.executable, "-m", "lah10.dynamics.run", str(file)],
        env=environment() | {"STANDIN_PAUSE": "0.1"},  # or the pair potential has done by then
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    deadline = time.monotonic() + 240
    while checkpoints(scratch) < number and process.poll() is None:
        assert time.monotonic() < deadline, "no checkpoint appeared"
        time.sleep(0.01)
    alive = process.poll() is None
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    return alive


def test_killed_run_ends_in_the_same_bits(undisturbed, tmp_path):
    _, _, reference = undisturbed
    job = production(undisturbed[1], tmp_path)
    assert kill_after_first_checkpoint(job)
    assert not Path(job["outputs"]["thermo"]).exists()
    run_stage(job, tmp_path / "log")
    assert "goes on from" in (tmp_path / "log").read_text()
    for name in ("thermo", "spectra"):
        same_arrays(job["outputs"][name], reference["outputs"][name])
    trajectories = [Path(j["outputs"]["trajectory"]).read_bytes() for j in (job, reference)]
    assert trajectories[0] == trajectories[1]
    # The commands are those of the whole run, wherever it was cut.
    ours, theirs = (
        Path(j["outputs"]["commands"]).read_text().replace(j["scratch"], "scratch")
        for j in (job, reference)
    )
    assert ours == theirs
    assert [p.name for p in Path(job["scratch"]).iterdir()] == ["lock"]


@pytest.mark.parametrize("damaged", ["state-00002.restart", "checkpoint.json"])
def test_a_damaged_checkpoint_ends_in_the_same_bits(undisturbed, tmp_path, damaged):
    job = production(undisturbed[1], tmp_path)
    scratch = Path(job["scratch"])
    assert kill_after_first_checkpoint(job, 2)
    (scratch / damaged).write_bytes((scratch / damaged).read_bytes()[:-100])
    run_stage(job, tmp_path / "log")
    log = (tmp_path / "log").read_text()
    assert f"{scratch / damaged}: " in log and f"kept as {scratch}/damaged/{damaged}.1" in log
    assert "goes on from 0.02 ps" in log
    for name in ("thermo", "spectra"):
        same_arrays(job["outputs"][name], undisturbed[2]["outputs"][name])
    assert sorted(p.name for p in scratch.iterdir()) == ["damaged", "lock"]


def interrupt(job, folder, how) -> None:
    """Run a job in this process's child until `how` stops it; raises what `run_stage` raises."""
    scratch = Path(job["scratch"])
    if how == "EXIT":
        (folder / "EXIT").touch()
    elif how == "wall time":
        # Half of it is kept in reserve, and the start takes some of the rest.
        return run_stage(job, folder / "log", runtime_minutes=2 / 60 * 2)
    else:

        def send():
            while checkpoints(scratch) < 1:
                time.sleep(0.01)
            os.kill(os.getpid(), how)

        threading.Thread(target=send, daemon=True).start()
    return run_stage(job, folder / "log", exit_file=folder / "EXIT")


#: What stops a run, and the grace time in seconds that it has.
STOPS = [
    pytest.param(signal.SIGTERM, "0", id="SIGTERM at once"),
    pytest.param(signal.SIGTERM, "25", id="SIGTERM"),
    pytest.param(signal.SIGINT, "25", id="SIGINT"),
    pytest.param(signal.SIGUSR1, "25", id="SIGUSR1"),
    pytest.param("EXIT", "25", id="EXIT"),
    pytest.param("wall time", "25", id="wall time"),
]


@pytest.mark.parametrize(("how", "grace"), STOPS)
def test_a_stopped_run_is_unfinished_and_ends_in_the_same_bits(
    undisturbed, tmp_path, monkeypatch, how, grace
):
    monkeypatch.setenv("STANDIN_PAUSE", "0.3")
    monkeypatch.setenv("LAH10_GRACE_SECONDS", grace)
    job = production(undisturbed[1], tmp_path)
    before = signal.getsignal(signal.SIGTERM)
    with pytest.raises(Unfinished, match="UNFINISHED at ") as stopped:
        interrupt(job, tmp_path, how)
    assert signal.getsignal(signal.SIGTERM) == before
    reason = {"EXIT": f"{tmp_path}/EXIT is there", "wall time": "its wall time ends"}
    assert reason.get(how, f"received {getattr(how, 'name', how)}") in str(stopped.value)
    assert not Path(job["outputs"]["thermo"]).exists()
    kept = checkpoints(Path(job["scratch"]))
    assert f"at {0.02 * kept:.3g} of" in str(stopped.value)
    if isinstance(how, signal.Signals):
        assert kept >= (1 if grace == "0" else 2)
    monkeypatch.setenv("STANDIN_PAUSE", "0")
    (tmp_path / "EXIT").unlink(missing_ok=True)
    run_stage(job, tmp_path / "log")
    for name in ("thermo", "spectra"):
        same_arrays(job["outputs"][name], undisturbed[2]["outputs"][name])


@pytest.fixture
def small(tmp_path):
    """A small file system, and a function that leaves so many bytes of it free."""
    folder = tmp_path / "small"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=8m", "tmpfs", str(folder)]
    if os.geteuid() or subprocess.run(mount, capture_output=True).returncode:
        pytest.skip("a small file system can be mounted by root alone")

    def leave(free):
        with open(folder / "ballast", "wb") as ballast:
            ballast.write(bytes(max(0, free_bytes(folder) - free)))

    yield folder, leave
    subprocess.run(["umount", "--lazy", str(folder)], check=True)


def test_a_full_disk_loses_nothing(undisturbed, small, tmp_path):
    folder, leave = small
    job = production(undisturbed[1], tmp_path, scratch=str(folder / "scratch"))
    assert kill_after_first_checkpoint(job)
    kept = checkpoints(folder / "scratch")
    leave(1_000_000)
    with pytest.raises(UserError, match="MB are needed for the next segment, and") as refused:
        run_stage(job, tmp_path / "log")
    assert str(refused.value).startswith(str(folder))
    assert "goes on from what is finished" in str(refused.value)
    assert checkpoints(folder / "scratch") == kept
    (folder / "ballast").unlink()
    run_stage(job, tmp_path / "log")
    same_arrays(job["outputs"]["thermo"], undisturbed[2]["outputs"]["thermo"])


def test_a_restart_file_that_was_cut_off_is_found(undisturbed, tmp_path):
    whole = Path(undisturbed[1]["outputs"]["restart"])
    assert restart_is_whole(whole)
    for length in (0, 10, 1000, -1):
        cut = tmp_path / "cut"
        cut.write_bytes(whole.read_bytes()[:length])
        assert not restart_is_whole(cut)


@pytest.mark.skipif(
    importlib.util.find_spec("mpi4py") is None, reason="mpi4py is not installed (optional)"
)
@pytest.mark.slow
def test_two_ranks_stop_together_and_go_on(crystal, tmp_path, monkeypatch):
    """The launcher of the ranks would end them at a signal; they stop at one checkpoint."""
    short = {"mpi_ranks": 2, "dynamics": {"duration_ps": 0.06}}
    whole = equilibration(crystal, tmp_path / "whole", **short)
    run_stage(whole, tmp_path / "log")
    job = equilibration(crystal, tmp_path / "stopped", **short)
    monkeypatch.setenv("STANDIN_PAUSE", "0.3")
    with pytest.raises(Unfinished, match="received SIGTERM"):
        interrupt(job, tmp_path, signal.SIGTERM)
    assert checkpoints(Path(job["scratch"])) >= 1
    monkeypatch.setenv("STANDIN_PAUSE", "0")
    run_stage(job, tmp_path / "log")
    same_arrays(job["outputs"]["thermo"], whole["outputs"]["thermo"])


def test_another_processor_is_recorded(undisturbed, tmp_path):
    """A job that is started again elsewhere: its outputs name both machines."""
    job = production(undisturbed[1], tmp_path)
    with xr.open_dataset(undisturbed[2]["outputs"]["thermo"]) as thermo:
        own = thermo.attrs["processors"]
    assert own == processor()
    assert kill_after_first_checkpoint(job)
    state = json.loads((Path(job["scratch"]) / "checkpoint.json").read_text())
    first = Path(job["scratch"]) / "segment-00001.npz"
    with np.load(first) as archive:
        arrays = dict(archive) | {"processor": np.array("another (sse4_2)")}
    np.savez(first, **arrays)
    state["segments"]["1"] = sha256(first)
    (Path(job["scratch"]) / "checkpoint.json").write_text(json.dumps(state))
    run_stage(job, tmp_path / "log")
    with xr.open_dataset(job["outputs"]["thermo"]) as thermo:
        assert thermo.attrs["processors"] == f"another (sse4_2); {own}"
    assert "ran on 2 kinds of processors" in (tmp_path / "log").read_text()


class GivesUp:
    """LAMMPS that cannot go on, for a reason that nobody foresaw."""

    def command(self, line):
        raise Exception(f"ERROR: out of luck at {line}")


def test_what_lammps_gives_up_at_is_the_points_failure(monkeypatch):
    """Once it runs; that it takes the commands before is the program's own matter."""
    monkeypatch.syspath_prepend(PAIR)  # or LAMMPS imports TensorFlow
    from lah10.dynamics.engine import Engine

    engine = Engine.__new__(Engine)
    engine.lmp, engine.commands, engine._error = GivesUp(), [], None
    with pytest.raises(PointFailure, match="out of luck at run 5") as failure:
        engine.advance(5)
    assert failure.value.status == "crashed" and "crashed" in STATUS
    with pytest.raises(Exception, match="out of luck at pair_style") as complaint:
        engine.execute(["pair_style deepmd"])
    assert complaint.type is Exception


@pytest.fixture(scope="module")
def adaptive(crystal, tmp_path_factory):
    """An adaptive bath: 0.02 ps of equilibration, 0.04 ps in which it adapts, production."""
    folder = tmp_path_factory.mktemp("adaptive")
    options = {"friction_per_ps": 10.0, "cutoff_THz": 200.0, "correction": "potential"}
    learning = {"adaptation_ps": 0.04, "adaptation_rate": 0.3, "shift_pressure": True}
    first = equilibration(crystal, folder, bath="adqtb", bath_options=options | learning)
    run_stage(first, folder / "log")
    second = production(first, folder, bath_options=options | {"shift_pressure": True})
    run_stage(second, folder / "log")
    return first, second


def test_adaptive_bath_from_end_to_end(adaptive):
    """γ_r adapts in equilibration, production keeps it, and the pressure is shifted."""
    first, second = adaptive
    with (
        xr.open_dataset(first["outputs"]["thermo"]) as before,
        xr.open_dataset(second["outputs"]["thermo"]) as thermo,
        xr.open_dataset(second["outputs"]["spectra"]) as spectra,
    ):
        assert thermo.attrs["status"] == "ok"
        adapted = before["random_friction"].values
        assert np.array_equal(spectra["random_friction"].values, adapted)
        assert adapted.shape == (2, 3)  # segments of 0.01 ps resolve little
        assert np.all(adapted >= 0.1) and not np.allclose(adapted, 10.0)
        history = before["random_friction_history"].values
        assert history.shape == (5, 2, 3) and np.all(history[0] == 10.0)
        assert adapted == pytest.approx(history[2:].mean(axis=0))
        drift = before["friction_drift"].values
        assert np.array_equal(spectra["friction_drift"].values, drift) and np.all(drift >= 0)
        shift = float(before["pressure_shift"])
        assert thermo.attrs["pressure_shift_GPa"] == shift != 0.0
        assert thermo.attrs["bath_correction"] == "potential"
        assert spectra.sizes["block"] == 6
        assert spectra["noise_energy"].values[1] != spectra["bath_energy"].values[1]
    bar = f"{(150.0 + shift) * 1e4:.10g}"
    assert f"nph x {bar} {bar}" in Path(second["outputs"]["commands"]).read_text()


def test_killed_adaptation_ends_in_the_same_bits(adaptive, crystal, tmp_path):
    first, _ = adaptive
    job = equilibration(crystal, tmp_path, bath="adqtb", bath_options=first["bath_options"])
    assert kill_after_first_checkpoint(job)
    run_stage(job, tmp_path / "log")
    assert "goes on from" in (tmp_path / "log").read_text()
    same_arrays(job["outputs"]["thermo"], first["outputs"]["thermo"])


def test_forced_rerun_starts_anew(undisturbed, tmp_path, monkeypatch):
    job = production(undisturbed[1], tmp_path)
    assert kill_after_first_checkpoint(job)
    forced = {"rules": ["produce"], "token": "another run"}
    monkeypatch.setenv("LAH10_FORCED", json.dumps(forced))
    run_stage(job, tmp_path / "log")
    assert "goes on from" not in (tmp_path / "log").read_text()
    same_arrays(job["outputs"]["thermo"], undisturbed[2]["outputs"]["thermo"])


def test_series_and_spectra_agree(undisturbed):
    """Kinetic energy from the recorder's spectrum equals the one LAMMPS reports."""
    with (
        xr.open_dataset(undisturbed[2]["outputs"]["thermo"]) as thermo,
        xr.open_dataset(undisturbed[2]["outputs"]["spectra"]) as spectra,
    ):
        power = spectra["velocity_spectrum"].mean("block")
        width = float(spectra["frequency"][1])
        squared = (2 * power.sum("frequency") - power.isel(frequency=0)) * width
        from_spectrum = 1.5 * thermo["n_atoms"] * thermo["mass"] * 1.0364269e-4 * squared
        direct = thermo["kinetic_energy"].mean("time")
        # The window weighs the middle of each short segment more; both still count the same motion.
        assert from_spectrum.values == pytest.approx(direct.values, rel=0.25)
        assert thermo["time"].values[-1] == pytest.approx(0.06)
        assert thermo.attrs["status"] == "ok"
        assert np.isfinite(thermo["static_energy"])
        assert float(thermo["static_energy"]) < float(thermo["potential_energy"].mean())


def command_stream(job) -> str:
    """The commands that a run gave LAMMPS, with paths of every machine."""
    text = Path(job["outputs"]["commands"]).read_text()
    for path, name in (
        (Path(job["scratch"]).parent, "scratch"),
        (Path(job["supercell"]).parent, "structures"),
        (MODEL.parent, "potential"),
    ):
        text = text.replace(f"{path}/", f"{name}/")
    before = job.get("restart_in")
    return text.replace(str(before), "equilibrated.restart") if before else text


def check_golden(job, stage, bath) -> None:
    path = GOLDEN / f"{stage}-{bath}.lmp"
    text = command_stream(job)
    if os.environ.get("UPDATE_GOLDEN"):
        path.write_text(text)
    assert text == path.read_text()


def test_command_stream_of_the_quantum_bath(undisturbed):
    _, first, second = undisturbed
    check_golden(first, "equilibrate", "qtb")
    check_golden(second, "produce", "qtb")


def test_command_stream_of_the_classical_bath(crystal, tmp_path):
    short = {"dynamics": {"duration_ps": 0.02}}
    first = equilibration(crystal, tmp_path, bath="classical", **short)
    second = production(first, tmp_path)
    for job, stage in ((first, "equilibrate"), (second, "produce")):
        run_stage(job, tmp_path / "log")
        check_golden(job, stage, "classical")


def test_blow_up_is_a_result_with_a_status(crystal, tmp_path):
    """A time step of 4 fs is a quarter of a hydrogen vibration: the run explodes and says so."""
    job = equilibration(
        crystal,
        tmp_path,
        dynamics={
            "timestep_fs": 4.0,
            "thermo_interval_fs": 8.0,
            "duration_ps": 0.8,
            "checkpoint_interval_ps": 0.4,
        },
    )
    run_stage(job, tmp_path / "log")
    with xr.open_dataset(job["outputs"]["thermo"]) as thermo:
        status, message = thermo.attrs["status"], thermo.attrs["status_message"]
    assert status in ("volume", "lost_atoms", "temperature", "nan")
    assert message
    assert "STOPPED" in (tmp_path / "log").read_text()
    # The next stage hands the failure on instead of starting from nothing.
    after = production(job, tmp_path)
    run_stage(after, tmp_path / "log")
    with xr.open_dataset(after["outputs"]["thermo"]) as thermo:
        assert thermo.attrs["status"] == status
        assert thermo.sizes["time"] == 0
        assert "equilibration" in thermo.attrs["status_message"]
    assert Path(after["outputs"]["trajectory"]).exists()


@pytest.mark.parametrize("potential", ["shipped"], indirect=True)
@pytest.mark.slow
def test_classical_temperature_and_pressure(crystal, tmp_path):
    """44 atoms for 1 ps: T within 15 %, P within 2 GPa; tests/physics/test_volume.py is finer.

    The volume swings by √(k_B T/BV) = 0.8 %, or 4 GPa, and about once in 0.6 ps, so the mean of
    the pressure over the last 0.7 ps is known to about 4 GPa √2/(2π) · 0.6/0.7 = 0.8 GPa.
    """
    job = equilibration(
        crystal,
        tmp_path,
        bath="classical",
        temperature_K=300.0,
        dynamics={"duration_ps": 1.0, "checkpoint_interval_ps": 0.5},
    )
    run_stage(job, tmp_path / "log")
    with xr.open_dataset(job["outputs"]["thermo"]) as thermo:
        late = thermo.isel(time=thermo["time"] > 0.3)
        kinetic = late["kinetic_energy"].sum("element").mean("time")
        atoms = int(thermo["n_atoms"].sum())
        temperature = 2 * float(kinetic) / (3 * (atoms - 1) * BOLTZMANN)
        pressure = float(late["pressure"].isel(voigt=slice(0, 3)).mean())
    assert temperature == pytest.approx(300, rel=0.15)
    assert pressure == pytest.approx(150, abs=2)


@pytest.mark.skipif(
    importlib.util.find_spec("mpi4py") is None, reason="mpi4py is not installed (optional)"
)
def test_two_ranks_feel_the_same_bath(undisturbed, crystal, tmp_path):
    """Rounding differs between numbers of ranks, the random force does not."""
    job = equilibration(crystal, tmp_path, mpi_ranks=2, dynamics={"duration_ps": 0.02})
    run_stage(job, tmp_path / "log")
    with (
        xr.open_dataset(job["outputs"]["thermo"]) as two,
        xr.open_dataset(undisturbed[1]["outputs"]["thermo"]) as one,
    ):
        early = one.sel(time=two["time"])
        energy = "potential_energy"
        # The model sums 44 energies of -169 eV in single precision, up to half a last digit (5e-4
        # eV) off at each: 0.011 eV in 7,420 were seen.
        assert two[energy].values == pytest.approx(early[energy].values, rel=3e-6)
        assert two["kinetic_energy"].values == pytest.approx(
            early["kinetic_energy"].values, abs=1e-3
        )
        # The cell's random stress acts once, however many ranks give it to LAMMPS; the rest is the
        # model's virial in single precision.
        moved = np.abs(early["cell"] - early["cell"][0]).values.max()
        assert np.abs(two["cell"] - early["cell"]).values.max() < 0.02 * moved
        assert two["cell_kinetic_energy"].values == pytest.approx(
            early["cell_kinetic_energy"].values, rel=0.02
        )


@pytest.mark.parametrize("potential", ["shipped"], indirect=True)
@pytest.mark.slow
def test_committee_of_equals_does_not_deviate(undisturbed, tmp_path):
    """The deviation is recorded at every frame, and is zero among copies of one model."""
    potential = {"model": str(MODEL), "committee": [str(MODEL)]}
    job = production(undisturbed[1], tmp_path, potential=potential)
    run_stage(job, tmp_path / "log")
    with xr.open_dataset(job["outputs"]["thermo"]) as thermo:
        deviation = thermo["model_deviation"].values
    assert np.isfinite(deviation).sum() == 6
    assert np.nanmax(deviation) < 1e-6
