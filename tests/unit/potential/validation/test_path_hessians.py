"""Second derivatives of crystals on the path: of a known energy, and as a file."""

import ase.io
import numpy as np
import pytest
from ase.calculators.lj import LennardJones

from campaigns import REPOSITORY
from lah10.crystal.rhombohedral import Rhombohedral
from lah10.errors import UserError
from lah10.potential.evaluate import Prediction
from lah10.potential.validation import path_hessians

CUBIC = Rhombohedral.cubic(33.2, 0.1208)
R3M = Rhombohedral(33.2, 62.08, 0.2575, 0.1046, -0.1101, 0.3790)
LABELS = REPOSITORY / "resources/dataset/lah10-gpaw-pbe-phases"


def calculator():
    return LennardJones(sigma=1.2, epsilon=0.1, rc=4.0, smooth=True)


def evaluate_all(models, systems, threads):
    """Lennard-Jones atoms, the second model twice as stiff."""
    (system,) = systems
    found = [[], [], []]
    for box, positions in zip(system.boxes, system.coordinates, strict=True):
        atoms = ase.Atoms("LaH10", positions, cell=box, pbc=True, calculator=calculator())
        found[0].append(atoms.get_potential_energy())
        found[1].append(atoms.get_forces())
        found[2].append(-atoms.get_stress(voigt=False) * atoms.get_volume())
    energies, forces, virials = map(np.array, found)
    return [[Prediction(k * energies, k * forces, k * virials)] for k in (1, 2)]


@pytest.fixture
def made(monkeypatch, tmp_path):
    for name in ("one.pb", "two.pb"):
        (tmp_path / name).write_text(name)
    monkeypatch.setattr(path_hessians, "evaluate_all", evaluate_all)
    models = {name: tmp_path / f"{name}.pb" for name in ("one", "two")}
    return path_hessians.make(models, {33.2: (CUBIC, R3M)}, (0.0, 1.0)), models


def test_they_are_second_derivatives(made):
    found, _ = made
    assert [(one.model, one.share) for one in found] == [
        ("one", 0.0), ("one", 1.0), ("two", 0.0), ("two", 1.0)]  # fmt: skip
    one, two = (path_hessians.of(found, 33.2, 1.0)[name] for name in ("one", "two"))
    np.testing.assert_allclose(two, 2 * one)
    assert path_hessians.of(found, 33.2, 0.5) == {}

    def energy(move):
        atoms = R3M.at(R3M.free + move * path_hessians.SCALE).atoms()
        atoms.calc = calculator()
        return atoms.get_potential_energy()

    rest, far = energy(np.zeros(5)), 0.1
    for direction in (*np.eye(5), np.array([1.0, 0.5, -0.5, 0.5, 1.0])):
        curvature = (energy(far * direction) + energy(-far * direction) - 2 * rest) / far**2
        assert direction @ one @ direction == pytest.approx(curvature, rel=0.03)


def test_they_are_read_as_they_are_written(made, tmp_path):
    found, models = made
    path_hessians.write(found, models, tmp_path / "hessians.txt")
    again = path_hessians.read(tmp_path / "hessians.txt")
    for one, other in zip(found, again, strict=True):
        assert (one.volume, one.share, one.model) == (other.volume, other.share, other.model)
        np.testing.assert_allclose(one.matrix, other.matrix, rtol=1e-5)
    with (tmp_path / "hessians.txt").open("a") as file:
        file.write("33.2 0.5 one 1 2 3\n")
    with pytest.raises(UserError, match=r"hessians\.txt: line 10: expected volume, share"):
        path_hessians.read(tmp_path / "hessians.txt")
    with pytest.raises(UserError, match="cannot be read"):
        path_hessians.read(tmp_path / "none.txt")


def test_the_ends_of_a_path_are_found_from_its_crystals(tmp_path):
    frames = []
    for share in (0.0, -0.25, 0.5):
        atoms = CUBIC.towards(R3M, share, share).atoms()
        atoms.info |= {"volume": 33.2, "angle": share, "internal": share}
        frames.append(atoms)
    path = tmp_path / "path.xyz"
    ase.io.write(path, frames, format="extxyz")
    ((cubic, end),) = path_hessians.ends([path]).values()
    np.testing.assert_allclose(cubic.free, CUBIC.free, atol=1e-6)
    np.testing.assert_allclose(end.free, R3M.free, atol=1e-6)
    ase.io.write(path, frames[1:], format="extxyz")
    with pytest.raises(UserError, match=r"no path at 33\.2 Å³: expected Fm-3m"):
        path_hessians.ends([path])
    frames[1].positions[3] += 0.01
    ase.io.write(path, frames, format="extxyz")
    with pytest.raises(UserError, match=r"path\.xyz: frame 2: no crystal on the path"):
        path_hessians.ends([path])


def test_those_of_the_labels_are_of_stable_directions():
    """Every labelled volume has all shares, and one soft direction at most."""
    found = path_hessians.read(LABELS / "hessians.txt")
    ends = path_hessians.ends(sorted(LABELS.glob("path*.xyz")))
    for volume in ends:
        for share in path_hessians.ON_PATH:
            known = path_hessians.of(found, volume, share)
            assert len(known) == 2
            for matrix in known.values():
                assert np.linalg.eigvalsh(matrix)[1] > 0.015


@pytest.mark.slow
def test_the_file_holds_what_the_potentials_have():
    """Of one volume; of those models that are still in the project."""
    path = LABELS / "hessians.txt"
    models = {name: REPOSITORY / f"resources/potentials/{name}/lah10.pb"
              for name in ("lah10", "lah10-2")}  # fmt: skip
    ends = path_hessians.ends(sorted(LABELS.glob("path*.xyz")))
    volume = 33.2
    for one in path_hessians.make(models, {volume: ends[volume]}, (0.75, 1.0)):
        stored = path_hessians.of(path_hessians.read(path), volume, one.share)[one.model]
        # Another model of the kind may take a place, and the file stays: within what models differ.
        np.testing.assert_allclose(one.matrix, stored, atol=0.03)
