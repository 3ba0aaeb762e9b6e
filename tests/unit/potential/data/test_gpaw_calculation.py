"""Energies, forces and stresses by GPAW itself, and what is told without it."""

import json
import os
import subprocess
import sys

import ase
import ase.io
import numpy as np
import pytest

from campaigns import REPOSITORY
from lah10.config import training as settings
from lah10.errors import UserError
from lah10.potential.data import gpaw_calculation, labels
from lah10.units import EV_PER_A3_IN_GPA
from unlabelled import GPAW, OWN_FRAMES


def test_without_gpaw_the_way_out_is_told(structures, monkeypatch):
    monkeypatch.setitem(sys.modules, "gpaw", None)
    with pytest.raises(UserError, match=r"GPAW cannot be imported by .*install it with `make dft`"):
        gpaw_calculation.run_gpaw(next(iter(structures.values())).atoms, GPAW)


def test_the_defaults_are_those_of_the_data_set():
    card = " ".join((OWN_FRAMES.parent / "README.md").read_text().split())
    for text in (
        f"{GPAW.xc}, plane waves {GPAW.cutoff:g} eV",
        f"Γ-centred k-points of density {GPAW.kpoint_density:g} Å",
        f"{GPAW.smearing.title()} order 1, {GPAW.smearing_width:g} eV",
        "energy and density converged to 2e-5",
    ):
        assert text in card
    assert GPAW.energy_tolerance == GPAW.density_tolerance == 2e-5


def test_settings_survive_json():
    assert settings.Gpaw.model_validate_json(GPAW.model_dump_json()) == GPAW
    assert json.loads(GPAW.model_dump_json())["cutoff"] == "600 eV"


def with_gpaw(test):
    """Skip where GPAW cannot be imported, and say how it could be."""
    try:
        import gpaw  # noqa: F401
    except ImportError as error:
        reason = f"GPAW is not installed ({error}); `make dft` installs it"
        return pytest.mark.skip(reason=reason)(test)
    return test


#: GPAW keeps memory, so every calculation is a process of its own, as in the workflow.
CHILD = """
import sys
from lah10.potential.data import labels
from lah10.potential.data.structures import read_structures
from lah10.config import training as settings
(structure,) = read_structures(sys.argv[1]).values()
labels.label(structure, settings.Gpaw.model_validate_json(sys.argv[2]), sys.argv[3])
"""


def by_gpaw(tmp_path, atoms, how, timeout=600):
    source, path = tmp_path / "structure.xyz", tmp_path / "label.xyz"
    ase.io.write(source, atoms, columns=["symbols", "positions"], write_results=False)
    command = [sys.executable, "-c", CHILD, source, how.model_dump_json(), path]
    env = os.environ | {"PYTHONPATH": str(REPOSITORY / "workflow/scripts")}
    done = subprocess.run(command, env=env, capture_output=True, text=True, timeout=timeout)
    assert done.returncode == 0, done.stderr
    return labels.read(path)


@with_gpaw
@pytest.mark.slow
def test_gpaw_at_toy_settings(tmp_path):
    """Hydrogen alone, few plane waves: forces are the slope of the energy."""
    coarse = {"cutoff": "200 eV", "kpoint_density": "0.5 Å", "energy_tolerance": "1e-7 eV"}
    how = settings.Gpaw.model_validate(coarse)
    energies, forces = [], []
    for i, shift in enumerate((-0.01, 0.0, 0.01)):
        atoms = ase.Atoms(
            "H2", positions=[[0, 0, 0], [0.9 + shift, 0, 0]], cell=3 * [1.9], pbc=True
        )
        (tmp_path / str(i)).mkdir()
        label = by_gpaw(tmp_path / str(i), atoms, how)
        assert label.reason is None and label.versions["gpaw"]
        energies.append(label.atoms.get_potential_energy())
        forces.append(label.atoms.get_forces()[1, 0])
        assert label.atoms.get_stress().shape == (6,)
    assert (energies[0] - energies[2]) / 0.02 == pytest.approx(forces[1], abs=0.02)
    impatient = settings.Gpaw.model_validate(coarse | {"iterations": 2})
    (tmp_path / "failed").mkdir()
    failed = by_gpaw(tmp_path / "failed", atoms, impatient)
    assert failed.reason.startswith("not converged within 2 iterations (KohnSham")


@with_gpaw
@pytest.mark.slow
def test_a_frame_of_the_data_set_is_found_again(tmp_path, record_property):
    """At full settings, the labels that were stored: minutes."""
    stored = ase.io.read(OWN_FRAMES, index=12)
    assert len(stored) == 11
    label = by_gpaw(tmp_path, stored, GPAW, timeout=3600)
    energy = label.atoms.get_potential_energy() - stored.get_potential_energy()
    forces = np.abs(label.atoms.get_forces() - stored.get_forces()).max()
    stress = np.abs(label.atoms.get_stress() - stored.get_stress()).max() * EV_PER_A3_IN_GPA
    record_property("meV/atom", float(energy / len(stored) * 1e3))
    record_property("eV/Å", float(forces))
    record_property("GPa", float(stress))
    print(f"{energy / len(stored) * 1e3:.2g} meV/atom, {forces:.2g} eV/Å, {stress:.2g} GPa")
    # Other versions of the libraries move digits within the tolerances of the calculation.
    assert abs(energy) / len(stored) < 1e-4
    assert forces < 5e-3
    assert stress < 0.05
