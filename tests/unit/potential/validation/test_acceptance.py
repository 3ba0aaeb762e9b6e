"""Verdicts on what the potential has to reach: on either side of each limit, and without one."""

import pytest

from lah10.potential.validation import acceptance


def errors(force=0.1, energy=2.0, pressure=0.5, frames=9):
    return {
        "frames": frames,
        "force_rmse": force,
        "energy_rmse_one_constant": energy,
        "pressure_rmse": pressure,
    }


@pytest.mark.parametrize(
    ("changes", "missed"),
    [
        ({}, []),
        ({"force": 0.1201}, ["force error, toy"]),
        ({"energy": 3.01}, ["energy error, toy"]),
        ({"pressure": 1.01}, ["pressure error, toy"]),
        ({"force": 0.12, "energy": 3.0, "pressure": 1.0}, []),
    ],
)
def test_errors_have_their_limits(changes, missed):
    found = acceptance.of_errors({"toy": errors(**changes)}, {"toy": errors(force=0.12)})
    assert len(found) == 3 and all(v.reached is not None for v in found)
    assert [v.what for v in found if not v.reached] == missed


def test_the_limit_of_the_force_is_measured_or_unknown():
    force, *others = acceptance.of_errors({"toy": errors()}, {})
    assert force.reached is None and all(v.reached for v in others)
    assert str(force) == "not measured: force error, toy: 0.1 eV/Å (at most unknown)"
    found = acceptance.of_errors({"toy": {}}, {"toy": errors()})
    assert len(found) == 3 and all(v.reached is None for v in found)
    assert str(found[2]) == "not measured: pressure error, toy: unknown (at most 1 GPa)"
    with pytest.raises(ValueError, match="expected the frames of the published model, 8, got 9"):
        acceptance.of_errors({"toy": errors()}, {"toy": errors(frames=8)})


def test_the_worst_length_counts_whatever_its_sign():
    lengths = {"a": {"deviation": 0.1}, "La-H": {"deviation": -0.21}}
    assert str(acceptance.of_lengths(lengths)) == (
        "missed: worst length of Table I: 0.21 % (at most 0.2 %)"
    )
    assert acceptance.of_lengths({"a": {"deviation": -0.2}}).reached
    assert acceptance.of_lengths({"a": {"deviation": None}}).reached is False


def test_speed_is_that_over_the_published_models():
    models = [
        {"name": "this project", "katom_steps_per_second": 10.0},
        {"name": "published", "katom_steps_per_second": 5.1},
    ]
    verdict = acceptance.of_speed({"models": models})
    assert str(verdict) == "missed: speed over the published model's: 1.961 (at least 2)"
    models[1]["katom_steps_per_second"] = 5.0
    assert acceptance.of_speed({"models": models}).reached
    assert acceptance.of_speed({"models": models[:1]}).reached is None
