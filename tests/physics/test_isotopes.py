"""Isotopes: the same forces on another mass, in phonons, baths and path integrals.

Within one potential a mode of hydrogen alone has ω ∝ 1/√m, so what deuterium does is known.
"""

import json
from pathlib import Path

import numpy as np
import pytest
import xarray as xr
from ase.data import atomic_masses
from test_dynamics import equilibration, production
from test_pimd import crystal, description, measured, run

from campaigns import PAIR
from lah10.bath.bath import TYPICAL_FREQUENCY, expected_temperature
from lah10.bath.spectra import bath_energy, quantum_energy
from lah10.crystal.structures import campaign_supercell, write_supercell
from lah10.crystal.trajectory import Trajectory
from lah10.dynamics.job import Job
from lah10.dynamics.lammps_input import write_data
from lah10.dynamics.launch import run_stage
from lah10.nuclides import MASSES
from lah10.units import BOLTZMANN

ROOT = Path(__file__).parents[2]
SHIPPED = ROOT / "resources/potentials/lah10-2/lah10.pb"
DEUTERIUM, HYDROGEN = MASSES["H"]["D"], float(atomic_masses[1])
#: Atoms of each frequency of the Einstein crystal, THz of natural hydrogen.
ATOMS, FREQUENCIES = 240, [15.0, 40.0, 60.0]
SLOWER = np.array([1.0, *[np.sqrt(DEUTERIUM / HYDROGEN)] * 2])


def einstein(in_lammps, bath, temperature):
    """Energies per mode (K) of deuterium on hydrogen's springs, and its share without the net
    motion."""
    found = in_lammps(
        "einstein",
        "energies",
        bath=bath,
        temperature=temperature,
        friction=2.0,
        frequencies=FREQUENCIES,
        steps=30_000,
        atoms=ATOMS,
        hydrogen=DEUTERIUM,
    )
    masses = np.array([138.905, DEUTERIUM, DEUTERIUM])
    kept = 1 - masses / (ATOMS * masses.sum())
    return np.array(found["kinetic"]) / kept, np.array(found["potential"]) / kept


def test_quantum_bath_gives_deuterium_its_own_theta(in_lammps):
    kinetic, potential = einstein(in_lammps, "qtb", 20.0)
    theta = bath_energy("qtb", FREQUENCIES / SLOWER, 20.0) / BOLTZMANN
    assert 0.5 * (kinetic + potential) == pytest.approx(theta, rel=0.02)
    # Natural hydrogen holds 40 % more.
    assert theta[1] < 0.72 * bath_energy("qtb", np.array([40.0]), 20.0)[0] / BOLTZMANN


@pytest.mark.slow
def test_classical_bath_gives_all_isotopes_one_temperature(in_lammps):
    kinetic, potential = einstein(in_lammps, "classical", 300.0)
    assert 0.5 * (kinetic + potential) == pytest.approx(np.full(3, 300.0), rel=0.02)


def test_starting_values_follow_the_mass():
    """At 0 K the zero-point energy goes with 1/√m; the classical temperature does not."""
    ratio = DEUTERIUM / HYDROGEN
    light, heavy = (expected_temperature("qtb", 1.0, x) for x in (1.0, ratio))
    assert heavy == pytest.approx(light / np.sqrt(ratio), rel=1e-9)
    assert expected_temperature("classical", 300.0, ratio) == pytest.approx(300.0)
    usual = bath_energy("qtb", np.array([TYPICAL_FREQUENCY]), 100.0)[0] / BOLTZMANN
    assert expected_temperature("qtb", 100.0) == pytest.approx(usual, rel=1e-12)


@pytest.fixture(scope="module")
def deuteride(tmp_path_factory):
    """LaD10, 44 atoms, as the rule `structures` writes it."""
    folder = tmp_path_factory.mktemp("deuteride")
    atoms = campaign_supercell(
        ROOT / "resources/structures/Fm-3m.cif", "primitive", (2, 2, 1), {"H": "D"}
    )
    write_supercell(folder / "supercell.xyz", atoms)
    write_data(atoms, folder / "supercell.data")
    return folder


