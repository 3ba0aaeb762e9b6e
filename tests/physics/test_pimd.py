"""Path integrals against exact quantum statistics, through i-PI as the workflow runs it."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import xarray as xr
from quasiharmonic import FREQUENCIES, OPTIONS, PRESSURE, REPEAT, ROW, exact_volume, row

from lah10.bath.spectra import quantum_energy
from lah10.crystal.trajectory import Trajectory
from lah10.io.child import UNFINISHED, environment
from lah10.pimd.beads import harmonic_temperature, spring_frequencies
from lah10.pimd.launch import run_pimd
from lah10.units import BOLTZMANN, MVV2E, PLANCK

TOY = str(Path(__file__).with_name("pes_toy.py"))
#: THz, up to which economised springs are fitted here.
HIGHEST = 70.0


def crystal(folder, la, h, frequencies, quartic=0.0, repeat=(1, 1, 1)):
    """Structure file of a row of La and H atoms, so many times side by side."""
    atoms = row(la, h, frequencies, quartic).repeat(repeat)
    folder.mkdir(parents=True, exist_ok=True)
    atoms.write(folder / "crystal.xyz", format="extxyz")
    return atoms


def description(folder, beads, temperature, highest=HIGHEST, pressure=None, **changes):
    """Job of a run in a toy crystal."""
    options = {"template": str(folder / "crystal.xyz")} | changes.pop("driver_options", {})
    dynamics = {
        "timestep_fs": 0.5,
        "equilibrate_ps": 0.15,
        "produce_ps": 0.6,
        "thermo_interval_fs": 5.0,
        "frame_interval_fs": 20.0,
        "checkpoint_interval_ps": 0.25,
        "thermostat_damping_ps": 0.02,
        "barostat_damping_ps": 0.1,
        "frame_beads": 4,
    }
    return {
        "pressure_GPa": pressure,
        "temperature_K": temperature,
        "beads": beads,
        "highest_THz": highest,
        "start": str(folder / "crystal.xyz"),
        "driver": TOY,
        "driver_options": options,
        "outputs": {
            name: str(folder / f"{name}.{suffix}")
            for name, suffix in (
                ("thermo", "nc"), ("centroids", "nc"), ("beads", "nc"), ("xml", "xml"),
                ("start", "xyz"),
            )
        },
        "scratch": str(folder / "scratch"),
        "dynamics": dynamics | changes.pop("dynamics", {}),
        "seed": 1,
        "campaign": "test",
    } | changes  # fmt: skip


def run(job, folder):
    run_pimd(job, folder / "log")
    return xr.load_dataset(job["outputs"]["thermo"])


def measured(dataset, name, blocks=8):
    """Mean over time and its standard error from means of blocks."""
    values = dataset[name].values
    length = len(values) // blocks
    means = values[: length * blocks].reshape(blocks, length, *values.shape[1:]).mean(axis=1)
    return values.mean(axis=0), means.std(axis=0, ddof=1) / np.sqrt(blocks)


def test_harmonic_crystal_has_its_quantum_energy(tmp_path):
    """Kinetic energy by element, 65 THz included, and potential energy, at 300 K."""
    atoms = crystal(tmp_path, 4, 20, [6.0, 25.0, 45.0, 65.0])
    data = run(description(tmp_path, 20, 300.0), tmp_path)
    frequency, la = atoms.arrays["frequency"], atoms.numbers == 57
    exact = 1.5 * quantum_energy(frequency, 300.0)
    kinetic, error = measured(data, "kinetic_energy")
    expected = np.array([exact[la].sum(), exact[~la].sum()])
    assert (error < 0.02 * expected).all()
    assert (abs(kinetic - expected) < 4 * error).all()
    # The centre of mass stands still: its three classical degrees of freedom hold nothing.
    potential, error = measured(data, "potential_energy")
    assert abs(potential + 1.5 * BOLTZMANN * 300.0 - exact.sum()) < 4 * error
    assert float(data.bead_temperature.mean()) == pytest.approx(300.0, rel=0.03)
    # Classical nuclei would have half of it.
    assert expected.sum() > 2 * 1.5 * len(atoms) * BOLTZMANN * 300.0


@pytest.mark.slow
def test_trotter_springs_lack_what_theory_says(tmp_path):
    atoms = crystal(tmp_path, 2, 22, [6.0, 65.0])
    data = run(description(tmp_path, 12, 300.0, highest=None), tmp_path)
    springs = spring_frequencies(12, 300.0, None)
    np.testing.assert_allclose(data.spring_frequency, springs)
    expected = 1.5 * BOLTZMANN * harmonic_temperature(atoms.arrays["frequency"], 300.0, springs)
    kinetic, error = measured(data, "kinetic_energy")
    assert abs(kinetic.sum() - expected.sum()) < 4 * np.hypot(*error)
    exact = 1.5 * quantum_energy(atoms.arrays["frequency"], 300.0).sum()
    assert kinetic.sum() < 0.95 * exact


def quartic_kinetic(x, beta):
    """⟨p²/2⟩ in V = x⁴/4 with ħ = m = 1, by diagonalisation on a grid."""
    step = x[1] - x[0]
    kinetic = (np.diag(np.full(len(x), 2.0)) - np.eye(len(x), k=1) - np.eye(len(x), k=-1)) / (
        2 * step**2
    )
    energy, states = np.linalg.eigh(kinetic + np.diag(x**4 / 4))
    weight = np.exp(-beta * (energy - energy[0]))
    return (weight * np.einsum("in,ij,jn->n", states, kinetic, states)).sum() / weight.sum()


@pytest.mark.slow
def test_quartic_oscillator(tmp_path):
    """Economised springs, fitted to oscillators, are right for V = x⁴/4 (ħ = m = 1) as well."""
    frequency, beta = 25.0, 5.0  # THz of the energy unit ħ²/(m L²); 1/unit
    unit = PLANCK * frequency
    mass = 1.00794  # of H, as i-PI has it
    squared_length = unit / (MVV2E * mass * (2 * np.pi * frequency) ** 2)
    crystal(tmp_path, 2, 22, [1.0, 0.0], quartic=unit / squared_length**2)
    data = run(description(tmp_path, 20, unit / BOLTZMANN / beta), tmp_path)
    kinetic, error = measured(data, "kinetic_energy")
    per_mode = kinetic[1] / 66 / unit, error[1] / 66 / unit
    ground = quartic_kinetic(np.linspace(-5, 5, 801), 50.0)
    assert ground == pytest.approx(0.280537, abs=1e-4)
    exact = quartic_kinetic(np.linspace(-5, 5, 801), beta)
    assert per_mode[1] < 0.02 * exact
    assert abs(per_mode[0] - exact) < 4 * per_mode[1]


@pytest.mark.slow
def test_pressure_finds_the_quantum_volume(tmp_path):
    """Quasi-harmonic crystal; under the baths: test_volume.py.

    Eight seeds gave volumes 0.000 ± 0.004 % off the exact one, each within 0.01 %. In one row of 24
    atoms they are 0.066 ± 0.008 % too small: its shape fluctuates sixteen times as much, and the
    centre of mass, which stands still, is a larger part of it.
    """
    temperature = 300.0
    atoms = crystal(tmp_path, *ROW, FREQUENCIES, repeat=REPEAT)
    job = description(tmp_path, 16, temperature, pressure=PRESSURE, driver_options=dict(OPTIONS))
    data = run(job, tmp_path)
    exact, still = (exact_volume(atoms, temperature, of) for of in ("qtb", "none"))
    volume, error = measured(data, "volume")
    assert abs(volume - exact) < 4 * error
    assert error < 0.02 * (exact - still)
    stress, error = measured(data, "pressure")
    assert (abs(stress[:3] - PRESSURE) < 4 * error[:3]).all()
    assert (abs(stress[3:]) < 4 * error[3:]).all()


def short(folder):
    """A job of 0.1 ps with three checkpoints, at constant pressure."""
    crystal(folder, 2, 10, [6.0, 40.0])
    return description(
        folder,
        8,
        300.0,
        pressure=10.0,
        driver_options={"gruneisen": 1.0, "bulk": 400.0, "shear": 200.0},
        dynamics={"equilibrate_ps": 0.02, "produce_ps": 0.08, "checkpoint_interval_ps": 0.03},
    )


def started(job, folder):
    """The run in a process of its own, returned when it has its first checkpoint."""
    scratch = Path(job["scratch"])
    scratch.mkdir(parents=True, exist_ok=True)
    (folder / "job.json").write_text(json.dumps(job))
    process = subprocess.Popen(
        [sys.executable, "-m", "lah10.pimd.run", str(folder / "job.json")],
        env=environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    deadline = time.monotonic() + 240
    while not (scratch / "checkpoint.json").exists():
        assert time.monotonic() < deadline and process.poll() is None, "no checkpoint appeared"
        time.sleep(0.01)
    return process


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory):
    folder = tmp_path_factory.mktemp("undisturbed")
    job = short(folder)
    run(job, folder)
    return job


def same(one, other):
    with xr.open_dataset(one["thermo"]) as a, xr.open_dataset(other["thermo"]) as b:
        for name in a.variables:
            np.testing.assert_array_equal(a[name].values, b[name].values, err_msg=name)
    for name in ("centroids", "beads", "start"):
        assert Path(one[name]).read_bytes() == Path(other[name]).read_bytes()


@pytest.mark.parametrize(
    "how",
    [signal.SIGKILL, signal.SIGTERM, "EXIT", "damage"],
    ids=lambda how: getattr(how, "name", how),
)
def test_stopped_run_ends_in_the_same_bits(undisturbed, tmp_path, how):
    job = short(tmp_path)
    process = started(job, tmp_path)
    scratch = Path(job["scratch"])
    if how == "EXIT":
        (scratch / "EXIT").touch()
    else:
        os.kill(process.pid, signal.SIGKILL if how == "damage" else how)
    said, _ = process.communicate(timeout=60)
    if how in ("EXIT", signal.SIGTERM):
        assert process.returncode == UNFINISHED
        assert ("received SIGTERM" if how != "EXIT" else "EXIT is in its scratch folder") in said
    assert not Path(job["outputs"]["thermo"]).exists()
    if how == "damage":
        newest = max(scratch.glob("state-*.restart"))
        newest.write_text(newest.read_text()[:-100])
    run_pimd(job, tmp_path / "log")
    log = (tmp_path / "log").read_text()
    if how == "damage":
        assert "differs from what was written (SHA-256)" in log
    else:
        assert "goes on from" in log
    same(job["outputs"], undisturbed["outputs"])
    assert {path.name for path in scratch.iterdir()} - {"damaged"} == {"lock"}


def test_outputs_describe_the_run(undisturbed):
    outputs = undisturbed["outputs"]
    with xr.open_dataset(outputs["thermo"]) as data:
        assert data.sizes == {
            "time": 17, "element": 2, "voigt": 6, "vector": 3, "xyz": 3, "mode": 8,
        }  # fmt: skip
        assert data.time.values[[0, -1]] == pytest.approx([0.0, 0.08])
        assert data.attrs["status"] == "ok" and data.attrs["beads"] == 8
        np.testing.assert_allclose(np.linalg.det(data.cell), data.volume)
        assert all({"units", "long_name"} <= set(data[name].attrs) for name in data.data_vars)
    with Trajectory(outputs["centroids"]) as centroids, Trajectory(outputs["beads"]) as beads:
        assert len(centroids) == 5 and len(beads) == 4 * 5
        assert centroids.time == pytest.approx([0.0, 0.02, 0.04, 0.06, 0.08])
        np.testing.assert_array_equal(beads.time, np.repeat(centroids.time, 4))
        # Every second bead: they are spread about the centroid of all.
        spread = beads.scaled(0) - centroids.scaled(0)
        assert 0 < abs(spread).max() < 0.2


def test_beads_begin_where_a_classical_run_ended(in_lammps, tmp_path):
    """At its positions and in its cell, all beads alike; and its failure is theirs."""
    job = short(tmp_path)
    ended = in_lammps("pimd_driver", "write_restart", crystal=job["start"],
                      restart=str(tmp_path / "end.restart"))  # fmt: skip
    job |= {"restart": str(tmp_path / "end.restart"), "equilibration": str(tmp_path / "before.nc")}
    job["dynamics"] |= {"equilibrate_ps": 0.005, "produce_ps": 0.01, "frame_interval_fs": 5.0}
    attrs = {"status": "ok", "status_message": ""}
    xr.Dataset(attrs=attrs).to_netcdf(job["equilibration"])
    assert run(job, tmp_path).attrs["start"] == "classical"
    lines = Path(job["outputs"]["start"]).read_text().splitlines()
    positions = np.array([line.split()[1:] for line in lines[2:]], float)
    np.testing.assert_allclose(positions, ended["positions"], atol=1e-8)
    parameters = np.array(lines[1].split(":")[1].split()[:6], float)
    np.testing.assert_allclose(parameters, ended["parameters"], atol=1e-8)
    assert parameters[5] != 90.0

    xr.Dataset(attrs={"status": "volume", "status_message": "too large"}).to_netcdf(
        tmp_path / "failed.nc"
    )
    data = run(job | {"equilibration": str(tmp_path / "failed.nc")}, tmp_path)
    assert data.attrs["status"] == "volume"
    assert data.attrs["status_message"] == "in the classical equilibration: too large"
    assert all(Path(path).exists() for path in job["outputs"].values())


def test_collapse_is_a_result_with_a_status(tmp_path):
    """Without an elastic resistance the pressure squeezes the cell away."""
    crystal(tmp_path, 2, 10, [6.0, 40.0])
    job = description(
        tmp_path, 4, 300.0, pressure=300.0, driver_options={"bulk": 1.0, "shear": 1.0},
        dynamics={"equilibrate_ps": 0.05, "produce_ps": 0.3, "checkpoint_interval_ps": 0.05},
    )  # fmt: skip
    data = run(job, tmp_path)
    assert data.attrs["status"] in ("volume", "nan", "temperature")
    assert data.attrs["status_message"]


def test_deep_potential_gives_the_derivatives_of_its_energy(in_lammps):
    """Forces and virial as i-PI takes them, in its units, and beads in one call or alone."""
    found = in_lammps("pimd_driver", "derivatives")
    assert found["force"] == pytest.approx(found["force_numerical"], rel=1e-3)
    np.testing.assert_allclose(found["virial"], found["virial_numerical"], rtol=1e-3, atol=1e-4)
    np.testing.assert_allclose(found["together"], found["alone"], rtol=1e-7)
