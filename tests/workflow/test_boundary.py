"""`snakemake boundary` in the workflow: asked for by name alone, a job a window, one real run."""

import numpy as np
import pytest
import xarray as xr

from campaigns import Campaign, checkout
from lah10.campaign.boundary import WINDOW_STATUS

ANGLES = [0, 0.6, 1.2, 1.8, 2.4]
CLASSICAL = {"pressure": [150, 200], "temperature": [300]}
POINT = {"pressure": 150, "temperature": 300, "beads": 4}


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    return Campaign(checkout(tmp_path_factory.mktemp("boundary")), "edge")


def test_planned_by_name_alone(made):
    made.configure(
        boundary={"angles": ANGLES, "classical": CLASSICAL, "pimd": {"points": [POINT]}}
    )
    assert not [message for message in made.planned() if "window" in message]
    planned = made.planned("boundary")
    assert len([m for m in planned if m.startswith("Equilibrate a window")]) == 10
    assert len([m for m in planned if m.startswith("Measure the window")]) == 15
    paths = [m for m in planned if "path integrals" in m]
    assert paths == [
        f"Run a window at {angle:g} degree: potential, path integrals, 150 GPa, 300 K, 4 beads"
        for angle in ANGLES
    ]
    # None of the campaign's own points is needed.
    assert not [m for m in planned if " at 150 GPa, 100 K" in m]


def test_published_potential_is_fetched_and_kept_below_its_limit(made):
    made.configure(
        boundary={
            "angles": ANGLES,
            "classical": {"pressure": [150, 250], "temperature": [300]},
            "potentials": {
                "own": {"model": "resources/potentials/lah10/lah10.pb"},
                "ly": {"model": "published"},
            },
        }
    )
    planned = made.planned("boundary")
    assert "Fetch, upgrade and compress the published potential" in planned
    runs = [m for m in planned if m.startswith("Run a window")]
    assert len(runs) == 3 * len(ANGLES)
    assert not [m for m in runs if "ly, classical, 250 GPa" in m]


def test_without_states_it_says_what_is_missing(made):
    made.configure()
    run = made.snakemake("--dry-run", "boundary")
    assert run.returncode == 1
    assert "has no states for a boundary; name some" in run.stdout + run.stderr


@pytest.mark.slow
def test_windows_become_a_boundary(tmp_path):
    """From nothing to the table and the figure, classical and with 4 beads, 44 atoms."""
    made = Campaign(checkout(tmp_path), "edge")
    made.configure(
        pimd={"checkpoint_interval": "0.1 ps"},
        boundary={
            "angles": ANGLES,
            "classical": CLASSICAL | {"equilibrate": "0.05 ps", "produce": "0.4 ps"},
            "pimd": {"points": [POINT], "equilibrate": "0.04 ps", "produce": "0.24 ps"},
        },
    )
    run = made.snakemake("boundary", "--cores", "2", timeout=3600)
    assert run.returncode == 0, run.stdout + run.stderr
    with xr.open_dataset(made.results / "boundary.nc") as data:
        assert data.sizes["angle"] == len(ANGLES)
        planned = {"classical": [150, 200], "pimd": [150]}
        for nuclei, pressures in planned.items():
            of = {"nuclei": nuclei, "potential": "potential", "pressure": pressures}
            flags = data["window_status"].sel(of).values.ravel()
            known = np.array(WINDOW_STATUS)[flags]
            # Runs this short may lose too many samples to equilibration, and break down in no way.
            assert set(known) <= {"ok", "drifts", "too_short"}
            measured = np.isin(known, ["ok", "drifts"])
            for name in ("gradient", "gradient_stderr", "volume_per_formula"):
                finite = np.isfinite(data[name].sel(of).values.ravel())
                np.testing.assert_array_equal(finite, measured, name)
            assert measured.mean() >= 0.5
        # Half of 80 samples is the most that equilibration takes: enough are left in every window.
        classical = data["window_status"].sel(nuclei="classical")
        assert (classical != WINDOW_STATUS.index("too_short")).all()
        assert float(data["beads"].sel(nuclei="pimd", pressure=150, temperature=300)) == 4
        assert data.attrs["potential_sha256"].startswith("potential=")
    text = (made.results / "boundary.md").read_text()
    assert "| potential | classical | 150 | 300 |" in text and "4 beads" in text
    assert (made.results / "figures/boundary.png").stat().st_size > 10_000
    window = made.results / "boundary/potential/classical/P150_T300/angle1.2"
    assert "nph iso" in (window / "produce.lmp").read_text()
    assert made.planned("boundary") == []
