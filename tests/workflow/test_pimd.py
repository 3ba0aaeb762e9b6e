"""Path integrals in the workflow: asked for by name alone, one job a number of beads, one real."""

import pytest
import xarray as xr

from campaigns import Campaign, checkout

POINTS = [
    {"pressure": 150, "temperature": 100, "beads": [4, 8]},
    {"pressure": 150, "temperature": 200, "beads": 4},
]
GRID = {"baths": ["classical", "qtb"], "temperature": {"values": [100, 200]}}


@pytest.fixture(scope="module")
def made(tmp_path_factory, server):
    return Campaign(checkout(tmp_path_factory.mktemp("pimd")), "judged", server=server)


def pimd(*runs):
    return sorted(f"Path integrals at 150 GPa, {t} K, {beads} beads" for t, beads in runs)


def test_planned_by_name_alone(made):
    made.configure(**GRID, pimd={"points": POINTS})
    assert not [message for message in made.planned() if "ath integrals" in message]
    planned = made.planned("pimd")
    runs = [message for message in planned if message.startswith("Path integrals")]
    assert runs == pimd((100, 4), (100, 8), (200, 4))
    assert len([m for m in planned if m.startswith("Analyse path")]) == 3
    # The baths that they judge, at the same points.
    assert len([m for m in planned if m.startswith("Produce")]) == 4
    assert len([m for m in planned if m.startswith("Draw path")]) == 2


def test_one_point_may_be_asked_for(made):
    made.configure(**GRID, pimd={"points": POINTS})
    target = str(made.point("pimd", "150", "200") / "beads16/thermo.nc")
    assert made.planned("--", target) == ["Build the supercell of 44 atoms", *pimd((200, 16))]


def test_beads_may_begin_where_classical_atoms_ended(made):
    """They then wait for that equilibration, and run again where they began elsewhere."""
    made.configure(**GRID | {"baths": ["classical"]}, pimd={"points": POINTS, "start": "classical"})
    target = str(made.point("pimd", "150", "200") / "beads4/thermo.nc")
    assert made.planned("--", target) == [
        "Build the supercell of 44 atoms",
        "Equilibrate classical at 150 GPa, 200 K",
        *pimd((200, 4)),
    ]


def test_without_points_it_says_what_is_missing(made):
    made.configure(**GRID)
    run = made.snakemake("--dry-run", "pimd")
    assert run.returncode == 1
    assert "has no points for path integrals; name some" in run.stdout + run.stderr


@pytest.mark.slow
def test_baths_are_judged(tmp_path):
    """From nothing to the table and the figure, with 44 atoms and 4 beads."""
    made = Campaign(checkout(tmp_path), "judged")
    made.configure(
        pimd={
            "points": [{"pressure": 150, "temperature": 100, "beads": 4}],
            "equilibrate": "0.02 ps",
            "produce": "0.1 ps",
            "frame_interval": "5 fs",
            "checkpoint_interval": "0.05 ps",
        }
    )
    run = made.snakemake("pimd", "--cores", "2", timeout=600)
    assert run.returncode == 0, run.stdout + run.stderr
    folder = tmp_path / made.point("pimd") / "beads4"
    assert "<ffdirect" in (folder / "pimd.xml").read_text()
    with xr.open_dataset(folder / "thermo.nc") as thermo:
        assert thermo.attrs["status"] == "ok"
        assert thermo.attrs["potential_sha256"] and thermo.attrs["config"]
    with xr.open_dataset(made.results / "pimd/comparison.nc") as compared:
        rows = dict(zip(compared.label.values, range(compared.sizes["row"]), strict=True))
        assert set(rows) == {"qtb", "pimd, 4 beads", "harmonic crystal"}
        ring = compared.isel(row=rows["pimd, 4 beads"])
        # Four beads at 100 K are far from quantum nuclei, and further from classical ones.
        assert 200 < float(ring.kinetic_temperature.sel(element="H")) < 600
    assert "| pimd, 4 beads |" in (made.results / "pimd/comparison.md").read_text()
    assert (made.results / "figures/pimd_P150_T100.png").stat().st_size > 10_000
    assert made.planned("pimd") == []
    check_report(made)


def check_report(made: Campaign) -> None:
    """Ordered by question; with path integrals and the card of the potential."""
    for arguments in (("--cores", "2"), ("--report", "report.html")):
        run = made.snakemake(*arguments, timeout=600)
        assert run.returncode == 0, run.stdout + run.stderr
    text = (made.folder / "report.html").read_text(encoding="utf-8")
    for question in ("1. Where is", "2. How strong", "3. Do protons", "4. Does the lattice",
                     "5. Is the quantum", "6. Is the potential", "7. The source"):  # fmt: skip
        assert question in text
    for label in ("path integrals, table", "path integrals, 150 GPa, 100 K", "all numbers",
                  "card of the potential", "Fig. 4", "Fig. 2(a), qtb"):  # fmt: skip
        assert label in text
