"""Walks out of the data: what is asked, and where they break."""

import numpy as np
import pytest

import crystals
from lah10 import ELEMENTS
from lah10.potential.validation import extrapolation_scan
from wrong_model import pair_law


@pytest.fixture
def asked(monkeypatch):
    """The systems that the made-up model is asked about, as they come."""
    systems_asked = []

    def look(model, systems, threads):
        systems_asked.extend(systems)
        return [pair_law(s) for s in systems]

    monkeypatch.setattr(extrapolation_scan, "evaluate", look)
    return systems_asked


def test_walks_meet_the_distances_and_volumes_asked_for(asked):
    crystal = crystals.cubic_lah10(a=5.05)
    walks = extrapolation_scan.walks("model.pb", crystal)
    n = len(extrapolation_scan.SQUEEZES)
    squeezes, pushed = asked[:n], asked[n:]
    for squeezed in squeezes:
        np.testing.assert_allclose(squeezed.volumes / 4, extrapolation_scan.VOLUMES)
    np.testing.assert_allclose(walks["volume"].pressure, 4000 / extrapolation_scan.VOLUMES)
    approaches = extrapolation_scan.APPROACHES.items()
    for system, (pair, distances) in zip(pushed, approaches, strict=True):
        elements = tuple(ELEMENTS.index(element) for element in pair)
        moved = np.abs(system.coordinates - crystal.positions).max(axis=2) > 1e-9
        (atoms,) = {tuple(np.flatnonzero(m)) for m in moved if m.any()}
        assert tuple(system.types[list(atoms)]) == elements
        vectors = system.coordinates[:, atoms[1]] - system.coordinates[:, atoms[0]]
        vectors -= np.round(vectors / 5.05) * 5.05
        np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), distances)


def test_squeezed_crystals_are_strained_and_displaced_as_said(asked):
    extrapolation_scan.walks("model.pb", crystals.cubic_lah10(a=5.05))
    perfect, strained, displaced = asked[:3]
    for boxes, angle in ((perfect.boxes, 60.0), (strained.boxes, 62.08)):
        one, other = (boxes[:, 1] + boxes[:, 2]) / 2, (boxes[:, 0] + boxes[:, 2]) / 2
        cosine = (one * other).sum(axis=1) / np.linalg.norm(one, axis=1) ** 2
        np.testing.assert_allclose(np.degrees(np.arccos(cosine)), angle, atol=0.01)
    moves = displaced.coordinates - perfect.coordinates
    np.testing.assert_allclose(np.linalg.norm(moves, axis=2), 0.1)
    np.testing.assert_allclose(moves, moves[:1].repeat(len(moves), axis=0), atol=1e-12)


def test_a_repulsive_law_rises_all_the_way(repulsive):
    walks = extrapolation_scan.walks("model.pb", crystals.cubic_lah10(a=5.05))
    assert walks["H-H"].energy_rises_to == extrapolation_scan.APPROACHES["H", "H"][-1]
    assert walks["volume"].pressure_rises_to == pytest.approx(4000 / extrapolation_scan.VOLUMES[-1])


def test_a_hole_is_found():
    coordinate = np.array([1.1, 1.0, 0.9, 0.8, 0.7])
    energy = np.array([0.0, 0.1, 0.3, 0.2, 9.0])
    pressure = np.array([100, 150, 140, 300, 400.0])
    walk = extrapolation_scan.Walk(coordinate, energy, pressure=pressure)
    assert walk.energy_rises_to == 0.9
    assert walk.pressure_rises_to == 150
