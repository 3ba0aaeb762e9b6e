"""Energy differences between phases by a made-up model beside labels that are known."""

import json

import ase.io
import numpy as np
import pytest
from ase.calculators.singlepoint import SinglePointCalculator

from campaigns import REPOSITORY
from lah10.crystal.rhombohedral import Rhombohedral
from lah10.potential.evaluate import Prediction
from lah10.potential.validation import (
    acceptance,
    card_measured,
    dft_enthalpies,
    path_hessians,
    phase_energies,
    phases,
)
from lah10.potential.validation.dft_enthalpies import Curve, Point
from lah10.units import EV_PER_A3_IN_GPA

SHARES = (-0.25, 0.0, 0.25, 0.5, 0.75, 1.0, 1.25)
VOLUMES = (36.2, 34.8, 33.2, 31.7, 30.3)
STATIC = REPOSITORY / "resources/dataset/lah10-gpaw-pbe/fm-3m-static.txt"
#: Depth of the well by DFT at each volume, eV per formula unit: it is a minimum everywhere.
DEPTH = dict(zip(VOLUMES, (0.12, 0.09, 0.05, 0.01, -0.005), strict=True))


def well(share, depth):
    """A quartic with E(0) = 0, E'(0) = 0 and the minimum −depth at share 1."""
    s = np.asarray(share, float)
    return 0.08 * s**2 * (s - 1) ** 2 + depth * (2 * s**3 - 3 * s**2)


def ends(volume):
    cubic = Rhombohedral.cubic(volume, 0.1208)
    return cubic, Rhombohedral(volume, 62.6, 0.2594, 0.0973, -0.1062, 0.3861)


@pytest.fixture
def labels(tmp_path):
    """Crystals of a DFT whose forces beside the path vanish."""
    from lah10.potential.validation import equation_of_state

    static = equation_of_state.read(STATIC).sortby("volume")
    frames, hessians = [], []
    for volume in VOLUMES:
        cubic, end = ends(volume)
        pressure = float(np.interp(volume, static.volume, static.pressure))
        for share in SHARES:
            atoms = cubic.towards(end, share, share).atoms()
            atoms.info |= {"volume": volume, "angle": share, "internal": share,
                           "kpoints": np.array([14, 14, 14])}  # fmt: skip
            atoms.calc = SinglePointCalculator(
                atoms, energy=-27.0 + float(well(share, DEPTH[volume])), forces=np.zeros((11, 3)),
                stress=-np.eye(3) * pressure / EV_PER_A3_IN_GPA,
            )  # fmt: skip
            frames.append(atoms)
            hessians.append(path_hessians.Hessian(volume, share, "one", np.eye(5)))
    path = tmp_path / "path.xyz"
    ase.io.write(path, frames, format="extxyz")
    (tmp_path / "model.pb").write_text("made up")
    path_hessians.write(hessians, {"one": tmp_path / "model.pb"}, tmp_path / "hessians.txt")
    return path


def measured(labels, monkeypatch, deeper=0.0, too_low=0.0, offset=0.0, learnt=None) -> dict:
    """By a model whose wells are `deeper` (eV per formula unit) and whose relaxed R-3m lies
    `too_low` (meV/atom) below −0.1 (196 − P)."""

    def evaluate(model, systems, threads):
        return [
            Prediction(
                5.0 + s.energies + deeper * (2 * np.array(SHARES) ** 3 - 3 * np.array(SHARES) ** 2),
                s.forces, s.virials,
            )
            for s in systems
        ]  # fmt: skip

    def enthalpies(model, crystals, pressures, threads):
        p = np.array(pressures, float) + offset
        lower = np.minimum(0.1 * (p - 196), 0.4) - too_low
        return {
            "pressures": list(pressures),
            "phases": {
                "Fm-3m": {"enthalpy": [0.0] * len(p), "space_group": ["Fm-3m"] * len(p)},
                "R-3m": {"enthalpy": (1e-3 * lower).tolist(), "space_group": ["R-3m"] * len(p)},
                "C2/c": {"enthalpy": (1e-3 * lower).tolist(), "space_group": ["R-3m"] * len(p)},
            },
        }

    monkeypatch.setattr(phase_energies, "evaluate", evaluate)
    monkeypatch.setattr(phases, "enthalpies", enthalpies)
    monkeypatch.setattr(dft_enthalpies, "curve", lambda paths, cubic: CURVE)
    nominal = enthalpies(None, None, list(phases.PRESSURES), 1)
    dft = phase_energies.measure(
        labels.parent / "model.pb", nominal, {"Fm-3m": None, "R-3m": None}, [labels], STATIC,
        labels.parent / "hessians.txt", offset=offset, learnt=learnt,
    )  # fmt: skip
    return nominal | {"model_sha256": "x", "dft": dft}


