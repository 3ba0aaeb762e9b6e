"""Frames that cannot be LaH10 under pressure are named."""

from dataclasses import replace

import numpy as np
import pytest

import labelled
from campaigns import REPOSITORY
from lah10.errors import UserError
from lah10.potential.data import dataset, deepmd_folders, plausibility

HARTREE, BOHR = 27.2114, 0.529177


def change(folder, key, function):
    file = folder / "set.000" / f"{key}.npy"
    np.save(file, function(np.load(file)))


def one_frame(function, frame=3):
    def changed(array):
        array = array.copy()
        array[frame] = function(array[frame])
        return array

    return changed


def test_mixed_up_elements_are_told(folder):
    """La where H was: of the same numbers, so that nothing else is wrong."""
    types = np.loadtxt(folder / "type.raw", dtype=int)
    np.savetxt(folder / "type.raw", np.roll(types, 1), fmt="%d")
    with pytest.raises(UserError, match=r"frame 0: .* La and (La|H) .* got [01]\.\d+ Å .*mixed up"):
        plausibility.check(deepmd_folders.read_deepmd(folder, "a"))


BAD_ARRAYS = {
    "NaN": ("force", one_frame(lambda f: f * np.nan), r"set.000 frame 3: forces with NaN"),
    "no energy at all": (
        "energy",
        lambda e: e * np.nan,
        r"set.000 frame 0: energies with NaN .*4 more frames",
    ),
    "infinite energy": (
        "energy",
        one_frame(lambda e: np.inf),
        r"frame 3: energies with NaN or inf",
    ),
    "empty": ("energy", lambda e: e[:0], r"energy.npy: empty"),
    "one file shorter": ("energy", lambda e: e[:-1], r"set.000: frames differ in number.*energy 4"),
    "a lost atom": (
        "coord",
        lambda c: c[:, :-3],
        r"coord.npy: expected 33 numbers a frame.*shape \(5, 30\)",
    ),
    "whole numbers": ("energy", lambda e: e.astype(int), r"energy.npy: expected .* got int64"),
    "energy of one frame in hartree": (
        "energy",
        one_frame(lambda e: e / HARTREE),
        r"frame 3: expected an energy within 2 eV an atom.*got -0.*mixed units",
    ),
    "forces in hartree/bohr": (
        "force",
        lambda f: f / HARTREE * BOHR,
        r"set.000 frame 0: expected a median rms force",
    ),
    "cell in bohr": ("box", lambda b: b / BOHR, r"frame 0: .* got 20.*bohr.*4 more frames"),
    "fractional coordinates": ("coord", lambda c: c * 0.2, r"frame 0: .* got two 0\.\d+ Å apart"),
    "an atom on another": (
        "coord",
        one_frame(lambda c: np.concatenate([c[:-3], c[-6:-3] + 0.1])),
        r"frame 3: expected atoms 0.35 Å apart or more, got two 0\.17 Å apart",
    ),
    "forces of other atoms": (
        "force",
        one_frame(lambda f: f + 0.1),
        r"frame 3: expected forces that add up to at most 0.1 eV/Å, got 1.1 ",
    ),
    "one atom's force lost": (
        "force",
        one_frame(lambda f: np.concatenate([f[:6], 0 * f[6:9], f[9:]])),
        r"frame 3: expected forces that add up to at most 0.1 eV/Å, got 0\.\d+ ",
    ),
    "virial of the wrong sign": ("virial", lambda v: -v, r"frame 0: .*pressure.* got -1\d\d.*sign"),
    "one virial in kbar": ("virial", one_frame(lambda v: 10 * v), r"frame 3: .* got 1\d\d\d from"),
    "virial in hartree": ("virial", lambda v: v / HARTREE, r"frame 0: .* got 5\.\d+ from"),
}


@pytest.mark.parametrize("key, function, message", BAD_ARRAYS.values(), ids=BAD_ARRAYS)
def test_bad_arrays_are_named(folder, key, function, message):
    change(folder, key, function)
    with pytest.raises(UserError, match=message):
        deepmd_folders.read_deepmd(folder, "a")


def test_the_projects_own_frames_pass_every_check():
    systems = dataset.read(REPOSITORY / "resources/dataset/lah10-gpaw-pbe")
    assert sum(len(s) for s in systems) == 246
    assert min(s.pressures.min() for s in systems) == pytest.approx(50.5, abs=0.1)


def test_what_is_plausible_is_what_can_be_labelled():
    """One judgement for frames that are looked at and for those that are read: else a round of
    learning would choose frames that no label is taken of."""
    system = labelled.system(frames=5)
    coordinates, boxes = system.coordinates.copy(), system.boxes.copy()
    la = int(np.flatnonzero(system.types == 0)[0])
    h = int(np.flatnonzero(system.types == 1)[0])
    coordinates[1, h] = coordinates[1, la] + [0.9, 0.0, 0.0]  # far enough for H, not for La
    boxes[2] *= 2
    coordinates[3, h] = np.nan
    system = replace(system, coordinates=coordinates, boxes=boxes)
    fine = plausibility.plausible(system)
    assert fine.tolist() == [True, False, False, False, True]
    plausibility.check_geometry(system.select(fine))
    for frame, told in ((1, "La and H 1.1 Å apart or more, got 0.90"), (2, "Å3 an atom")):
        with pytest.raises(UserError, match=told):
            plausibility.check_geometry(system.select([frame]))
    assert not plausibility.plausible(system.select([2])).any()


def test_static_pressure_is_that_of_the_equation_of_state(system):
    """33.2 Å3 a formula unit is 150 GPa."""
    scale = (33.2 / system.volumes[0] * (system.types == 0).sum()) ** (1 / 3)
    one = replace(system.select([0]), boxes=system.boxes[:1] * scale)
    assert plausibility.static_pressure(one) == pytest.approx([148.0], abs=5.0)
