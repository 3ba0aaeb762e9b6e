"""What readers of foreign files give back, whatever the order, hands, orientation and units there.

Each property writes a made-up crystal, with ASE or as a program would, and compares what is read:
the same lattice, elements on the same places, energy, forces and stress.
"""

import re
from dataclasses import replace
from pathlib import Path

import ase
import ase.io
import numpy as np
import pytest
from ase.calculators.singlepoint import SinglePointCalculator
from ase.neighborlist import neighbor_list
from hypothesis import given
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation

import labelled
import made_up_outputs
from crystals import cubic_lah10
from lah10 import ELEMENTS
from lah10.crystal import isotopes, structures
from lah10.potential.data import (
    dataset,
    deepmd_folders,
    dft_outputs,
    from_dpdata,
    systems,
)
from lah10.potential.data import structures as to_label

#: Bases of a lattice: exchanged and reversed vectors, and sums; the second half is left-handed.
BASES = [
    np.array(rows)
    for rows in (
        [[1, 0, 0], [0, 1, 0], [0, 0, 1]],
        [[0, 1, 0], [0, 0, 1], [1, 0, 0]],
        [[-1, 0, 0], [0, -1, 0], [0, 0, 1]],
        [[1, 0, 0], [1, 1, 0], [0, 0, 1]],
        [[0, 1, 0], [1, 0, 0], [0, 0, 1]],
        [[-1, 0, 0], [0, -1, 0], [0, 0, -1]],
        [[1, 0, 0], [0, 0, 1], [1, 1, 0]],
    )
]


@st.composite
def described(draw):
    """Frames of LaH10 with labels, described in one of many ways."""
    system = labelled.system(
        frames=draw(st.integers(1, 3)),
        seed=draw(st.integers(0, 50)),
        volume=draw(st.floats(27.0, 38.0)),
    )
    rng = np.random.default_rng(draw(st.integers(0, 2**31)))
    # A stress with shear.
    shear = rng.normal(size=(len(system), 3, 3)) * 0.3
    system = replace(system, virials=system.virials + shear + shear.transpose(0, 2, 1))
    turn = Rotation.random(random_state=rng).as_matrix() if draw(st.booleans()) else np.eye(3)
    order = rng.permutation(system.n_atoms) if draw(st.booleans()) else np.arange(system.n_atoms)
    basis = draw(st.sampled_from(BASES))
    return replace_all(
        system,
        types=system.types[order],
        boxes=basis @ system.boxes @ turn.T,
        coordinates=(system.coordinates @ turn.T)[:, order],
        forces=(system.forces @ turn.T)[:, order],
        virials=turn @ system.virials @ turn.T,
    )


class Described:
    """The data of a `System` without its checks, which change a left-handed cell."""

    def __init__(self, **data):
        self.__dict__.update(data)

    def __len__(self):
        return len(self.energies)

    @property
    def n_atoms(self):
        return len(self.types)

    @property
    def volumes(self):
        return np.abs(np.linalg.det(self.boxes))


def replace_all(system, **data):
    names = ("types", "boxes", "coordinates", "energies", "forces", "virials")
    return Described(**{name: getattr(system, name) for name in names} | data)


def as_ase(system, frame, labelled_=True) -> ase.Atoms:
    atoms = ase.Atoms(
        made_up_outputs.symbols(system),
        system.coordinates[frame],
        cell=system.boxes[frame],
        pbc=True,
    )
    if labelled_:
        atoms.calc = SinglePointCalculator(
            atoms,
            energy=system.energies[frame],
            forces=system.forces[frame],
            stress=-system.virials[frame] / atoms.get_volume(),
        )
    return atoms


