"""The benchmark of the baths: a limit that is broken shows in the exit status."""

import importlib.util
import sys
from pathlib import Path

import numpy as np
import pytest

BENCHMARK = Path(__file__).parents[3] / "benchmarks/bath"


#: Exact answers by model, which do not change.
EXACT = {}


@pytest.fixture
def run(monkeypatch):
    """The benchmark, whose parts measure nothing: what they find is made up."""
    # Under these names other modules may be loaded already, and must be again afterwards.
    for name in ("model_systems", "crystals", "run"):
        spec = importlib.util.spec_from_file_location(name, BENCHMARK / f"{name}.py")
        module = importlib.util.module_from_spec(spec)
        monkeypatch.setitem(sys.modules, name, module)
        spec.loader.exec_module(module)
        if name == "model_systems":
            monkeypatch.setattr(module, "exact", known(module.exact))
    return module


def known(exact):
    """Compute every answer once in all tests."""

    def call(model):
        if model.name not in EXACT:
            EXACT[model.name] = exact(model)
        return EXACT[model.name]

    return call


def status(run, monkeypatch, *arguments: str) -> int:
    """Exit status of the benchmark."""
    monkeypatch.setattr(sys, "argv", ["run.py", *arguments])
    try:
        run.main()
    except SystemExit as exit:
        return exit.code if isinstance(exit.code, int) else 1
    return 0


def oscillator(run, changes: dict, model, bath: str, *rest, **options) -> dict:
    """In place of `model_systems.simulate`: exact answers, a leak under plain QTB, and `changes` to
    them by model and bath."""
    right = run.model_systems.exact(model)
    number = model.coordinates
    leak = np.array([0.95, 1.12]) if model.name == "leakage" else np.ones(number)
    off = leak if bath == "qtb" else 1 + 0.2 * (leak - 1)
    found = {
        "energy": 1.01 * right["energy"],
        "kinetic": 1.05 * off * right["kinetic"],
        "deconvolved": off * right["kinetic"],
        "square": off * right["square"],
        "deviation": np.full(number, 0.08 if bath == "qtb" else 0.01),
    }
    # Of the harmonic oscillator the potential energy is asked for.
    found["potential"] = right["potential"]
    for name, factor in changes.get((model.name, bath), {}).items():
        found[name] = factor * found[name]
    errors = {f"{name}_stderr": 0.001 * value for name, value in found.items()}
    return found | errors | {"deviation_noise": np.full(number, 0.01)}


@pytest.mark.parametrize(
    ("changes", "beyond"),
    [
        ({}, []),
        ({("harmonic", "qtb"): {"deconvolved": 1.02}}, ["5   E_k"]),
        ({("harmonic", "qtb"): {"potential": 0.98}}, ["    E_p"]),
        ({("morse", "adqtb"): {"energy": 0.93}}, ["adqtb E"]),
        (
            {("leakage", "adqtb"): {"deconvolved": np.array([1.0, 1.15])}},
            ["adqtb <T> coordinate 2"],
        ),
        ({("leakage", "adqtb"): {"energy": 1.03}}, ["adqtb E"]),
        ({("leakage", "adqtb"): {"deviation": 4.0}}, ["integrated"]),
        ({("leakage", "adqtb"): {"deviation": np.nan}}, ["integrated"]),
    ],
)
def test_oscillators(run, monkeypatch, capsys, changes, beyond):
    monkeypatch.setattr(
        run.model_systems,
        "simulate",
        lambda *arguments, **options: oscillator(run, changes, *arguments, **options),
    )
    assert status(run, monkeypatch, "models") == bool(beyond)
    told = [line for line in capsys.readouterr().out.splitlines() if "beyond" in line]
    assert bool(told) == bool(beyond)
    assert all(any(line.startswith(start) for line in told) for start in beyond)