def test_a_point_of_deuterium(deuteride, in_lammps, tmp_path, monkeypatch):
    """From the files of the supercell through LAMMPS and the bath to the datasets."""
    monkeypatch.setenv("PYTHONPATH", str(PAIR))
    first = equilibration(deuteride, tmp_path)
    second = production(first, tmp_path)
    for job in (first, second):
        run_stage(job, tmp_path / "log")
    found = in_lammps("masses", "of_restart", restart=first["outputs"]["restart"])
    assert found == pytest.approx([atomic_masses[57], DEUTERIUM], rel=1e-9)
    for name in ("thermo", "spectra"):
        with xr.open_dataset(second["outputs"][name]) as data:
            assert (data.attrs["formula"], data.attrs["isotopes"]) == ("LaD10", "H: D")
    with xr.open_dataset(first["outputs"]["thermo"]) as data:
        assert data.attrs["isotopes"] == "H: D"
        assert data.mass.values == pytest.approx([atomic_masses[57], DEUTERIUM], rel=1e-12)
        # Velocities begin with twice what deuterium's vibrations hold, half of which they keep.
        heavy = expected_temperature("qtb", 100.0, DEUTERIUM / HYDROGEN)
        kinetic = 2 * data.kinetic_energy.sum("element").values[0] / (3 * 43 * BOLTZMANN)
        assert kinetic < 2.2 * heavy < 2.2 * 0.72 * expected_temperature("qtb", 100.0)
    with Trajectory(second["outputs"]["trajectory"]) as frames:
        assert frames.n_atoms == 44
    assert "LaD10 qtb" in xr.open_dataset(second["outputs"]["trajectory"]).attrs["title"]


def test_fingerprints_follow_the_isotope(deuteride, tmp_path):
    natural = tmp_path / "natural"
    natural.mkdir()
    atoms = campaign_supercell(
        ROOT / "resources/structures/Fm-3m.cif", "primitive", (2, 2, 1), {}
    )
    write_supercell(natural / "supercell.xyz", atoms)
    write_data(atoms, natural / "supercell.data")
    both = [Job(**equilibration(folder, tmp_path)) for folder in (natural, deuteride)]
    assert both[0].fingerprint() != both[1].fingerprint()


def test_path_integrals_of_deuterium(tmp_path):
    """Kinetic energy by element in hydrogen's potential, and that i-PI's input has the masses."""
    atoms = crystal(tmp_path, 4, 20, [6.0, 25.0, 45.0, 65.0])
    heavy = atoms.copy()
    light = atoms.numbers == 1
    heavy.set_masses(np.where(light, 2.01410178, atomic_masses[57]))
    heavy.write(tmp_path / "crystal.xyz", format="extxyz")
    job = description(tmp_path, 20, 300.0)
    data = run(job, tmp_path)
    assert data.mass.values == pytest.approx([atomic_masses[57], DEUTERIUM], rel=1e-12)
    assert (data.attrs["formula"], data.attrs["isotopes"]) == ("LaD10", "H: D")
    given = Path(job["outputs"]["xml"]).read_text()
    assert given.count(f"{DEUTERIUM:.12g}") == 20 and "<masses mode='manual'" in given
    frequency = atoms.arrays["frequency"] / np.where(light, np.sqrt(DEUTERIUM / 1.00794), 1.0)
    exact = 1.5 * quantum_energy(frequency, 300.0)
    kinetic, error = measured(data, "kinetic_energy")
    expected = np.array([exact[~light].sum(), exact[light].sum()])
    assert (error < 0.02 * expected).all()
    assert (abs(kinetic - expected) < 4 * error).all()
    natural = 1.5 * quantum_energy(atoms.arrays["frequency"], 300.0)[light].sum()
    assert kinetic[1] < natural - 10 * error[1]


@pytest.mark.slow
def test_phonons_of_lad10_are_those_of_its_dynamical_matrix(tmp_path):
    """Σω² of modes, weighted by an element's share, is the trace of its force constants over its
    mass: exact for any crystal, so H's falls by the ratio of the masses and La's stays."""
    from lah10.phonons.reference import compute

    traces, zero_point = [], []
    for isotopes in ({}, {"H": "D"}):
        found = compute(
            SHIPPED,
            [ROOT / "resources/structures/Fm-3m.cif"],
            300.0,
            tmp_path / "harmonic.nc",
            supercell=(1, 1, 1),
            mesh=(2, 2, 2),
            isotopes=isotopes,
        )
        assert json.loads(found.attrs["versions"])["phonopy"]
        squares = found.frequency * abs(found.frequency) * found.element_weight
        traces.append(squares.sum("branch"))
        zero_point.append(float((found.frequency.clip(0) * found.weight).sum()))
    assert found.attrs["isotopes"] == "H: D" and found.attrs["formula"] == "LaD10"
    ratio = traces[1] / traces[0]
    assert ratio.sel(element="H").values == pytest.approx(HYDROGEN / DEUTERIUM, rel=1e-4)
    assert ratio.sel(element="La").values == pytest.approx(1.0, rel=1e-4)
    # Zero-point energy: nearly all of it is hydrogen's.
    assert zero_point[1] / zero_point[0] == pytest.approx(np.sqrt(HYDROGEN / DEUTERIUM), rel=0.02)
