"""A potential tells labels in other units, of the wrong sign, of other atoms; right ones pass."""

from dataclasses import replace

import numpy as np
import pytest

import labelled
from lah10.config import training as settings
from lah10.errors import UserError
from lah10.potential.data import dataset, label_units, plausibility
from lah10.potential.evaluate import Prediction
from lah10.units import EV_PER_A3_IN_GPA

ABOUT = {"citation": "nobody", "terms": "none", "path": "toy", "held_out": ()}
SYSTEM = labelled.system("toy/a", frames=9, sigma=0.1)
BOHR, HARTREE, RYDBERG = 0.529177, 27.2114, 13.6057


def split(shared_energy_reference=False):
    source = ABOUT | {"shared_energy_reference": shared_energy_reference}
    return settings.Split.model_validate({"sources": {"toy": source}})


def predicted(system, seed=0, error=0.15):
    """What a fair potential says: some percent off, another zero of energy, 5 GPa too much."""
    rng = np.random.default_rng(seed)
    work = 5 / 160.2177 * system.volumes
    return Prediction(
        system.energies * 0.97 + 7 * system.n_atoms + rng.normal(size=len(system)) * 0.02,
        system.forces * 1.1 + rng.normal(size=system.forces.shape) * error,
        system.virials + work[:, None, None] * np.eye(3),
    )


def all_of(key, factor):
    return lambda s: replace(s, **{key: getattr(s, key) * factor})


def one_of(key, change, frame=4):
    def changed(system):
        values = getattr(system, key).copy()
        values[frame] = change(values[frame])
        return replace(system, **{key: values})

    return changed


#: What was done to the labels; the frame that is named and what is said.
WRONG = {
    "forces in Ry/bohr": (all_of("forces", BOHR / RYDBERG), r"frame 0: forces are 0\.03.* 8 more"),
    "forces turned": (all_of("forces", -1), r"frame 0: forces are -0\.9.* times the pot.* 8 more"),
    "one frame's in Ry/bohr": (
        one_of("forces", lambda f: f * BOHR / RYDBERG),
        r"frame 4: forces are 0\.03\d* times the potential's; expected eV/Å ",
    ),
    "one frame's turned": (one_of("forces", lambda f: -f), r"frame 4: forces are -0\.9"),
    "one frame's of other atoms": (
        one_of("forces", lambda f: np.roll(f, 1, axis=0)),
        r"frame 4: forces are -?0\.[0-3]",
    ),
    "energies in Ry": (all_of("energies", 1 / RYDBERG), r"frame \d: energies vary 0\.07"),
    "energies turned": (all_of("energies", -1), r"frame \d: energies vary -1"),
    "one energy in Ry": (
        one_of("energies", lambda e: e / RYDBERG),
        r"frame 4: energies vary -?\d.* times the potential's; expected eV [^)]*\)$",
    ),
    "virials in hartree": (all_of("virials", 1 / HARTREE), r"frame 0: pressures are 0\.0355"),
    "one virial ten times": (one_of("virials", lambda w: 10 * w), r"frame 4: pressures are 9\.67"),
    "one virial turned": (one_of("virials", lambda w: -w), r"frame 4: pressures are -0\.967"),
}


@pytest.mark.parametrize("change, told", WRONG.values(), ids=WRONG)
def test_wrong_labels_are_named(change, told):
    with pytest.raises(UserError, match=rf"toy/a {told}"):
        label_units.check([change(SYSTEM)], [predicted(SYSTEM)], split())


def test_right_labels_pass():
    label_units.check([SYSTEM], [predicted(SYSTEM)], split())
    for frames in ([3], [3, 5]):
        few = SYSTEM.select(frames)
        label_units.check([few], [predicted(few)], split())


def test_a_set_of_which_no_frame_stands_out_is_told_as_a_whole():
    """Energies that vary by 20 meV/atom in all."""
    calm = labelled.system("toy/a", frames=30, sigma=0.04)
    wrong = replace(calm, energies=-calm.energies)
    with pytest.raises(UserError, match=r"toy/a frame 0: energies vary -0\.9.* in toy/a; "):
        label_units.check([wrong], [predicted(calm)], split())


def test_small_forces_are_not_judged_but_large_ones_in_their_place_are():
    at_rest = labelled.system("toy/a", frames=2, sigma=0.005)
    found = predicted(at_rest, error=0.1)
    label_units.check([at_rest], [found], split())
    with pytest.raises(UserError, match="frame 0: forces are"):
        label_units.check([replace(at_rest, forces=at_rest.forces * 51.4)], [found], split())