def crystals(run, changes: dict, module: str, function: str, **options) -> dict:
    """In place of `in_child`, for crystals: as they should be, times `changes` by function."""
    where, whose = function.split("_")
    if where == "einstein":
        right = run.quantum_energy(np.array(run.crystals.FREQUENCIES), options["temperature"])
        right = right / run.BOLTZMANN
        found = {"potential": right, "kinetic": 1.03 * right, "deconvolved": right}
        found |= {f"{name}_stderr": 0.003 * right for name in ("potential", "kinetic")}
    else:
        missing = 0.025 if whose == "ours" else 0.0
        found = {"kinetic": (1 - missing) * 47.5, "potential": -257.0 - missing * 47.5}
        found |= {f"{name}_stderr": 0.2 for name in ("potential", "kinetic")}
        found |= {"deconvolved": 41.5, "explained": {"kinetic": -0.025, "potential": -0.025}}
    return found | {
        name: factor * found[name] for name, factor in changes.get(function, {}).items()
    }


@pytest.mark.parametrize(
    ("changes", "beyond"),
    [
        ({}, []),
        ({"einstein_openmm": {"kinetic": 1.025}}, ["60 THz E_k, not deconvolved"]),
        ({"einstein_ours": {"potential": 1.015}}, ["15 THz E_p"]),
        ({"einstein_ours": {"deconvolved": 1.015}}, ["40 THz E_k "]),
        ({"neon_openmm": {"kinetic": 1.03}}, ["Ne E_k, not deconvolved"]),
        # An explanation explains one sign and one size.
        ({"neon_ours": {"kinetic": 1.05}}, ["Ne E_k, not deconvolved"]),
        ({"neon_ours": {"deconvolved": 1.04}}, ["Ne E_k, deconvolved"]),
    ],
)
def test_crystals_beside_openmm(run, monkeypatch, capsys, changes, beyond):
    monkeypatch.setattr(run.importlib.util, "find_spec", lambda name: name)
    monkeypatch.setattr(
        run,
        "in_child",
        lambda *arguments, **options: crystals(run, changes, *arguments, **options),
    )
    assert status(run, monkeypatch, "openmm") == bool(beyond)
    told = [line for line in capsys.readouterr().out.splitlines() if "beyond" in line]
    assert bool(told) == bool(beyond)
    assert all(any(line.startswith(start) for line in told) for start in beyond)


@pytest.mark.parametrize(
    ("repeat", "added", "expected"), [(2, 1.029, 0), (2, 1.031, 1), (10, 1.049, 0), (10, 1.051, 1)]
)
def test_cost(run, monkeypatch, capsys, repeat, added, expected):
    """The limits are 1.03 at 352 atoms and 1.05 at 44,000."""

    def taken(*arguments, **options):
        share = added - 1 if options["repeat"] == repeat else 0.001
        one = {"taps": 1025, "noise": 0.5 * share, "added": 0.5 * share, "block_steps": 1}
        baths = [one | {"block_bytes": 1} for _ in options["baths"]]
        return {"atoms": 44 * options["repeat"] ** 3, "step": 1.0, "baths": baths}

    monkeypatch.setattr(run, "in_child", taken)
    assert status(run, monkeypatch, "cost") == expected
    lines = capsys.readouterr().out.splitlines()
    judged = [line for line in lines if line.startswith(f"{44 * repeat**3} ")]
    assert len(judged) == (3 if repeat == 2 else 1)
    assert all(line.endswith("ok") != expected for line in judged)


def test_quick_runs_have_wider_limits(run):
    strict, quick = run.Limits(), run.Limits(2.0)
    assert strict.near(1.02, 1.0, 0.01, 0.006) == "beyond 1 %" and strict.beyond == 1
    assert quick.near(1.02, 1.0, 0.01, 0.006) == "ok" and quick.beyond == 0
    assert quick.near(1.03, 1.0, 0.01, 0.006) == "beyond 1 %" and quick.beyond == 1
