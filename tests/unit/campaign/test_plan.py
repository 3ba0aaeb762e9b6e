"""Costs of a campaign from measured rates."""

from pathlib import Path

import pytest

from lah10.bath.noise_memory import memory_bytes
from lah10.campaign import plan as planning
from lah10.config import reading
from lah10.errors import UserError

RATES = Path(__file__).resolve().parents[3] / "resources/rates.yaml"


def made(rate: float = 1000.0, gpu: float | None = None, **changes) -> planning.Plan:
    content = {
        "campaign": "test",
        "structure": {"cell": "conventional", "repeat": [1, 1, 2]},
        "baths": ["classical", "qtb"],
        "pressure": {"values": [100, 150, 200]},
        "temperature": {"values": [1, 2]},
        "dynamics": {"equilibrate": "1 ps", "produce": "2 ps"},
    } | changes
    rates = planning.read_rates(RATES)
    rates["dynamics"]["cpu"]["atom_steps_per_second"] = rate
    rates["dynamics"]["gpu"]["atom_steps_per_second"] = gpu
    rates["startup_seconds"] = dict.fromkeys(rates["startup_seconds"], 0)
    return planning.Plan(reading.validate(content, "test"), rates)


def row(plan: planning.Plan, stage: str) -> planning.StageCost:
    return next(cost for cost in plan.costs() if cost.stage == stage)


def test_jobs_of_each_stage():
    jobs = {cost.stage: cost.jobs for cost in made().costs()}
    assert jobs == {
        "structures": 1, "harmonic": 3, "equilibrate": 12, "produce": 12, "analyse": 12,
        "phase_diagram": 1, "figures": 1,
    }  # fmt: skip


def test_a_second_start_costs_as_much_again():
    point = {"pressure": 100, "temperature": 1, "beads": [8, 24]}
    both = made(starts=["cubic", "distorted"], pimd={"points": [point]})
    jobs = {cost.stage: cost.jobs for cost in both.costs()}
    assert (jobs["produce"], jobs["analyse"], jobs["harmonic"], jobs["pimd"]) == (24, 24, 3, 3)
    assert "from two starts" in planning.table(both, finished=lambda stage: 0)


def test_core_hours_are_atoms_times_steps_over_the_rate():
    # 12 points × 88 atoms × 4000 steps at 1000 atom-steps/s
    assert row(made(), "produce").core_hours == pytest.approx(12 * 88 * 4000 / 1000 / 3600)
    assert row(made(), "equilibrate").core_hours == pytest.approx(12 * 88 * 2000 / 1000 / 3600)
    assert row(made(2000), "produce").core_hours == pytest.approx(12 * 88 * 2 / 3600)


def test_path_integrals_cost_as_many_crystals_as_beads():
    point = {"pressure": 100, "temperature": 1, "beads": [8, 24]}
    plan = made(pimd={"points": [point], "equilibrate": "0.5 ps", "produce": "1 ps"})
    cost = row(plan, "pimd")
    assert cost.jobs == 2
    assert cost.core_hours == pytest.approx((8 + 24) * 88 * 3000 / 1000 / 3600)
    assert plan.pimd_runtime(24) > plan.pimd_runtime(8)
    assert plan.pimd_memory_mb(24) > plan.pimd_memory_mb(8)
    assert "pimd" in planning.table(plan, finished=lambda stage: 0)


def test_gpu_hours_are_unknown_until_measured():
    assert row(made(), "produce").gpu_hours is None
    assert row(made(gpu=1e6), "produce").gpu_hours == pytest.approx(12 * 88 * 4000 / 1e6 / 3600)
    assert row(made(), "analyse").gpu_hours == 0


def test_trajectories_count_as_kept_only_if_they_are():
    dropped, kept = (row(made(keep_trajectories=keep), "produce") for keep in (False, True))
    trajectories = 12 * 101 * 88 * 12
    assert kept.kept_bytes - dropped.kept_bytes == pytest.approx(trajectories)
    total = [cost.kept_bytes + cost.temporary_bytes for cost in (dropped, kept)]
    assert total[0] == pytest.approx(total[1])


def test_large_cells_get_more_ranks_and_memory():
    small = made()
    large = made(structure={"repeat": [10, 10, 10]})
    assert (small.ranks, large.ranks) == (1, 16)
    assert large.memory_mb("produce") > 10 * small.memory_mb("produce")
    assert large.runtime("produce", cores=16) < large.runtime("produce", cores=1)
    assert small.runtime("structures") == planning.SHORTEST_MINUTES


def test_a_job_has_no_more_ranks_than_the_machine_has_cores():
    large = made(structure={"repeat": [10, 10, 10]})
    laptop = planning.Plan(large.config, large.rates, 2)
    assert laptop.ranks == 2
    # Two cores work as long as sixteen, but start less often.
    fixed = 14 * large.rates["startup_seconds"]["produce"]
    assert large.core_seconds("produce") - laptop.core_seconds("produce") == pytest.approx(fixed)
    assert planning.Plan(large.config, large.rates, 1000).ranks == planning.MOST_RANKS