#: ΔH = −0.1 (196 − P) up to 210 GPa, then Fm-3m; labels up to 240 GPa.
CURVE = Curve(
    [Point(p, 0.1 * (p - 196), 0.2, "14", -0.1) for p in np.linspace(90, 210, 25)], 210.0, 240.0
)


def test_a_model_that_is_the_dft_has_no_errors(labels, monkeypatch):
    dft = measured(labels, monkeypatch)["dft"]
    both = dft["enthalpies"]
    assert both["pressures"] == [100, 125, 150, 175, 200, 225, 250]
    np.testing.assert_allclose(both["difference"][:5], 0, atol=1e-9)
    # Beyond 210 GPa the DFT relaxes to Fm-3m; at 250 GPa there are no labels.
    assert both["dft"][5:] == [0.0, None] and both["difference"][5:] == [pytest.approx(0.4), None]
    assert both["dft_error"][2] == pytest.approx(0.2) and both["relaxation"][2] == -0.1
    assert both["crossing"]["model"] == pytest.approx(196, abs=3)
    assert both["crossing"]["dft"] == pytest.approx(196)
    assert both["crossing"]["dft_error"] == pytest.approx(0.2 / 0.1)
    for one in dft["wells"]:
        np.testing.assert_allclose(one["model"], one["dft"], atol=1e-9)
    assert [group["rms"] for group in dft["groups"].values()] == pytest.approx([0] * 5, abs=1e-9)
    assert all(verdict.reached for verdict in acceptance.of_phases(dft))


def test_a_well_that_is_too_deep_shows(labels, monkeypatch):
    """By 2 meV/atom: in the double well and in the error of each volume."""
    dft = measured(labels, monkeypatch, deeper=0.022)["dft"]
    (one,) = (one for one in dft["wells"] if one["volume"] == 33.2)
    assert one["share"] == list(SHARES)
    np.testing.assert_allclose(one["dft"], 1e3 / 11 * well(SHARES, 0.05), atol=1e-6)
    off = 2.0 * (2 * np.array(SHARES) ** 3 - 3 * np.array(SHARES) ** 2)
    np.testing.assert_allclose(np.array(one["model"]) - one["dft"], off, atol=1e-6)
    for group in dft["groups"].values():
        assert group["rms"] == pytest.approx(off.std())
        assert group["frames"] == 7 and group["learnt"] is False
    *_, path = acceptance.of_phases(dft)
    assert path.number == pytest.approx(off.std()) and path.reached is False


def test_an_enthalpy_that_is_too_low_shows(labels, monkeypatch):
    """By 1.5 meV/atom: at each pressure, and 15 GPa at the crossing."""
    both = measured(labels, monkeypatch, too_low=1.5)["dft"]["enthalpies"]
    np.testing.assert_allclose(both["difference"][:5], -1.5, atol=1e-9)
    assert both["crossing"]["model"] is None  # it levels off at −1.1
    worst, crossing, _ = acceptance.of_phases({"enthalpies": both, "groups": {}})
    assert worst.number == pytest.approx(1.5) and worst.reached is False
    assert crossing.number == np.inf and crossing.reached is False
    both["crossing"]["model"] = 207.0
    *_, crossing, _ = acceptance.of_phases({"enthalpies": both, "groups": {}})
    assert crossing.number == pytest.approx(11.0) and crossing.reached is False


