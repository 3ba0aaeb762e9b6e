"""Real campaigns of seconds, from the command line to the figures: on a pair potential (see
tests/standin/pair), and once on the shipped one."""

import contextlib
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import replace

import numpy as np
import pytest
import xarray as xr
import yaml

from campaigns import PAIR, REPOSITORY, Campaign, checkout
from interruptions import check_same, checkpoint, kill, log, start, target, wait_until

PNG = b"\x89PNG\r\n\x1a\n"


def test_every_file_of_the_contract(finished):
    check_every_file(finished)


def check_every_file(finished: Campaign) -> None:
    point = finished.folder / finished.point()
    for name in (
        "equilibration.nc", "equilibrated.restart", "equilibrate.lmp", "thermo.nc", "spectra.nc",
        "trajectory.nc", "produce.lmp", "distortion.nc", "diffusion.nc", "energetics.nc",
        "correlations.nc", "summary.nc",
    ):  # fmt: skip
        assert (point / name).stat().st_size > 0, name
    dataset = finished.dataset()
    assert dict(dataset.sizes) | {"bath": 1, "pressure": 1, "temperature": 1} == dict(dataset.sizes)
    assert (dataset.bath.item(), dataset.pressure.item(), dataset.temperature.item()) == (
        "qtb", 150.0, 100.0,
    )  # fmt: skip
    assert dataset.status.item() == 0
    assert 30 < dataset.volume_per_formula.item() < 38  # Å³; 33.2 in experiment
    figures = sorted(path.stem for path in (finished.results / "figures").glob("*.png"))
    assert figures == ["fig2a_qtb", "fig2b", "fig3a", "fig3b", "fig4", "fig5", "fig6"]


def test_the_table_is_there_to_read(finished):
    header, _, point, *_ = (finished.results / "phase_diagram.md").read_text().splitlines()
    assert header.split("|")[1].strip() == "bath"
    assert [cell.strip() for cell in point.split("|")[1:4]] == ["qtb", "150", "100"]
    assert " ± " in point


def test_what_is_there_is_merged_when_the_rest_does_not_come(finished, copy_of):
    made = copy_of(finished)
    made.configure(pressure={"values": [150, 200]})
    (made.results / "phase_diagram.nc").unlink()
    run = made.snakemake("merge")
    assert run.returncode == 0, run.stdout + run.stderr
    assert "2 points" not in run.stdout and "1 points, 1 missing" in run.stdout
    dataset = made.dataset()
    assert dataset.status.values.ravel().tolist() == [0, 1]
    theta = dataset.theta_deviation.values.ravel()
    assert np.isfinite(theta[0]) and np.isnan(theta[1])
    assert theta[0] == finished.dataset().theta_deviation.item()


def planned_dynamics(made) -> set[str]:
    """First words of the planned jobs, without what is merged and drawn within seconds."""
    return {message.split()[0] for message in made.planned()} - {"Merge", "The", "Draw", "Put"}


@pytest.fixture
def cloned(finished, tmp_path):
    """The finished campaign's results in another clone: no records, every date in reverse."""
    folder = checkout(tmp_path / "clone")
    (folder / "resources").unlink()
    (folder / "resources").mkdir()
    for path in (REPOSITORY / "resources").iterdir():
        (folder / "resources" / path.name).symlink_to(path)
    (folder / "resources/structures").unlink()
    shutil.copytree(REPOSITORY / "resources/structures", folder / "resources/structures")
    shutil.copytree(finished.results, folder / "results" / finished.name)
    made = Campaign(folder, finished.name)
    made.configure()
    now = time.time()
    analysed = ("summary", "distortion", "diffusion", "energetics", "correlations")
    stages = (*analysed, "thermo", "spectra", "trajectory", "equilibrat", "supercell")
    for path in made.results.rglob("*.*"):
        order = next((i for i, name in enumerate(stages) if path.name.startswith(name)), 0)
        os.utime(path, times=(now - 1000 + order,) * 2)
    for path in (folder / "resources/structures").iterdir():
        path.touch()
    return made


def test_results_in_another_clone_are_finished_by_content(cloned):
    assert planned_dynamics(cloned) == set()
    assert planned_dynamics(cloned) == set()  # and stay so


def test_results_in_another_clone_of_other_content_run_again(cloned):
    with open(cloned.folder / cloned.point() / "equilibrated.restart", "ab") as handle:
        handle.write(b"changed")
    assert planned_dynamics(cloned) == {"Produce", "Analyse"}
    cloned.configure(bath={"friction": "5 /ps"})
    for path in (cloned.folder / "resources/structures").iterdir():
        path.touch()
    assert {"Equilibrate", "Produce", "Analyse"} <= planned_dynamics(cloned)