def test_memory_counts_the_noise_once_for_all_ranks():
    large = made(structure={"repeat": [10, 10, 10]})
    assert large.noise_mb == pytest.approx(541 + 16 * 34, rel=0.01)
    memory = large.rates["memory_mb"]["produce"]
    without = 16 * memory["base"] + 44 * memory["per_kiloatom"]
    assert large.memory_mb("produce") == pytest.approx(without + large.noise_mb, abs=1)
    # What was measured on one rank is asked for, and more.
    for atoms, measured in ((88, 880), (9_504, 1_660), (44_000, 3_600)):
        noise = memory_bytes(atoms) / 1e6
        assert memory["base"] + memory["per_kiloatom"] * atoms / 1e3 + noise > 1.2 * measured
    assert "(1081 MB of it noise)" in planning.table(large)
    assert large.memory_mb("analyse") < 1000


def test_the_time_step_is_judged_before_it_is_run():
    text = planning.table(made())
    (line,) = [one for one in text.splitlines() if one.startswith("Time step") and "class" in one]
    assert line.startswith("Time step 0.5 fs, classical nuclei at ")
    assert "E_kin -0.25 %, E_pot +0.42 % (stiffest vibration +1.2 %, limit 3 %)" in line
    assert "meV/atom" in line


def test_table():
    plan = made()
    text = planning.table(plan, finished=lambda stage: 7 if stage == "produce" else 0)
    lines = text.splitlines()
    (head,) = (line for line in lines if line.startswith("stage"))
    (produce,) = (line for line in lines if line.startswith("produce"))
    assert head.split() == [
        "stage", "jobs", "done", "core-hours", "GPU-hours", "disk", "kept", "disk", "at", "most",
    ]  # fmt: skip
    assert produce.split()[:5] == ["produce", "12", "7", "1.2", "?"]
    assert "gpu: not measured" in text
    assert "done" not in planning.table(plan)


def test_rates_name_their_source():
    rates = planning.read_rates(RATES)
    for part in (rates["dynamics"]["cpu"], rates["dynamics"]["gpu"], rates["analysis"]):
        assert part["source"].strip()


def test_rates_that_are_none(tmp_path):
    with pytest.raises(UserError, match="cannot be read"):
        planning.read_rates(tmp_path / "rates.yaml")
    (tmp_path / "rates.yaml").write_text("dynamics: {}")
    with pytest.raises(UserError, match="no table of rates"):
        planning.read_rates(tmp_path / "rates.yaml")


def test_isotopes_are_named():
    assert "12 points of 88 atoms, " in planning.table(made())
    assert "12 points of 88 atoms (LaD10), " in planning.table(made(), isotopes={"H": "D"})


def of_size(repeat, **rates) -> planning.Plan:
    plan = made(structure={"cell": "conventional", "repeat": repeat})
    plan.rates["dynamics"]["cpu"] |= rates
    return plan


def test_rates_between_measured_sizes():
    sizes = {44: 8000.0, 4400: 12000.0}
    assert of_size([1, 1, 1], by_atoms=sizes).rate == 8000
    assert of_size([1, 1, 10], by_atoms=sizes).rate == pytest.approx(10000)  # of 440 atoms
    assert of_size([10, 10, 10], by_atoms=sizes).rate == 12000
    assert of_size([10, 10, 10], by_atoms={}).rate == 1000


def test_wall_time_is_that_of_the_slots():
    """12 points of 88 × (2,000 + 4,000) steps at 1,000 atom-steps/s: 528 s each."""
    plan = made()
    plan.rates["analysis"]["atom_frames_per_second"] = 1e12
    assert plan.wall_seconds(1) == pytest.approx(12 * 528)
    assert plan.wall_seconds(4) == pytest.approx(3 * 528)
    assert plan.wall_seconds(12) == pytest.approx(528)
    assert plan.wall_seconds(500) == pytest.approx(528)  # a point's stages follow one another
    assert "Wall time, 4 job(s) at a time: 0:26:24 h" in planning.table(plan, slots=[4, 4])


def test_points_of_a_sweep_wait_for_their_neighbours():
    """Rows of two temperatures: 2 baths × 3 pressures × 2 starts, 528 s a point."""
    alone = made(starts=["cubic", "distorted"])
    swept = made(starts=["cubic", "distorted"], sweep="temperature")
    for plan in (alone, swept):
        plan.rates["analysis"]["atom_frames_per_second"] = 1e12
    assert alone.wall_seconds(24) == pytest.approx(528)
    assert swept.wall_seconds(24) == pytest.approx(2 * 528)
    assert swept.wall_seconds(12) == pytest.approx(2 * 528)
    assert swept.wall_seconds(1) == pytest.approx(24 * 528) == alone.wall_seconds(1)
    more = row(swept, "produce").kept_bytes - row(alone, "produce").kept_bytes
    assert more == 24 * 88 * planning.RESTART_ATOM
    assert "in rows one after the other" in planning.table(swept)


#: Seconds that the jobs of each stage of config/demo.yaml took together, and the whole run, on two
#: cores of the machine that resources/rates.yaml was measured on (28 November 2026).
DEMO = {"equilibrate": 460, "produce": 925, "analyse": 46}
DEMO_WALL = 742


def test_the_plan_of_the_demo_is_right_within_a_third():
    demo = reading.load([RATES.parents[1] / "config/demo.yaml"], root=RATES.parents[1])
    plan = planning.Plan(demo, planning.read_rates(RATES))
    for stage, seconds in DEMO.items():
        assert row(plan, stage).core_hours * 3600 == pytest.approx(seconds, rel=0.3), stage
    assert plan.wall_seconds(2) == pytest.approx(DEMO_WALL, rel=0.3)
