"""Phonons beside DFT: the displaced crystals, and frequencies of springs that are known."""

import json
import re
from pathlib import Path

import ase.io
import numpy as np
import pytest
import spglib
from ase.neighborlist import neighbor_list

from lah10.config import training as settings
from lah10.errors import UserError
from lah10.potential.data import extended_xyz
from lah10.potential.validation import equation_of_state, phonons

ROOT = Path(__file__).parents[4]
DFT = ROOT / "resources/dataset/lah10-gpaw-pbe"
STATIC, FORCES = DFT / "fm-3m-static.txt", DFT.with_name("lah10-gpaw-pbe-phonons") / "fm-3m.xyz"
MODEL = ROOT / "resources/potentials/lah10/lah10.pb"
#: eV/Å² by pair of elements, within these distances (Å).
SPRINGS = {("La", "La"): (1.0, 3.8), ("La", "H"): (4.0, 2.4), ("H", "H"): (3.0, 1.5)}
#: √(eV/Å²/u) in THz.
TO_THZ = 15.633302


@pytest.fixture(scope="module")
def work():
    return phonons.phonopy_of(4.9, 0.12)


def springs(atoms):
    """(3n, 3n) second derivatives of central springs at their lengths, eV/Å²."""
    n = len(atoms)
    hessian = np.zeros((n, 3, n, 3))
    for pair, (constant, cutoff) in SPRINGS.items():
        i, j, distance, vector = neighbor_list("ijdD", atoms, {pair: cutoff})
        for a, b, d, v in zip(i, j, distance, vector, strict=True):
            block = constant * np.outer(v, v) / d**2
            hessian[a, :, a, :] += block
            hessian[a, :, b, :] -= block
    return hessian.reshape(3 * n, 3 * n)


def perfect(work):
    cell = work.supercell
    return ase.Atoms(cell.symbols, cell=cell.cell, scaled_positions=cell.scaled_positions, pbc=True)


def forces_of_springs(work):
    rest = perfect(work)
    hessian, result = springs(rest), []
    for atoms in phonons.displaced(work):
        shift = (atoms.positions - rest.positions) @ np.linalg.inv(rest.cell.array)
        shift = (shift - np.round(shift)) @ rest.cell.array
        result.append(-(hessian @ shift.ravel()).reshape(-1, 3))
    return result


def test_the_crystal_is_that_of_the_equation_of_state(work):
    mine, other = perfect(work), equation_of_state._fm3m(4.9, 0.12)
    found = [
        spglib.get_symmetry_dataset((a.cell.array, a.get_scaled_positions(), a.numbers)).number
        for a in (mine, other)
    ]
    assert found == [225, 225] and len(mine) == 44
    distances = [np.sort(neighbor_list("d", a, 2.5)) for a in (mine, other)]
    assert distances[0] == pytest.approx(distances[1], abs=1e-9)


def test_each_crystal_has_one_atom_moved_back_and_forth(work):
    rest, moved = perfect(work), []
    for atoms in phonons.displaced(work):
        shift = atoms.positions - rest.positions
        assert np.count_nonzero(np.linalg.norm(shift, axis=1) > 1e-9) == 1
        assert np.linalg.norm(shift) == pytest.approx(phonons.DISPLACEMENT)
        moved.append(shift.sum(axis=0))
    assert np.abs(np.sum(moved, axis=0)).max() < 1e-9


def test_frequencies_at_gamma_and_x_are_those_of_the_cell(work):
    """The Hessian of the 44 atoms has the modes of Γ once and of X three times."""
    rest = perfect(work)
    mass = np.repeat(rest.get_masses(), 3)
    values = np.linalg.eigvalsh(springs(rest) / np.sqrt(np.outer(mass, mass)))
    exact = TO_THZ * np.sign(values) * np.sqrt(np.abs(values))
    gamma, x = phonons.frequencies(
        work, forces_of_springs(work), [phonons.POINTS[name] for name in phonons.EXACT]
    )
    assert np.sort(np.concatenate([gamma, x, x, x])) == pytest.approx(np.sort(exact), abs=2e-3)