def test_phonons_beside_a_foreign_tensorflow(campaign, monkeypatch, tmp_path):
    """As after `module load tensorflow`: a library of the same name earlier on the path."""
    for name in ("libtensorflow_cc.so.2", "libtensorflow_framework.so.2"):
        (tmp_path / name).write_text("not this one")
    monkeypatch.setenv("LD_LIBRARY_PATH", str(tmp_path))
    made = campaign("foreign")
    run = made.snakemake("--cores", "1", "--", "results/foreign/harmonic/P150.nc")
    assert run.returncode == 0, run.stdout + run.stderr


def test_logs_and_benchmarks_of_every_job(finished):
    logs = {str(path.relative_to(finished.folder)) for path in finished.folder.rglob("*.log")}
    for rule in ("equilibrate", "produce", "analyse"):
        assert f"logs/tiny/qtb/P150_T100/{rule}.log" in logs
        table = finished.results / f"benchmarks/qtb/P150_T100/{rule}.tsv"
        assert float(table.read_text().splitlines()[1].split()[0]) > 0
    log = (finished.folder / "logs/tiny/qtb/P150_T100/produce.log").read_text()
    assert "of 0.3 ps" in log and "ps/h" in log and "left" in log


def test_nothing_is_left_to_do(finished):
    assert finished.planned() == []


def test_figures_alone_from_results(finished, tmp_path):
    """In a fresh clone with nothing but the small files, and without any simulation."""
    fresh = replace(finished, folder=checkout(tmp_path / "fresh"))
    small = shutil.ignore_patterns(
        "scratch",
        "trajectory.nc",
        "thermo.nc",
        "spectra.nc",
        "equilibrat*",
        "figures",
        "structures",
    )
    shutil.copytree(finished.results, fresh.results.with_name("kept"), ignore=small)
    run = fresh.snakemake("figures", config="config/demo.yaml")
    assert run.returncode == 0, run.stdout + run.stderr
    drawn = sorted((fresh.folder / "results/kept/figures").glob("*.png"))
    names = ["fig2a_qtb", "fig2b", "fig3a", "fig3b", "fig4", "fig5", "fig6"]
    assert [path.stem for path in drawn] == names
    assert all(path.read_bytes().startswith(PNG) for path in drawn)
    assert all(str(path.relative_to(fresh.folder)) in run.stdout for path in drawn)
    assert sorted(path.name for path in (fresh.folder / "results").iterdir()) == ["kept"]


def test_figures_of_nothing_is_one_line(campaign):
    run = campaign("nothing").snakemake("figures")
    assert run.returncode == 1
    assert "results: no phase_diagram.nc in it to draw; run `make demo` first" in run.stderr
    assert "Traceback" not in run.stderr


# ------------------------------------------------------------------ interrupted and forced


@pytest.fixture(scope="module")
def interrupted(tmp_path_factory, server):
    """A campaign whose Snakemake was killed in the middle of production, and what a second
    Snakemake said while the first was running."""
    folder = checkout(tmp_path_factory.mktemp("interrupted"))
    made = Campaign(folder, "killed", {"PYTHONPATH": str(PAIR)}, server)
    made.configure()
    first = start(made)
    try:
        lock = made.results / ".lock"
        # Written and not only there: its holder is named in it.
        wait_until(lambda: lock.exists() and lock.stat().st_size, "the campaign's lock", first)
        os.killpg(first.pid, signal.SIGSTOP)  # or a fast machine is done before the others ask
        second = made.snakemake("--cores", "1", "--", target(made))
        looking = made.snakemake("--dry-run", "--", target(made))
        os.killpg(first.pid, signal.SIGCONT)
        wait_until(checkpoint(made).exists, "a checkpoint", first)
    finally:
        kill(first)
    assert not (made.folder / target(made)).exists()
    return made, first, second, looking


def test_one_snakemake_a_campaign(interrupted):
    _, first, second, looking = interrupted
    assert second.returncode == 1
    (said,) = (line for line in second.stderr.splitlines() if "in use by" in line)
    assert said.startswith("results/killed is in use by")
    assert f"process {first.pid} on {os.uname().nodename}" in said
    assert "Traceback" not in second.stderr
    assert looking.returncode == 0, "a dry run takes no lock"


def test_killed_and_resumed_is_as_if_undisturbed(interrupted, finished, copy_of):
    made = copy_of(interrupted[0])
    run = made.snakemake("--cores", "1", "--", target(made))
    assert run.returncode == 0, run.stdout + run.stderr
    assert "goes on from" in log(made).read_text()
    check_same(made, finished)