def same_crystal(read, frame, written, of, digits):
    """The same lattice, and for every atom the one of the same element at its place; their order.

    Both as `System`s with Cartesian data.
    """
    box, other = read.boxes[frame], written.boxes[of]
    assert np.linalg.det(box) > 0
    change = box @ np.linalg.inv(other)
    np.testing.assert_allclose(change, change.round(), atol=digits)
    assert abs(abs(np.linalg.det(change)) - 1) < 1e-3
    away = (read.coordinates[frame][:, None] - written.coordinates[of]) @ np.linalg.inv(box)
    distance = np.linalg.norm((away - away.round()) @ box, axis=2)
    order = distance.argmin(axis=1)
    assert sorted(order) == list(range(read.n_atoms))
    assert distance[np.arange(read.n_atoms), order].max() < digits
    np.testing.assert_array_equal(read.types, written.types[order])
    return order


def compare(read, written, digits):
    assert len(read) == len(written)
    for i in range(len(read)):
        order = same_crystal(read, i, written, i, digits)
        np.testing.assert_allclose(read.energies[i], written.energies[i], atol=1e-6)
        np.testing.assert_allclose(read.forces[i], written.forces[i][order], atol=1e-5)
        np.testing.assert_allclose(read.virials[i], written.virials[i], atol=3e-3)
    np.testing.assert_allclose(read.volumes, written.volumes, rtol=1e-6)


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    """For files that every example writes anew: a property has one for all examples."""
    return tmp_path_factory.mktemp("readers")


@given(described())
def test_extended_xyz(folder, system):
    path = folder / "a.xyz"
    ase.io.write(path, [as_ase(system, i) for i in range(len(system))], format="extxyz")
    (read,) = dataset.read(path)
    compare(read, system, 1e-6)


@given(described(), st.booleans())
def test_deepmd(folder, system, reverse):
    """Also where the folder numbers its types in another order."""
    target = folder / "deepmd"
    data = vars(system) | {"frames": tuple(map(str, range(len(system)))), "name": "a"}
    deepmd_folders.write_deepmd(systems.System(**data), target)
    np.save(target / "set.000/box.npy", system.boxes.reshape(len(system), 9))
    if reverse:
        (target / "type_map.raw").write_text("\n".join(ELEMENTS[::-1]) + "\n")
        np.savetxt(target / "type.raw", 1 - system.types, fmt="%d")
    (read,) = dataset.read(target)
    compare(read, system, 1e-9)


def converted(path):
    frames, origins, left_out = dft_outputs.read_output(path)
    assert not left_out
    (read,) = from_dpdata.merge([(frames, origins)], "made-up")
    return read


@given(described())
def test_outcar(folder, system):
    # VASP's atoms are sorted into blocks of one element.
    order = np.argsort(system.types, kind="stable")
    for name in ("coordinates", "forces"):
        setattr(system, name, getattr(system, name)[:, order])
    system.types = system.types[order]
    path = folder / "OUTCAR"
    path.write_text(made_up_outputs.outcar(system))
    compare(converted(path), system, 1e-4)


@given(described(), st.sampled_from([0.0, 1500.0]))
def test_vasprun(folder, system, pstress):
    path = folder / "vasprun.xml"
    path.write_text(made_up_outputs.vasprun(system, pstress=pstress))
    compare(converted(path), system, 1e-6)


@given(
    described(),
    st.sampled_from(["angstrom", "bohr", "alat"]),
    st.sampled_from(["angstrom", "bohr", "alat", "crystal"]),
)
def test_pw_x(folder, system, cell, positions):
    path = folder / "pw.out"
    made_up_outputs.write_pwscf(system, 0, path, cell=cell, positions=positions)
    one = replace_all(
        system,
        **{
            name: getattr(system, name)[:1]
            for name in ("boxes", "coordinates", "energies", "forces", "virials")
        },
    )
    compare(converted(path), one, 1e-5)


#: Formats of structures, the digits that they keep (Å), and whether they keep the orientation.
FORMATS = {
    "extxyz": ("s.xyz", 1e-6, True),
    "vasp": ("POSCAR", 1e-6, True),
    "traj": ("s.traj", 1e-9, True),
    "cif": ("s.cif", 2e-4, False),
}


