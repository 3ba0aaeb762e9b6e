"""i-PI's input, against golden text; regenerate with UPDATE_GOLDEN=1 and read it."""

import os
import xml.etree.ElementTree as tree
from dataclasses import asdict
from pathlib import Path

import pytest
from ipi.utils.io.inputs.io_xml import read_dict

from lah10.errors import UserError
from lah10.pimd import ipi_input
from lah10.pimd.job import PimdJob

GOLDEN = Path(__file__).parent / "golden"
DYNAMICS = {
    "timestep_fs": 0.5,
    "equilibrate_ps": 1.0,
    "produce_ps": 5.0,
    "thermo_interval_fs": 5.0,
    "frame_interval_fs": 20.0,
    "checkpoint_interval_ps": 0.1,
    "thermostat_damping_ps": 0.1,
    "barostat_damping_ps": 0.5,
    "frame_beads": 8,
}


def job(**changes) -> PimdJob:
    options = {
        "pressure_GPa": 150.0,
        "temperature_K": 100.0,
        "beads": 48,
        "highest_THz": 80.0,
        "start": "supercell.xyz",
        "outputs": {},
        "scratch": "scratch",
        "dynamics": DYNAMICS,
        "seed": 1,
    }
    return PimdJob(**(options | changes))


def xml(**changes) -> str:
    options = {"model": "lah10.pb", "template": "supercell.xyz"}
    return job(**changes).xml("start.xyz", "deep_potential.py", options)


@pytest.mark.parametrize(
    ("name", "changes"),
    [
        ("npt", {}),
        ("nvt", {"pressure_GPa": None, "highest_THz": None, "temperature_K": 300.0, "beads": 6}),
    ],
)
def test_golden(name, changes):
    path = GOLDEN / f"pimd-{name}.xml"
    text = xml(**changes)
    if os.environ.get("UPDATE_GOLDEN"):
        path.write_text(text)
    assert text == path.read_text()
    assert tree.fromstring(text).tag == "simulation"


def test_every_bead_goes_through_the_potential_in_one_call():
    root = tree.fromstring(xml(beads=12))
    assert root.find("ffdirect/batch_size").text == "12"
    assert root.find("system/initialize").attrib["nbeads"] == "12"


@pytest.mark.parametrize(
    ("beads", "kept", "stride"), [(64, 8, 8), (48, 8, 6), (6, 8, 1), (20, 8, 2), (2, 1, 2)]
)
def test_about_as_many_beads_are_kept_as_asked_for(beads, kept, stride):
    assert ipi_input.bead_stride(beads, kept) == stride


def test_cell_is_as_heavy_as_quantum_nuclei_make_it():
    """At low temperatures i-PI's own definition would make it swing faster than protons."""
    cold, warm = job(temperature_K=50.0).barostat_fs(), job(temperature_K=3000.0).barostat_fs()
    mass = [50.0 * cold**2, 3000.0 * warm**2]
    assert warm == pytest.approx(500.0, rel=0.05)
    assert cold > 1500 and mass[0] < mass[1]


def test_a_run_has_a_seed_of_its_own():
    seeds = {
        job(**changes).random_seed()
        for changes in ({}, {"beads": 64}, {"temperature_K": 50.0}, {"pressure_GPa": 100.0},
                        {"seed": 2}, {"highest_THz": None})
    }  # fmt: skip
    assert len(seeds) == 6
    assert all(0 <= seed < 2**30 for seed in seeds)
    assert job(campaign="another").random_seed() == job().random_seed()


def test_fingerprint_covers_content_and_not_names(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in ("supercell.xyz", "copy.xyz"):
        Path(name).write_text("crystal")
    Path("model.pb").write_text("one")
    options = {"driver_options": {"model": "model.pb", "template": "supercell.xyz"}}
    reference = job(**options).fingerprint()
    assert job(**options, start="copy.xyz", scratch="x", campaign="y").fingerprint() == reference
    changed = [
        {"beads": 64}, {"seed": 2}, {"temperature_K": 99.0}, {"highest_THz": 70.0},
        {"dynamics": DYNAMICS | {"timestep_fs": 0.25}},
    ]  # fmt: skip
    for changes in changed:
        assert job(**(options | changes)).fingerprint() != reference, changes
    Path("model.pb").write_text("another")
    assert job(**options).fingerprint() != reference


def test_times_in_steps():
    assert job().total_steps == 12_000
    assert job().steps("frame_interval_fs") == 40
    assert job().steps("checkpoint_interval_ps") == 200
    assert PimdJob(**asdict(job())) == job()


def test_paths_with_blanks_reach_i_pi_and_others_are_refused():
    options = {"model": "my models/a 1.pb", "template": "C: d/supercell.xyz"}
    text = job().xml("start.xyz", "deep_potential.py", options)
    assert read_dict(tree.fromstring(text).find("ffdirect/parameters").text) == options
    for model in ("a,b.pb", "{a}.pb", "a<b.pb", "a&b.pb", "a.pb "):
        with pytest.raises(UserError, match=r"model: .*rename the file or folder"):
            job().xml("start.xyz", "deep_potential.py", options | {"model": model})


def test_a_held_shape_has_an_isotropic_barostat():
    shape = {"angle_degree": 1.2, "volume_damping_ps": 1.25}
    held = job(held_shape=shape)
    text = held.xml("start.xyz", "deep_potential.py", {})
    barostat = tree.fromstring(text).find(".//barostat")
    assert barostat.get("mode") == "isotropic"
    assert float(barostat.find("tau").text) == 1250
    assert tree.fromstring(xml()).find(".//barostat").get("mode") == "flexible"
    assert held.random_seed() != job().random_seed()
    assert held.rule == "boundary_pimd" and job().rule == "pimd_run"


def test_isotopes_are_masses_of_the_atoms():
    """After the file, whose symbols have other masses, and before the velocities, drawn with
    them; without isotopes the text is that of the golden files."""
    masses = [138.90547, 2.014101777844]
    text = job().xml("start.xyz", "deep_potential.py", {}, masses, heavier=2.0)
    start = tree.fromstring(text).find("system/initialize")
    assert [part.tag for part in start] == ["file", "masses", "velocities"]
    assert start.find("masses").attrib == {"mode": "manual", "units": "dalton"}
    assert start.find("masses").text == "[ 138.90547, 2.01410177784 ]"


def test_a_heavier_isotope_makes_the_cell_lighter():
    """Its nuclei hold less energy, by which the mass of the cell is set."""
    usual, heavy = job().barostat_fs(), job().barostat_fs(heavier=2.0)
    assert heavy == pytest.approx(usual / 2**0.25, rel=1e-3)
