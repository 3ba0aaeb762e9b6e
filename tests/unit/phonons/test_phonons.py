"""Frequencies and elements of crystals of springs, which are known in closed form."""

import numpy as np
import xarray as xr
from ase import Atoms

from lah10.crystal.isotopes import of_atoms, with_isotopes
from lah10.nuclides import MASSES
from lah10.phonons import phonons, relaxation
from springs import Springs, chain_frequencies


def full_mesh(dataset: xr.Dataset, count: int) -> np.ndarray:
    """Frequencies repeated by the weight of their wave vector, sorted."""
    repeats = np.rint(dataset.weight.values * count).astype(int)
    assert repeats.sum() == count
    return np.sort(np.repeat(dataset.frequency.values, repeats, axis=0), axis=None)


def test_frequencies_of_the_spring_crystal(dataset):
    expected = np.sort(chain_frequencies(4), axis=None)
    found = full_mesh(dataset, 64)
    assert len(found) == len(expected)
    # Squares, because a zero is as exact in ω² as the rest.
    np.testing.assert_allclose(found * abs(found), expected**2, atol=0.05, rtol=1e-4)


def test_weights_of_the_elements(dataset, rocksalt):
    np.testing.assert_allclose(dataset.element_weight.sum("element"), 1.0, rtol=1e-9)
    heavy, light = rocksalt.get_masses()
    at_gamma = dataset.isel(q=0)
    optical = at_gamma.element_weight.sel(element="La")[3:]
    np.testing.assert_allclose(optical, light / (heavy + light), rtol=1e-5)


def test_translations_do_not_count(dataset):
    assert dataset.counted.isel(q=0).values.tolist() == [0, 0, 0, 1, 1, 1]
    assert dataset.counted.isel(q=slice(1, None)).values.all()


def test_an_unstable_crystal_of_springs(rocksalt):
    unstable = phonons.phonons(rocksalt, Springs(hydrogen=-5.0), (3, 3, 3), (4, 4, 4))
    assert unstable.imaginary_share > 0.01
    assert unstable.lowest_frequency < -phonons.IMAGINARY


def test_repeats():
    cell = Atoms("H", cell=[2.0, 3.0, 10.0], pbc=True)
    assert phonons.repeats(cell, 8.5) == [5, 3, 1]
    assert phonons.repeats(cell, (1, 2, 3)) == [1, 2, 3]


def test_frequencies_of_the_deuterated_spring_crystal(rocksalt):
    """The same springs in closed form with deuterium's mass; hydrogen's own modes, at the edge of
    the zone, fall by the root of the masses."""
    heavy = with_isotopes(rocksalt, {"H": "D"})
    dataset = phonons.phonons(heavy, Springs(), supercell=(4, 4, 4), mesh=(4, 4, 4))
    expected = np.sort(chain_frequencies(4, MASSES["H"]["D"]), axis=None)
    found = full_mesh(dataset, 64)
    np.testing.assert_allclose(found * abs(found), expected**2, atol=0.05, rtol=1e-4)
    usual = chain_frequencies(2)
    ratio = np.sqrt(rocksalt.get_masses()[1] / MASSES["H"]["D"])
    own = chain_frequencies(2, MASSES["H"]["D"]).max(axis=None) / usual.max(axis=None)
    assert ratio < own < 1  # the highest are optical modes in which La moves a little


def test_isotopes_survive_relaxation_and_reduction(rocksalt):
    heavy = with_isotopes(rocksalt.repeat(2), {"H": "T", "La": "La-138"})
    cell = relaxation.primitive(heavy)
    assert len(cell) == 2
    assert of_atoms(cell, "") == {"H": "T", "La": "La-138"}
    assert not relaxation.primitive(rocksalt.repeat(2)).has("masses")