def test_snakemake_alone_is_killed(finished, tmp_path):
    """What it started may live on: the next Snakemake waits for it, or goes on from where it ended,
    and the numbers are those of an undisturbed run."""
    folder = checkout(tmp_path / "orphaned")
    made = replace(finished, folder=folder, name="orphaned")
    made.configure()
    first = start(made)
    try:
        wait_until(checkpoint(made).exists, "a checkpoint", first)
        os.kill(first.pid, signal.SIGKILL)
        first.wait()
        run = made.snakemake("--cores", "1", "--", target(made))
        assert run.returncode == 0, run.stdout + run.stderr
    finally:
        with contextlib.suppress(ProcessLookupError):
            kill(first)
    check_same(made, finished)


def test_a_forced_rerun_starts_anew(interrupted, copy_of):
    """Unlike the same command without force, it does not go on from the checkpoints it finds."""
    made = copy_of(interrupted[0])
    log(made).unlink()
    again = start(made, "--forcerun", "produce")
    try:
        wait_until(
            lambda: log(made).exists() and "of 0.3 ps" in log(made).read_text(), "progress", again
        )
    finally:
        kill(again)
    assert "lah10: qtb P150 T100 produce: 0.005 of 0.3 ps" in log(made).read_text()
    assert "goes on from" not in log(made).read_text()


@pytest.mark.slow
def test_the_shipped_potential_from_nothing_and_killed_and_resumed(campaign):
    """Phonons included."""
    finished, killed = campaign("tiny"), campaign("killed")
    run = finished.snakemake("--cores", "2", timeout=600)
    assert run.returncode == 0, run.stdout + run.stderr
    check_every_file(finished)
    assert finished.planned() == []

    first = start(killed)
    try:
        wait_until(checkpoint(killed).exists, "a checkpoint", first)
    finally:
        kill(first)
    run = killed.snakemake("--cores", "1", "--", target(killed))
    assert run.returncode == 0, run.stdout + run.stderr
    assert "goes on from" in log(killed).read_text()
    check_same(killed, finished)


def test_rates_are_measured_from_a_campaign(finished):
    script = REPOSITORY / "benchmarks/campaign/rates.py"
    environment = {**os.environ, "PYTHONPATH": str(REPOSITORY / "workflow/scripts")}
    text = subprocess.run(
        [sys.executable, str(script), str(finished.results)],
        env=environment, capture_output=True, text=True, check=True,
    ).stdout  # fmt: skip
    rates = yaml.safe_load(text)
    assert (rates["atoms"], rates["ranks"], rates["points"]) == (44, 1, 1)
    assert 10 < rates["dynamics"]["atom_steps_per_second"] < 1e6
    assert rates["startup_seconds"]["produce"] > 0
    assert 100 < rates["memory_mb"]["produce"] < 5000


@pytest.mark.slow
def test_a_campaign_of_deuterium(tmp_path):
    """From a CIF with D to the dataset, the table and the figures."""
    made = Campaign(checkout(tmp_path), "heavy", {"PYTHONPATH": str(PAIR)})
    natural = (REPOSITORY / "resources/structures/Fm-3m.cif").read_text()
    (made.folder / "LaD10.cif").write_text(re.sub(r"\nH(\d) H ", r"\nD\1 D ", natural))
    made.configure(structure={"file": "LaD10.cif"})
    made.give_phonons(isotopes="H: D")
    run = made.snakemake("--cores", "1", timeout=600)
    assert run.returncode == 0, run.stdout + run.stderr
    dataset = made.dataset()
    assert (dataset.attrs["formula"], dataset.attrs["isotopes"]) == ("LaD10", "H: D")
    assert dataset.status.item() == 0
    with xr.open_dataset(made.folder / made.point() / "thermo.nc") as thermo:
        assert thermo.mass.values[1] == pytest.approx(2.0141, abs=1e-4)
    assert "volume (Å³ per LaD10)" in (made.results / "phase_diagram.md").read_text()
    assert (made.results / "figures/fig5.png").read_bytes().startswith(PNG)
    assert made.planned() == []


def test_calibrate_measures_and_the_plan_takes_it(campaign):
    """By two points at a time; on a pair potential, which is fast."""
    made = replace(campaign("calibrated"), environment={"PYTHONPATH": str(PAIR)})
    made.configure()
    (made.folder / "config").unlink()
    shutil.copytree(REPOSITORY / "config", made.folder / "config")
    (made.folder / "config/rates.yaml").unlink(missing_ok=True)
    run = made.snakemake("--cores", "2", "calibrate", timeout=300)
    assert run.returncode == 0, run.stdout + run.stderr
    rates = yaml.safe_load((made.folder / "config/rates.yaml").read_text())
    assert list(rates["dynamics"]["cpu"]["by_atoms"]) == [44]
    assert "2 run(s) at a time on 1 core(s) each" in rates["dynamics"]["cpu"]["source"]
    plan = made.snakemake("--cores", "2", "plan").stdout
    assert "Rates (config/rates.yaml):" in plan and "at 44 atoms; snakemake calibrate on" in plan
    assert "Wall time, 2 job(s) at a time:" in plan
