"""The benchmark of diffusion: values, limits of few events, and limits of none pooled."""

import importlib.util
import json
from pathlib import Path

import numpy as np
import pytest

from lah10.campaign.merge import merge
from lah10.errors import UserError
from synthetic_campaign import CONFIG, write_point

FILE = Path(__file__).parents[3] / "benchmarks/bath/diffusion.py"


@pytest.fixture(scope="module")
def benchmark():
    spec = importlib.util.spec_from_file_location("diffusion_benchmark", FILE)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def run(tmp_path, benchmark):
    """A campaign of one point with so many events: D from ten on, else a limit."""

    def make(seed: int, events: float, limit: float = np.nan, value: float = np.nan):
        folder = tmp_path / str(seed)
        path = write_point(
            folder / "points", "qtb", 200, 5,
            exchange_events=np.array([0.0, events]), diffusion_limit=np.array([1e-4, limit]),
            diffusion=np.array([np.nan, value]), diffusion_stderr=np.array([np.nan, value / 5]),
        )  # fmt: skip
        merge([("qtb", 200, 5, path)], folder / "phase_diagram.nc",
              attrs={"config": json.dumps(CONFIG), "seed": seed})  # fmt: skip
        data, motion = benchmark.point(folder)
        share = ("frame_time", [0.0, 0.1])
        motion = motion.assign(exchanged_share=share, rms_displacement=("element", [0.1, 0.3]))
        return data, motion.assign_coords(frame_time=[0.0, 2.0])

    return make


def test_limits_of_runs_without_an_event_are_pooled(run, benchmark):
    runs = [run(1, 0, 8e-7), run(2, 0, 8e-7)]
    assert benchmark.together(runs)[2] == "< 0.4 (no hop, 95 %)"
    assert benchmark.together(runs)[4] == "0"


def test_limits_of_a_few_events_are_not(run, benchmark):
    """A finite limit does not mean that nothing hopped: it is given below ten events."""
    runs = [run(1, 2, 1.9e-6), run(2, 0, 8e-7)]
    cells = benchmark.together(runs)
    assert cells[2] == "< 0.8 (the least of 2 runs, 2 events, 95 %)"
    assert cells[4] == "1"


def test_values_are_averaged_over_the_runs_that_have_one(run, benchmark):
    cells = benchmark.together([run(1, 30, value=1e-6), run(2, 40, value=2e-6), run(3, 4, 3e-6)])
    assert cells[2].startswith("1.50 ± 0.50") and cells[2].endswith("(of 2 runs)")
    assert cells[4] == "3"


def test_a_line_of_a_run_is_the_tables(run, benchmark):
    assert benchmark.row(*run(1, 2, 1.9e-6))[1] == "< 1.9 (2 events, 95 %)"
    assert benchmark.row(*run(2, 30, value=1e-6))[1] == "1.00 ± 0.20"


def test_a_run_from_before_events_were_counted_is_named(run, benchmark):
    data, _ = run(1, 0, 8e-7)
    with pytest.raises(UserError, match="has no exchange_events; analyse its point again"):
        benchmark.events(data.drop_vars("exchange_events"))