@given(described(), st.sampled_from(sorted(FORMATS)))
def test_structures_to_label_and_to_start_from(folder, system, name):
    file, digits, oriented = FORMATS[name]
    atoms = as_ase(system, 0, labelled_=False)
    atoms.write(folder / file, format=name)
    (structure,) = to_label.read_structures(folder / file).values()
    for read in (structure.atoms, structures.read_crystal(folder / file)):
        assert np.linalg.det(read.cell.array) > 0
        assert read.get_volume() == pytest.approx(atoms.get_volume(), rel=1e-4)
        if oriented:
            same_crystal(systems.unlabelled_frames([read]), 0, system, 0, digits)
        # Without an orientation, distances between elements are what stays.
        for pair in ("La", "La"), ("La", "H"), ("H", "H"):
            ours, theirs = (distances(one, *pair) for one in (read, atoms))
            np.testing.assert_allclose(ours, theirs, atol=10 * digits)
    (folder / file).unlink()


@given(described(), st.sampled_from(["extxyz", "vasp", "cif"]), st.sampled_from(["D", "T"]))
def test_a_crystal_of_isotopes_is_that_of_hydrogen_with_other_masses(folder, system, name, symbol):
    """Whatever the order of atoms, the handedness and the orientation."""
    file, *_ = FORMATS[name]
    atoms = as_ase(system, 0, labelled_=False)
    atoms.write(folder / file, format=name)
    natural = structures.read_crystal(folder / file)
    text = (folder / file).read_text()
    (folder / file).write_text(re.sub(r"(?<!\S)H(?=\d*\s)", symbol, text))
    heavy = structures.read_crystal(folder / file)
    assert isotopes.of_atoms(heavy, "") == {"H": symbol} and not natural.has("masses")
    assert (heavy.numbers == natural.numbers).all()
    assert (heavy.positions == natural.positions).all()
    assert (heavy.cell.array == natural.cell.array).all()
    (folder / file).unlink()


def distances(atoms, one, other):
    """Sorted distances below 3 Å between atoms of two elements, their images included."""
    first, second, distance = neighbor_list("ijd", atoms, 3.0)
    symbols = np.array(atoms.get_chemical_symbols())
    return np.sort(distance[(symbols[first] == one) & (symbols[second] == other)])


@given(
    st.sampled_from(BASES),
    st.integers(0, 2**31),
    st.sampled_from(["primitive", "conventional"]),
    st.tuples(st.integers(1, 2), st.integers(1, 2), st.integers(1, 2)),
)
def test_supercells(folder, basis, seed, cell, repeat):
    """The same supercell, atom by atom, from whichever description of the crystal."""
    rng = np.random.default_rng(seed)
    usual = cubic_lah10()
    crystal = usual.copy()[rng.permutation(len(usual))]
    turn = Rotation.random(random_state=rng).as_matrix()
    crystal.set_cell(crystal.cell.array @ turn.T, scale_atoms=True)
    crystal.cell = basis @ crystal.cell.array
    crystal.write(folder / "crystal.xyz")
    built = structures.build_supercell(
        structures.read_crystal(folder / "crystal.xyz"), cell, repeat
    )
    structures.write_supercell(folder / "supercell.xyz", built)
    read = structures.read_supercell(folder / "supercell.xyz")
    expected = structures.build_supercell(usual, cell, repeat)
    np.testing.assert_allclose(read.cell.array, expected.cell.array, atol=1e-6)
    np.testing.assert_allclose(read.positions, built.positions, atol=1e-7)
    assert (read.arrays["site"] == built.arrays["site"]).all()
    assert sorted(read.arrays["site"]) == sorted(expected.arrays["site"])
    for pair in ("La", "La"), ("La", "H"), ("H", "H"):
        np.testing.assert_allclose(distances(read, *pair), distances(expected, *pair), atol=1e-5)
