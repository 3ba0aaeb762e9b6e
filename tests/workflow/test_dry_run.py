"""What Snakemake would run: the shipped campaigns, one point again, one point more."""

import re
import resource
import shutil

import pytest

from campaigns import MODEL, REPOSITORY, Campaign, checkout

STAGES = ("Equilibrate", "Produce", "Analyse")


def per_point(bath: str, pressure: str, temperature: str) -> list[str]:
    return [f"{stage} {bath} at {pressure} GPa, {temperature} K" for stage in STAGES]


@pytest.mark.parametrize(
    ("arguments", "points", "pressures"),
    [
        ((), 18, 3),
        (("--configfile", "config/reference.yaml"), 216, 8),
        (("--configfile", "config/paper.yaml"), 840, 21),
        (("--profile", "slurm", "--configfile", "config/paper.yaml"), 840, 21),
    ],
    ids=["demo", "reference", "paper", "slurm"],
)
def test_shipped_campaigns(server, arguments, points, pressures):
    # Forced, so that results which lie there already do not matter.
    run = server.run(
        "--dry-run", "--forceall", "--quiet", "rules", "host", *arguments, folder=REPOSITORY
    )
    assert run.returncode == 0, run.stdout + run.stderr
    table = dict(
        line.split() for line in run.stdout.splitlines() if len(line.split()) == 2
    )  # the last of the two tables that are printed
    counted = {name: int(n) for name, n in table.items() if n.isdigit()}
    assert counted == {
        "structures": 1, "harmonic": pressures, "equilibrate": points, "produce": points,
        "analyse": points, "phase_diagram": 1, "table": 1, "draw": 1, "all": 1,
        "compare_paper": 1, "describe_potential": 1,
        "total": 3 * points + pressures + 7,
    }  # fmt: skip


def test_slurm_is_not_needed_for_a_dry_run(server, monkeypatch, tmp_path):
    """Also where none of its commands is installed."""
    monkeypatch.setenv("PATH", str(tmp_path))
    for tool in ("bash", "which", "env"):
        (tmp_path / tool).symlink_to(shutil.which(tool, path="/usr/bin:/bin"))
    run = server.run("--dry-run", "--quiet", "rules", "--profile", "slurm", folder=REPOSITORY)
    assert run.returncode == 0, run.stdout + run.stderr


def test_another_checkout_on_pythonpath_has_no_part(campaign, monkeypatch, tmp_path):
    """Neither in what Snakemake reads first, nor in the rules, nor in a rule's script."""
    decoy = tmp_path / "other/workflow/scripts/lah10"
    decoy.mkdir(parents=True)
    (decoy / "__init__.py").write_text("raise SystemExit('the other checkout was imported')\n")
    monkeypatch.setenv("PYTHONPATH", str(decoy.parent))
    made = campaign("own")
    assert "Build the supercell of 44 atoms" in made.planned()
    run = made.snakemake("--cores", "1", "--", "results/own/structures/supercell.xyz")
    assert run.returncode == 0, run.stdout + run.stderr
    assert (made.results / "structures/supercell.xyz").is_file()


def test_plan_prints_one_row_a_stage(campaign):
    run = campaign("plan").snakemake("plan")
    assert run.returncode == 0, run.stderr
    rows = [line.split()[0] for line in run.stdout.splitlines() if line.strip()]
    assert "core-hours" in run.stdout and "GPU-hours" in run.stdout
    for stage in ("structures", "equilibrate", "produce", "analyse", "phase_diagram", "all"):
        assert stage in rows


# ------------------------------------------------------------------ with results in place


def pretend(made: Campaign) -> None:
    """Make every file of a campaign by touching it, with Snakemake's records of how."""
    for line in made.snakemake("--detailed-summary").stdout.splitlines()[1:]:
        path = made.folder / line.split("\t")[0]
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    run = made.snakemake("--touch", "--forceall", "--cores", "1")
    assert run.returncode == 0, run.stdout + run.stderr


GRID = {
    "baths": ["classical", "qtb"],
    "pressure": {"values": [120, 150]},
    "temperature": {"values": [100, "200.0"]},
}


@pytest.fixture(scope="module")
def pretended(tmp_path_factory, server):
    made = Campaign(checkout(tmp_path_factory.mktemp("pretended")), "done", server=server)
    made.configure(**GRID)
    pretend(made)
    assert made.planned() == []
    return made