def test_pressures_are_on_the_scale_of_the_dft(labels, monkeypatch):
    """The model's own lie 3 GPa lower: it is relaxed there, and its crossing moved."""
    dft = measured(labels, monkeypatch, offset=3.0)["dft"]
    np.testing.assert_allclose(dft["enthalpies"]["difference"][:5], 0, atol=1e-9)
    assert dft["enthalpies"]["crossing"]["model"] == pytest.approx(196, abs=3)
    assert dft["pressure_offset"] == 3.0


def test_a_crystal_that_fell_apart_misses(labels, monkeypatch):
    dft = measured(labels, monkeypatch)["dft"]
    dft["enthalpies"]["difference"][1] = None
    worst, *_ = acceptance.of_phases(dft)
    assert worst.number == np.inf and worst.reached is False


def test_volumes_that_were_learnt_do_not_count_as_held_out(labels, monkeypatch, tmp_path):
    """33.2 and 31.7 Å3 were held out, the others learnt; a volume that is no longer known is no
    matter."""
    record = {f"path/volume {v:g}": {"held_out": v in (33.2, 31.7)} for v in (*VOLUMES, 40.0)}
    (tmp_path / "differences.json").write_text(json.dumps({"groups": record}))
    dft = measured(labels, monkeypatch, 0.022, learnt=tmp_path / "differences.json")["dft"]
    assert {group["volume"] for group in dft["groups"].values() if not group["learnt"]} == {
        33.2, 31.7}  # fmt: skip
    dft["groups"]["path/volume 33.2"]["rms"] = 3.0
    dft["groups"]["path/volume 31.7"]["rms"] = 4.0
    assert phase_energies.not_learnt(dft) == pytest.approx(np.sqrt((9 + 16) / 2))
    for group in dft["groups"].values():
        group["learnt"] = True
    *_, path = acceptance.of_phases(dft)
    assert path.reached is None


def test_the_card_draws_it_up(labels, monkeypatch, tmp_path):
    found = measured(labels, monkeypatch, deeper=0.022, too_low=1.5, offset=3.0)
    (tmp_path / "phases.json").write_text(json.dumps(found))
    text = "\n\n".join(card_measured.enthalpies(tmp_path, "x"))
    for fragment in (
        "C2/c less R-3m: 0.00 at 100, 0.00 at 125,",
        "There is no DFT of C2/c to compare with yet.",
        "at pressures of that PBE, the model's moved by +3.00 GPa",
        "| 150 | -4.60 ± 0.20 | -0.10 | -6.10 | -1.50 |",
        "| 225 | 0, relaxes to Fm-3m |  | -1.10 | -1.10 |",
        "| 250 | none |  | -1.10 | none |",
        "They have one enthalpy at: PBE 196 ± 2 GPa, DP none at these pressures.",
        "at 33.2 Å³ per formula unit",
        "| PBE | -",
        "| path/volume 33.2 | 7 |",
        "- missed: enthalpy of R-3m less Fm-3m, worst error: 1.5 meV/atom (at most 0.5 meV/atom)",
        "- missed: error of the pressure at which it crosses zero: inf GPa (at most 10 GPa)",
    ):
        assert fragment in text, text
    assert card_measured.enthalpies(tmp_path, "another model") == []


def test_a_card_without_dft_is_still_written(labels, monkeypatch, tmp_path):
    """phases.json of a model that was measured before there were labels."""
    found = measured(labels, monkeypatch)
    del found["dft"]
    (tmp_path / "phases.json").write_text(json.dumps(found))
    text = "\n\n".join(card_measured.enthalpies(tmp_path, "x"))
    assert "## Phases at rest" in text and "R-3m less Fm-3m" in text and "PBE" not in text
