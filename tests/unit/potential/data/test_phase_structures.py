"""Structures that tell phases apart: grid, ends, thermal pairs."""

import numpy as np
import pytest
from ase.calculators.calculator import Calculator, all_changes
from ase.data import atomic_masses, atomic_numbers

from lah10.crystal.rhombohedral import Rhombohedral
from lah10.potential.data import phase_structures
from lah10.units import BOLTZMANN


class Free(Calculator):
    """No forces: every mode is as soft as can be."""

    implemented_properties = ("energy", "forces", "stress")

    def calculate(self, atoms=None, properties=("energy",), system_changes=all_changes):
        super().calculate(atoms, properties, system_changes)
        self.results = {"energy": 0.0, "forces": np.zeros((len(atoms), 3)), "stress": np.zeros(6)}


class Well:
    """A minimum at one R-3m crystal of each volume, as a function of its free numbers."""

    minimum = np.array([62.0, 0.258, 0.105, -0.110, 0.380])
    stiffness = np.array([0.01, 100.0, 100.0, 100.0, 100.0])


def ends(volume: float) -> tuple[Rhombohedral, Rhombohedral]:
    return (
        Rhombohedral.cubic(volume, 0.1208),
        Rhombohedral(volume, 62.08, 0.2575, 0.1046, -0.1101, 0.3790),
    )


def test_the_grid_has_a_frame_for_every_volume_and_share():
    frames = phase_structures.path_grid(ends)
    volumes, shares = phase_structures.VOLUMES, phase_structures.SHARES
    assert len(frames) == len(volumes) * len(shares) >= 150
    assert len(volumes) >= 8
    internal = [share for _, share in shares]
    assert (min(internal), max(internal)) == (-0.25, 1.25)
    for atoms in frames:
        assert len(atoms) == 11
        assert atoms.get_volume() == pytest.approx(atoms.info["volume"])
    on_it = [f for f in frames if f.info["angle"] == f.info["internal"] == 1.0]
    assert on_it[0].cell.angles() == pytest.approx(3 * [62.08])


def test_relaxed_finds_the_minimum(monkeypatch):
    def energy(calculator, crystal):
        away = crystal.free - Well.minimum
        return float(0.5 * np.sum(Well.stiffness * away**2)), Well.stiffness * away

    monkeypatch.setattr(phase_structures, "_energy", energy)
    cubic, rhombohedral = phase_structures.relaxed(None, 33.2)
    np.testing.assert_allclose(rhombohedral.free, Well.minimum, atol=1e-3)
    # Of t, x = -t and z = 3t the least-squares compromise.
    assert cubic.t == pytest.approx((0.105 + 0.110 + 3 * 0.380) / 11, abs=1e-4)


def test_pairs_differ_by_the_path_alone():
    kinds = (("classical", 300.0, 8), ("quantum", 100.0, 8))
    frames = phase_structures.thermal_pairs(ends, Free(), [33.2], kinds)
    assert len(frames) == 32
    moves = {"classical": [], "quantum": []}
    for one, other in zip(frames[::2], frames[1::2], strict=True):
        assert one.info["pair"] == other.info["pair"]
        assert (one.info["end"], other.info["end"]) == ("Fm-3m", "R-3m")
        assert one.get_volume() == pytest.approx(2 * 33.2)
        found = []
        for atoms, crystal in zip((one, other), ends(33.2), strict=True):
            sites = phase_structures._doubled(crystal)
            fractional = atoms.get_scaled_positions() - sites.get_scaled_positions()
            fractional -= np.round(fractional)
            found.append(fractional @ sites.cell.array)
        # The same displacements, to the first order in the strain that separates the cells.
        np.testing.assert_allclose(found[0], found[1], atol=0.02)
        moves[one.info["statistics"]].append(found[0][one.numbers == 1])
    # All modes are stiffened to one frequency, so amplitudes are those of an oscillator.
    omega = 2 * np.pi * phase_structures.SOFTEST * 1e12
    mass = atomic_masses[atomic_numbers["H"]] * 1.66053907e-27
    kt = BOLTZMANN * 1.602176634e-19 * 300.0
    classical = 1e10 * np.sqrt(kt / mass) / omega
    assert np.sqrt(np.mean(np.square(moves["classical"]))) == pytest.approx(classical, rel=0.1)
    x = 1.054571817e-34 * omega / (2 * BOLTZMANN * 1.602176634e-19 * 100.0)
    quantum = 1e10 * np.sqrt(1.054571817e-34 / (2 * mass * omega) / np.tanh(x))
    assert np.sqrt(np.mean(np.square(moves["quantum"]))) == pytest.approx(quantum, rel=0.1)