@pytest.fixture
def done(pretended, copy_of):
    """A campaign of 2 × 2 × 2 points whose every file is there, to be changed at will."""
    return copy_of(pretended)


def test_force_one_point(done):
    """The contract's command reruns that point and no other."""
    target = str(done.point("qtb", "150", "100") / "summary.nc")
    assert done.planned("--forcerun", "equilibrate", "--", target) == sorted(
        per_point("qtb", "150", "100")
    )


def test_forcing_production_leaves_equilibration_alone(done):
    target = str(done.point("qtb", "150", "100") / "summary.nc")
    assert done.planned("--forcerun", "produce", "--", target) == sorted(
        per_point("qtb", "150", "100")[1:]
    )


def configured(done: Campaign, **changes) -> Campaign:
    done.configure(**(GRID | changes))
    return done


MERGED = [
    "Draw the figures of campaign done",
    "Merge the points of campaign done",
    "The numbers of campaign done, to read",
    "Put campaign done beside the source paper",
]


def test_new_grid_values_run_new_points_only(done):
    added = configured(done, temperature={"values": [50, 100, 200]})
    new = [
        message
        for bath in ("classical", "qtb")
        for pressure in ("120", "150")
        for message in per_point(bath, pressure, "50")
    ]
    assert added.planned() == sorted(new + MERGED)


def test_a_new_bath_runs_new_points_only(done):
    added = configured(done, baths=["classical", "qtb", "adqtb"])
    messages = [m for m in added.planned() if m not in MERGED]
    assert len(messages) == 4 * len(STAGES)
    assert all(" adqtb at " in message for message in messages)


def test_a_grid_value_written_otherwise_is_the_same(done):
    assert configured(done, pressure={"values": ["120.0", 150.0]}).planned() == []


def test_a_value_taken_away_only_leaves_the_dataset(done):
    assert configured(done, pressure={"values": [150]}).planned() == sorted(MERGED)


def test_what_does_not_touch_the_dynamics_does_not_rerun_it(done):
    assert configured(done, distortion={"window": "0.1 ps"}).planned() == sorted(
        MERGED
        + [
            f"Analyse {bath} at {pressure} GPa, {temperature} K"
            for bath in ("classical", "qtb")
            for pressure in ("120", "150")
            for temperature in ("100", "200")
        ]
    )


def test_what_touches_the_dynamics_reruns_every_point(done):
    stages = [m.split()[0] for m in configured(done, bath={"friction": "5 /ps"}).planned()]
    assert stages.count("Equilibrate") == stages.count("Produce") == 8


def test_recorded_more_often_is_produced_again_but_not_equilibrated(done):
    dynamics = {"frame_interval": "10 fs"}
    stages = [m.split()[0] for m in configured(done, dynamics=dynamics).planned()]
    assert stages.count("Equilibrate") == 0
    assert stages.count("Produce") == 8


def own_code(made: Campaign):
    """Give a campaign a copy of the code, every date new; the folder of the package."""
    workflow = made.folder / "workflow"
    workflow.unlink()
    shutil.copytree(REPOSITORY / "workflow", workflow, ignore=shutil.ignore_patterns("*.pyc"))
    for path in (workflow / "scripts").rglob("*.py"):
        path.touch()
    return workflow / "scripts/lah10"


def test_dates_of_code_rerun_nothing(done):
    """A fresh clone or a pulled update gives every file a new date."""
    own_code(done)
    assert done.planned() == []


@pytest.mark.parametrize(
    ("module", "stages"),
    [
        ("analysis/distortion.py", {"Analyse", "Merge", "Draw", "Put", "The"}),
        ("bath/spectra.py", {"Analyse", "Merge", "Draw", "Put", "The"}),
        ("bath/adaptive.py", {"Analyse", "Merge", "Draw", "Put", "The"}),
        ("campaign/paper_phases.py", {"Put"}),
        ("figures/campaign.py", {"Draw"}),
        ("figures/publication.mplstyle", {"Draw"}),
        ("dynamics/engine.py", set()),
        ("dynamics/run.py", set()),
    ],
)
def test_mended_code_reruns_what_imports_it_but_no_dynamics(done, module, stages):
    path = own_code(done) / module
    path.write_text(path.read_text() + "\n# mended\n")
    planned = {message.split()[0] for message in done.planned()}
    # What follows a job that runs again runs as well.
    assert planned == stages