def test_stiffer_springs_are_seen_at_every_mode(work):
    forces = forces_of_springs(work)
    result = phonons.compare(work, forces, [1.21 * f for f in forces], 200.0)
    x = result["points"]["X"]
    assert np.array(x["model"]) == pytest.approx(1.1 * np.array(x["dft"]), abs=1e-3)
    dft = np.array(result["points"]["Γ"]["dft"])
    dft = np.delete(dft, np.argsort(np.abs(dft))[:3])
    squares = np.concatenate([(0.1 * dft) ** 2, *[(0.1 * np.array(x["dft"])) ** 2] * 3])
    assert result["rms"] == pytest.approx(np.sqrt(squares.mean()), rel=1e-3)
    assert result["largest"] == pytest.approx(0.1 * max(dft.max(), max(x["dft"])), rel=1e-3)
    assert result["zero_point"]["model"] == pytest.approx(1.1 * result["zero_point"]["dft"])
    assert result["highest"]["dft"] == pytest.approx(max(dft.max(), max(x["dft"])))
    assert result["lowest"]["dft"] == pytest.approx(min(dft.min(), min(x["dft"])))
    json.dumps(result, allow_nan=False)


def test_modes_are_paired_by_how_the_atoms_move():
    """Two branches that swap places between the crystals, and a third in between."""
    frequencies = np.arange(3.0)
    vectors = np.linalg.qr(np.random.default_rng(2).normal(size=(3, 3)))[0].astype(complex)
    turned = vectors[:, [2, 1, 0]] * np.exp([0.3j, 1.1j, -2j])  # phases are nobody's business
    assert phonons.paired((frequencies, vectors), (frequencies, turned)).tolist() == [2, 1, 0]


def test_pairs_do_not_depend_on_vectors_of_a_degenerate_set():
    """Two sets of two that mix a little and swap: any vectors within a set, the same pairs."""
    rng = np.random.default_rng(4)
    mix = np.linalg.qr(np.eye(4)[:, [2, 3, 0, 1]] + 0.2 * rng.normal(size=(4, 4)))[0]
    for _ in range(20):
        turns = [np.linalg.qr(rng.normal(size=(2, 2)))[0] for _ in range(4)]
        zero = np.zeros((2, 2))
        one, other = (
            np.block([[turns[k], zero], [zero, turns[k + 1]]]).astype(complex) for k in (0, 2)
        )
        found = phonons.paired(([1, 1, 5, 5], one), ([2, 2, 4, 4], mix @ other))
        assert sorted(found[:2]) == [2, 3] and sorted(found[2:]) == [0, 1]


def test_branches_that_cross_are_not_mixed_up(work, monkeypatch):
    """The model's two highest branches at every point have changed places, 1 THz apart each.

    Sorted frequencies would agree; the atoms of each branch have another frequency.
    """
    frequencies, vectors = phonons.modes(
        work, forces_of_springs(work), [phonons.POINTS[name] for name in phonons.EXACT]
    )
    frequencies = np.arange(33.0) + np.zeros_like(frequencies)
    frequencies[0, :3] = 0.0
    crossed = vectors.copy()
    crossed[:, :, [31, 32]] = vectors[:, :, [32, 31]]
    answers = iter([(frequencies, vectors), (frequencies, crossed)])
    monkeypatch.setattr(phonons, "modes", lambda *_: next(answers))
    result = phonons.compare(work, forces_of_springs(work), forces_of_springs(work), 200.0)
    assert result["points"]["X"]["pairs"][-2:] == [[31, 32], [32, 31]]
    # Two of 30 modes at Γ and of 33 at X, which counts three times, by 1 THz.
    assert result["rms"] == pytest.approx(np.sqrt((2 + 3 * 2) / (30 + 3 * 33)))
    assert abs(result["largest"]) == pytest.approx(1.0)
    json.dumps(result, allow_nan=False)