def test_sets_of_shared_energy_reference_are_compared_together():
    """One frame a set: none has a constant of its own."""
    parts = [replace(SYSTEM.select([i]), name=f"toy/{i}") for i in range(9)]
    found = [predicted(SYSTEM.select([i])) for i in range(9)]
    # 0.8 eV/atom: within what the equation of state allows.
    parts[4] = replace(parts[4], energies=parts[4].energies + 0.8 * 11)
    label_units.check(parts, found, split())
    with pytest.raises(UserError, match="toy/a frame 4: energies vary"):
        label_units.check(parts, found, split(shared_energy_reference=True))


def test_energies_that_are_not_learnt_are_not_looked_at_and_the_hint_is_last():
    unknown = replace(SYSTEM, energies=np.full(9, np.nan))
    label_units.check([unknown], [predicted(SYSTEM)], split())
    with pytest.raises(UserError, match=r"; ask \(and 8 more frames\)$"):
        turned = replace(unknown, forces=-unknown.forces)
        label_units.check([turned], [predicted(SYSTEM)], split(), "; ask")


#: What may be done to the energies of one or two frames, and whether it is told.
SCALES = {
    "E + PV": (lambda s: s.energies + s.virials.trace(axis1=1, axis2=2) / 3, True),
    "hartree": (lambda s: s.energies / HARTREE, True),
    "Ry": (lambda s: s.energies / RYDBERG, True),
    "turned": (lambda s: -s.energies, True),
    "another zero": (lambda s: s.energies + 160 * s.n_atoms, "few"),
    "total energies": (lambda s: s.energies - 166.4 * s.n_atoms, False),
    "as they are": (lambda s: s.energies, False),
}


@pytest.mark.parametrize("volume", [26.0, 33.2, 39.0])
@pytest.mark.parametrize("frames", [1, 2, 9])
@pytest.mark.parametrize("change, told", SCALES.values(), ids=SCALES)
def test_energies_are_checked_on_their_absolute_scale(volume, frames, change, told):
    """However few the frames, and though PV hardly changes a slope."""
    system = labelled.system("toy/a", frames=frames, volume=volume)
    a, b = plausibility.STATIC_PRESSURE
    integral = np.exp(a + b * volume) / -b / EV_PER_A3_IN_GPA / 11
    thermal = system.energies / 11 + 2.5
    system = replace(system, energies=11 * (thermal + label_units.STATIC_ENERGY + integral))
    changed = replace(system, energies=change(system))
    if not told or (told == "few" and frames >= label_units.ENOUGH):
        label_units.check([changed], [predicted(changed)], split())
        return
    with pytest.raises(
        UserError, match=r"frame \d: (energies|expected an en).*(hartree|E . PV).*; ask"
    ):
        label_units.check([changed], [predicted(system)], split(), "; ask")


def test_the_static_energy_is_that_of_the_projects_own_labels():
    file = labelled.REPOSITORY / "resources/dataset/lah10-gpaw-pbe/fm-3m-static.txt"
    volume, energy = np.loadtxt(file, usecols=(3, 5), unpack=True)
    a, b = plausibility.STATIC_PRESSURE
    integral = np.exp(a + b * volume) / -b / EV_PER_A3_IN_GPA
    np.testing.assert_allclose((energy - integral) / 11, label_units.STATIC_ENERGY, atol=0.004)


@pytest.mark.slow
def test_the_projects_own_frames_pass_with_the_shipped_potential():
    from lah10.potential.evaluate import evaluate

    resources = labelled.REPOSITORY / "resources"
    systems = dataset.read(resources / "dataset/lah10-gpaw-pbe", "lah10-gpaw-pbe")
    found = evaluate(resources / "potentials/lah10/lah10.pb", systems)
    shipped = settings.load_split(resources / "potentials/lah10/split.yaml")
    label_units.check(systems, found, shipped)
    # A single frame of the largest cells in Ry/bohr.
    large = max(range(len(systems)), key=lambda i: systems[i].n_atoms)
    systems[large] = one_of("forces", lambda f: f * BOHR / RYDBERG, frame=2)(systems[large])
    with pytest.raises(UserError, match=r"frame \d+: forces are 0.0[34]"):
        label_units.check(systems, found, shipped)