def test_another_potential_in_the_same_file_reruns_every_point(campaign):
    made = campaign("copied", potential={"model": "copy.pb"})
    model = made.folder / "copy.pb"
    shutil.copy(MODEL, model)
    pretend(made)
    model.touch()
    assert made.planned() == []
    with open(model, "ab") as handle:  # a field unknown to TensorFlow: the graph stays what it is
        handle.write(b"\x7a\x01x")
    assert {m.split()[0] for m in made.planned()} == {
        "Equilibrate", "Produce", "Analyse", "Phonons", "Merge", "Draw", "The", "Put", "Copy",
    }  # fmt: skip


def test_points_outside_the_grid_are_refused(done):
    for point in (done.point("qtb", "150.0", "100"), done.point("qtb", "155", "100")):
        run = done.snakemake("--dry-run", "--", str(point / "summary.nc"))
        assert run.returncode == 1
        assert "MissingRuleException" in run.stdout + run.stderr


def test_temporary_trajectories_do_not_come_back(campaign):
    """Once analysed, a point whose trajectory was deleted is done, also after an update."""
    made = campaign("temporary", keep_trajectories=False)
    pretend(made)
    assert not list(made.folder.rglob("trajectory.nc"))
    module = own_code(made) / "analysis/distortion.py"
    module.write_text(module.read_text() + "\n# mended\n")
    # The dataset is merged anew, as its phases are judged there; no point is run or analysed.
    assert {message.split()[0] for message in made.planned()} <= {"Merge", "Draw", "The", "Put"}


EVERYTHING = {
    "Build", "Phonons", "Equilibrate", "Produce", "Analyse", "Merge", "Draw", "The", "Put",
}  # fmt: skip


def test_isotopes_rerun_everything_with_masses(done):
    """By the key: the supercell, which all dynamics starts from, and the phonons."""
    heavy = configured(done, structure={"isotopes": {"H": "D"}})
    assert {message.split()[0] for message in heavy.planned()} == EVERYTHING
    assert "44 atoms (LaD10), " in heavy.snakemake("plan").stdout


def test_isotopes_of_the_structure_file_count_too(done):
    """A file with D in it, younger than the results; a key of another isotope is refused."""
    natural = (REPOSITORY / "resources/structures/Fm-3m.cif").read_text()
    heavy = re.sub(r"(?m)^(\s*)H(?=\d*\s)", r"\1D", natural)
    heavy = re.sub(r"(?m)^(\s*\S+\s+|\s*)H(?=\s)", r"\1D", heavy)
    (done.folder / "LaD10.cif").write_text(heavy)
    made = configured(done, structure={"file": "LaD10.cif"})
    assert {message.split()[0] for message in made.planned()} == EVERYTHING
    assert "44 atoms (LaD10), " in made.snakemake("plan").stdout
    made.configure(**GRID, structure={"file": "LaD10.cif", "isotopes": {"H": "T"}})
    run = made.snakemake("--dry-run")
    assert run.returncode == 1
    told = "structure.isotopes: expected H: D, as LaD10.cif has, got T; remove the key"
    assert told in run.stdout + run.stderr and "Traceback" not in run.stdout + run.stderr


def grid(number: int, step: int) -> dict:
    return {"values": [100 + step * n for n in range(number)]}


@pytest.mark.slow
@pytest.mark.parametrize(
    ("pressures", "temperatures", "seconds"),
    [pytest.param(21, 20, 15, id="840 points"), pytest.param(50, 50, 90, id="5,000 points")],
)
def test_large_grids_are_planned_soon(campaign, pressures, temperatures, seconds):
    """By processor time, which other work on the machine does not change."""
    made = campaign("large")
    made.configure(
        baths=["classical", "qtb"],
        pressure=grid(pressures, 2),
        temperature=grid(temperatures, 5),
    )
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    run = made.run(*made.command("--dry-run", "--quiet", "all"), timeout=1200)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    assert run.returncode == 0, run.stderr
    took = after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime
    assert took <= seconds