def test_another_lattice_constant_leaves_the_displaced_crystals(tmp_path):
    """The labels stay those of the crystals when the equation of state gets a line at 5.4 Å."""
    data = equation_of_state.read(STATIC)
    lengths = equation_of_state.lengths(5.4, 0.1211)
    path = tmp_path / "static.txt"
    path.write_text(
        "\n".join(line for line in STATIC.read_text().splitlines() if "a 5.4" not in line)
        + "\na 5.4 V 39.366 E -30.99 P 74.6 H 0 "
        f"LaH [{lengths['La-H(32f)']:.4f} {lengths['La-H(8c)']:.4f}]\n"
    )
    assert equation_of_state.read(path).pressure.min() < 80 and data.sizes["a"] >= 7
    crystals = [
        phonons.displaced(phonons.phonopy_of(*phonons.at_rest(path, pressure)))
        for pressure in phonons.PRESSURES
    ]
    assert [len(row) for row in phonons.read_forces(FORCES, crystals)] == [6, 6]


def test_forces_are_those_of_the_same_crystals(work, tmp_path):
    """Whatever the file's order is; what is missing is named."""
    crystals, known = phonons.displaced(work), forces_of_springs(work)
    frames = []
    for atoms, forces in zip(crystals, known, strict=True):
        frame = atoms.copy()
        frame.positions += [4.9, 0, 0]  # another image of the same crystal
        frame.calc = ase.calculators.singlepoint.SinglePointCalculator(frame, forces=forces)
        frames.append(frame)
    path = tmp_path / "dft.xyz"
    ase.io.write(path, frames[::-1], format="extxyz")
    assert np.array(phonons.read_forces(path, [crystals])[0]) == pytest.approx(
        np.array(known), abs=1e-7
    )
    ase.io.write(path, frames[:-1], format="extxyz")
    complaint = re.escape(f"no frame is displacement {len(frames) - 1} of the crystal with a = 4.9")
    with pytest.raises(UserError, match=complaint):
        phonons.read_forces(path, [crystals])
    ase.io.write(path, crystals, format="extxyz")
    with pytest.raises(UserError, match="has no forces"):
        phonons.read_forces(path, [crystals])


def test_structures_are_written_for_all_pressures(tmp_path):
    phonons.write_structures(STATIC, tmp_path / "structures.xyz")
    frames = ase.io.read(tmp_path / "structures.xyz", index=":")
    assert [f.info["pressure"] for f in frames] == [200] * 6 + [300] * 6
    pressures = equation_of_state.read(STATIC)
    for frame in (frames[0], frames[-1]):
        assert pressures.a.min() < frame.cell.lengths()[0] < pressures.a.max()


def test_the_shipped_forces_have_the_k_points_of_phonons():
    """Those of other labels are too few: Fm-3m at 200 GPa seems to be unstable with them."""
    training, _ = settings.load(ROOT / "config/training.yaml", root=ROOT)
    assert training.labels.phonons.kpoint_density > training.labels.gpaw.kpoint_density
    for frame in extended_xyz.whole_frames(FORCES):
        assert settings.Gpaw.model_validate_json(frame.info["settings"]) == training.labels.phonons


@pytest.mark.slow
def test_the_shipped_phonons_are_those_of_the_shipped_model(tmp_path):
    """Computed anew, and as near to DFT as the card says."""
    shipped = json.loads((MODEL.parent / "phonons.json").read_text(encoding="utf-8"))
    result, _ = phonons.validate(MODEL, STATIC, FORCES, tmp_path / "phonons.json")
    assert result["model_sha256"] == shipped["model_sha256"]
    for mine, theirs in zip(result["pressures"], shipped["pressures"], strict=True):
        assert mine["rms"] == pytest.approx(theirs["rms"], abs=0.02)
        assert min(theirs["lowest"].values()) > 3  # THz, where nothing is interpolated
        for name in phonons.EXACT:
            assert mine["points"][name]["model"] == pytest.approx(
                theirs["points"][name]["model"], abs=0.05
            )
