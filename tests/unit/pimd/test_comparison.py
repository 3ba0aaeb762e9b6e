"""Path integrals beside baths: the dataset, the table and the figure."""

import re

import numpy as np
import pytest
import xarray as xr

import made_up_pimd
import made_up_run
from crystals import supercell
from lah10.analysis import statistics
from lah10.analysis.summary import analyse_point
from lah10.errors import UserError
from lah10.figures import pimd as figure
from lah10.figures.style import COLOURS
from lah10.io import netcdf
from lah10.phonons.expectation import mean_temperature
from lah10.pimd import comparison, judgement, report
from lah10.pimd.analysis import analyse_run
from lah10.pimd.beads import harmonic_temperature, spring_frequencies
from lah10.pimd.comparison import Result
from lah10.schema import BATH_OK, STATUS

#: Kinetic temperature of H by number of beads, K.
H = {8: 600.0, 16: 780.0, 32: 845.0}
#: The run that the baths are compared with.
REFERENCE = "pimd, 32 beads"


def pimd(folder, beads, **options):
    answers = made_up_pimd.ANSWERS | {"kinetic": (150.0, H.get(beads, 0.0))}
    run = made_up_pimd.write_run(folder, beads=beads, answers=answers, seed=beads, **options)
    analyse_run(
        run["thermo"], run["centroids"], run["beads"], run["supercell"],
        summary_out=folder / "summary.nc", distortion_out=folder / "distortion.nc",
        correlations_out=folder / "correlations.nc", window=0.1,
    )  # fmt: skip
    return run


def bath(folder, name):
    folder.mkdir()
    run = made_up_run.write_run(folder, supercell(), bath=name, pressure_GPa=150.0,
                                temperature_K=100.0)  # fmt: skip
    outputs = ("summary", "distortion", "diffusion", "energetics", "correlations")
    analyse_point(
        run["trajectory"], run["thermo"], run["spectra"], run["supercell"],
        **{f"{output}_out": folder / f"{output}.nc" for output in outputs},
    )  # fmt: skip


def phonons(path):
    """Harmonic crystal with La at 8 THz and H at 20 and 50 THz."""
    frequency = np.concatenate([np.full(3, 8.0), np.full(15, 20.0), np.full(15, 50.0)])[None]
    weight = np.zeros((1, 33, 2))
    weight[0, :3, 0] = weight[0, 3:, 1] = 1.0
    crystal = xr.Dataset(
        {
            "frequency": (("q", "branch"), frequency),
            "weight": ("q", [1.0]),
            "element_weight": (("q", "branch", "element"), weight),
            "counted": (("q", "branch"), np.ones((1, 33), np.int8)),
            "volume_per_formula": ("candidate", [33.1, 40.0]),
        },
        {"element": ["La", "H"], "candidate": ["R-3m", "C2c"]},
        {"kept": "R-3m"},
    )
    crystal.to_netcdf(path)
    return crystal


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    folder = tmp_path_factory.mktemp("comparison")
    results, thermo = [], {}
    for beads in (32, 8, 16):
        run = pimd(folder / f"b{beads}", beads)
        thermo["150", "100", beads] = run["thermo"]
    pimd(folder / "failed", 64, status="nan")
    thermo["150", "100", 64] = folder / "failed/thermo.nc"
    for beads, name in ((32, "b32"), (8, "b8"), (16, "b16"), (64, "failed")):
        files = (folder / name / f"{kind}.nc" for kind in ("summary", "correlations"))
        results.append(Result("pimd", beads, "150", "100", *files))
    for name in ("qtb", "classical"):
        bath(folder / name, name)
        files = (folder / name / f"{kind}.nc" for kind in ("summary", "correlations"))
        results.append(Result(name, 0, "150", "100", *files))
    crystal = phonons(folder / "P150.nc")
    compared = comparison.compare(results, {"150": folder / "P150.nc"}, thermo)
    netcdf.write(compared, folder / "comparison.nc", "made up")
    return folder, crystal, xr.load_dataset(folder / "comparison.nc")


def row(compared, label):
    return compared.isel(row=list(compared.label.values).index(label))


def edited(compared, *changes):
    """A copy with other numbers: (label, variable, value) or (label, variable, value, error)."""
    changed = compared.copy(deep=True)
    for label, name, *values in changes:
        for suffix, value in zip(("", "_stderr"), values, strict=False):
            number = list(changed.label.values).index(label)
            changed[name + suffix][number] = value
    return changed


def line(compared, begin):
    """What the table says in the one line that begins so."""
    (found,) = (x for x in report.table(compared).splitlines() if x.startswith(f"- {begin}: "))
    return found.removeprefix(f"- {begin}: ")


def test_one_row_a_result_and_one_for_the_harmonic_crystal(made):
    _, _, compared = made
    assert compared.label.values.tolist() == [
        "classical", "qtb", "pimd, 8 beads", "pimd, 16 beads", "pimd, 32 beads",
        "pimd, 64 beads", "harmonic crystal",
    ]  # fmt: skip
    assert set(compared.pressure.values) == {150.0} and set(compared.temperature.values) == {100.0}
    assert row(compared, "pimd, 64 beads").status == STATUS["nan"]
    assert row(compared, "pimd, 64 beads").kinetic_temperature.isnull().all()
    for name, variable in compared.data_vars.items():
        assert {"units", "long_name"} <= variable.attrs.keys(), name


def test_values_are_those_of_the_summaries(made):
    folder, crystal, compared = made
    for label, name in (("pimd, 32 beads", "b32"), ("qtb", "qtb")):
        ours = row(compared, label)
        with xr.open_dataset(folder / name / "summary.nc") as summary:
            names = ["kinetic_temperature", "volume_per_formula", "lindemann"]
            for variable in [*names, *(["kinetic_temperature_expected"] if name == "qtb" else [])]:
                np.testing.assert_array_equal(ours[variable], summary[variable])
            beads = summary["theta_beads_large"] if name == "b32" else summary["theta_large"]
            assert float(ours.theta_large) == float(beads)
            if name == "b32":
                assert float(ours.theta_centroid_large) == float(summary.theta_large)
            else:
                assert np.isnan(ours.theta_centroid_large)
    harmonic = row(compared, "harmonic crystal")
    expected = [mean_temperature(crystal, "qtb", 100.0, e) for e in ("La", "H")]
    np.testing.assert_allclose(harmonic.kinetic_temperature, expected)
    assert float(harmonic.volume_per_formula) == 33.1


def test_error_of_finitely_many_beads(made):
    _, crystal, compared = made
    springs = spring_frequencies(16, 100.0, None)
    expected = harmonic_temperature([20.0, 50.0], 100.0, springs).mean() - mean_temperature(
        crystal, "qtb", 100.0, "H"
    )
    error = row(compared, "pimd, 16 beads").bead_error
    assert float(error.sel(element="H")) == pytest.approx(expected)
    assert float(error.sel(element="H")) < float(error.sel(element="La")) < 0
    assert row(compared, "qtb").bead_error.isnull().all()


def test_g_of_r_is_compared_with_that_of_most_beads(made):
    """Of those that finished: its own difference is not given."""
    _, _, compared = made
    assert row(compared, "pimd, 32 beads").g_difference.isnull().all()
    same, other = (row(compared, label) for label in ("pimd, 16 beads", "classical"))
    # The same distribution: no more than noise. Another one: far more.
    assert (same.g_difference < 3 * same.g_difference_noise).all()
    assert (other.g_difference.sel(pair="La-La") > 5 * other.g_difference_noise[0]).all()


def test_table(made):
    _, _, compared = made
    text = report.table(compared)
    assert "## 150 GPa, 100 K" in text
    lines = {line.split("|")[1].strip(): line for line in text.splitlines() if "|" in line}
    assert {"classical", "qtb", "pimd, 8 beads", "harmonic crystal"} <= set(lines)
    cells = [cell.strip() for cell in lines["pimd, 32 beads"].split("|")[1:-1]]
    assert re.fullmatch(r"84\d\.\d+ ± [0-2]\.\d+", cells[2])
    assert re.fullmatch(r"33\.\d+ ± 0\.0\d+", cells[5])
    assert cells[1].startswith("15") or cells[1].startswith("14")
    assert "(" in cells[6] and cells[8] == cells[9] == ""
    assert lines["pimd, 64 beads"].split("|")[2].strip() == "nan"
    assert len({line.count("|") for line in text.splitlines() if line.startswith("|")}) == 1
    assert "T_kin of H with 16 and 32 beads: differ by more" in text
    assert "T_kin of La with 16 and 32 beads: agree" in text
    assert "volume with 16 and 32 beads: agree (tolerance 0.2%, " in text
    assert re.search(r"- 32 beads: in the harmonic crystal .* La -\d+\.\d K, H -\d+\.\d K", text)


def test_judgement_of_baths(made):
    """A line a bath and a quantity, with what it says."""
    _, _, compared = made
    text = report.table(compared)
    lines = [line for line in text.splitlines() if " − PIMD, " in line]
    assert len(lines) == 2 * 4 + 2
    expected = [line for line in lines if "expected" in line]
    assert [line.split(",")[0] for line in expected] == ["- qtb − PIMD"] * 2
    found = {tuple(re.match(r"- (\w+) − PIMD, (\w+(?: of \w+)?)", line).groups()): line
             for line in lines if line not in expected}  # fmt: skip
    # Equipartition at 200 K beside 845 K.
    assert re.search(r": -6\d\d\.?\d* ± \d+\.?\d* K \(-7\d\.\d%\): differ by more than 2σ\.$",
                     found["classical", "T_kin of H"])  # fmt: skip
    assert "deconvolved" in found["qtb", "T_kin of H"]
    assert "deconvolved" not in found["classical", "T_kin of H"]
    assert "of θ" in found["qtb", "deviation of θ"] and "°" in found["qtb", "deviation of θ"]
    assert found["classical", "volume"].count("Å³") == 1


@pytest.mark.parametrize(
    ("difference", "error", "said"),
    [
        (1.5, 1.0, "agree within 2σ"),
        (-3.0, 4.0, "agree within 2σ"),
        (3.0, 4.6, "too noisy to tell at 1% with 2σ"),
        (9.0, 4.0, "differ by more than 2σ"),
        (-60.0, 20.0, "differ by more than 2σ"),
        (3.0, np.nan, "too noisy to tell at 1% with 2σ"),
    ],
)
def test_agreement_takes_precision(difference, error, said):
    """Of 900 K: two standard errors must be below 9 K."""
    tolerance = judgement.TOLERANCES["kinetic_temperature"]
    assert judgement.judge(difference, error, tolerance.of(-900.0), str(tolerance)) == said


def test_a_larger_factor_makes_all_noisier():
    assert judgement.judge(9.0, 4.0, 9.0) == "differ by more than 2σ"
    assert judgement.judge(9.0, 4.0, 9.0, "9 K", 2.4) == "too noisy to tell at 9 K with 2.4σ"
    assert judgement.judge(3.0, 4.0, 9.0, factor=2.2) == "agree within 2.2σ"
    assert judgement.judge(3.0, 4.0, 9.0, factor=2.3) == "too noisy to tell at 9 with 2.3σ"


#: An expected temperature of H whose errors are as good as known, at 800 K.
KNOWN = ("qtb", "spectral_blocks", 1e9), (REFERENCE, "kinetic_temperature", 800.0, 1e-3)


@pytest.mark.parametrize("bead_error", [6.0, -6.0])
def test_error_of_finitely_many_beads_counts(made, bead_error):
    """It takes away that a bath agrees, and that it differs; ± is what is judged."""
    few, many = ((REFERENCE, "bead_error", value) for value in (bead_error, 0.0))
    title, name = "qtb − PIMD, T_kin of H, expected", "kinetic_temperature_expected"
    for bath, said in ((803.0, "agree within 2σ"), (810.0, "differ by more than 2σ")):
        near = edited(made[2], *KNOWN, ("qtb", name, bath, 3.0))
        assert " ± 3.0 K " in line(edited(near, many), title)
        assert line(edited(near, many), title).endswith(f"%): {said}.")
        assert " ± 6.7 K " in line(edited(near, few), title)
        assert line(edited(near, few), title).endswith(": too noisy to tell at 1% with 2σ.")
    # Of all temperatures, and of nothing else.
    changed = edited(made[2], (REFERENCE, "bead_error", 1e4))
    for bath in ("classical", "qtb"):
        ours, before = (
            {x.partition(": ")[0]: x for x in report.table(y).splitlines() if "− PIMD, " in x}
            for y in (changed, edited(made[2], many))
        )
        here = [x for x in ours if x.startswith(f"- {bath}")]
        assert [x for x in here if ours[x] != before[x]] == [x for x in here if "T_kin" in x]
        assert len(here) > len([x for x in here if "T_kin" in x]) >= 2


@pytest.mark.parametrize(
    ("share", "error", "said"),
    [
        (0.5, 0.01, "differ by more than 2.9σ"),
        (0.1, 0.3, "too noisy to tell at 0.2% with 2.9σ"),
        (0.1, 0.08, "too noisy to tell at 0.2% with 2.9σ"),
        (0.1, 0.06, "agree within 2.9σ"),
    ],
)
def test_volumes_agree_within_a_fifth_of_a_per_cent(made, share, error, said):
    """In per cent of 33.5 Å³; 1 % would hold two thirds of all quantum effects."""
    ours = 33.5 * (1 + share / 100), 33.5 * error / 100
    changed = edited(made[2], (REFERENCE, "volume_per_formula", 33.5, 1e-6),
                     ("qtb", "volume_per_formula", *ours))  # fmt: skip
    found = line(changed, "qtb − PIMD, volume")
    assert found.endswith(f" Å³ (+{share:.2f}%): {said}.")


@pytest.mark.parametrize(
    ("deviation", "error", "null", "said"),
    [
        (1.2, 0.05, 0.1, "differ by more than 2.9σ"),
        (0.4, 0.2, 0.1, "too noisy to tell at 0.3° with 2.9σ"),
        (0.25, 0.05, 0.1, "agree within 2.9σ"),
        # A null that is 1° larger makes the deviation so, too.
        (1.2, 0.05, 1.1, "too noisy to tell at 0.3° with 2σ"),
    ],
)
def test_angles_agree_within_degrees(made, deviation, error, null, said):
    """0.9° would be half the distortion of R-3m."""
    changed = edited(
        made[2], (REFERENCE, "theta_deviation", 0.2, 1e-6), (REFERENCE, "theta_null", 0.1),
        ("qtb", "theta_deviation", deviation, error), ("qtb", "theta_null", null),
    )  # fmt: skip
    found = line(changed, "qtb − PIMD, deviation of θ from 90°")
    assert re.fullmatch(rf"\+\d\.\d+ ± \d\.\d+ °: {said}\.", found)


@pytest.mark.parametrize(
    ("segments", "said"),
    [
        (500, "differ by more than 2σ"),
        (9, "differ by more than 2.4σ"),
        (5, "too noisy to tell at 1% with 2.9σ"),
        (2, "too noisy to tell at 1% with 14σ"),
        # An older summary does not say how many.
        (np.nan, "differ by more than 2σ"),
    ],
)
def test_few_segments_know_their_error_badly(made, segments, said):
    """2.5 standard errors differ only where these are known."""
    ours = ("qtb", "kinetic_temperature_expected", 820.0, 8.0)
    rest = ("qtb", "spectral_blocks", segments), (REFERENCE, "bead_error", 0.0)
    changed = edited(made[2], *KNOWN, ours, *rest)
    assert line(changed, "qtb − PIMD, T_kin of H, expected").endswith(f" (+2.5%): {said}.")


def test_means_over_time_know_their_error_badly_too(made):
    """2.5 standard errors: two runs together know them better than one."""
    one = ("qtb", "volume_per_formula", 33.5 + 0.25, 0.1)
    for theirs, said in ((1e-6, "too noisy to tell at 0.2% with 2.9σ"), (0.1, "with 2.4σ")):
        changed = edited(made[2], one, (REFERENCE, "volume_per_formula", 33.5, theirs))
        assert line(changed, "qtb − PIMD, volume").endswith(f"{said}.")
    one = ("qtb", "volume_per_formula", 33.5 + 0.25 * np.sqrt(2), 0.1)
    changed = edited(made[2], one, (REFERENCE, "volume_per_formula", 33.5, 0.1))
    assert line(changed, "qtb − PIMD, volume").endswith("differ by more than 2.4σ.")


@pytest.mark.parametrize(("segments", "factor"), [(50, "2.9"), (3, "4.5"), (np.nan, "2.9")])
def test_what_friction_adds_is_known_from_segments(made, segments, factor):
    """A mean over time, of five blocks, and a factor from the spectra, maybe from fewer."""
    changed = edited(
        made[2], *KNOWN, (REFERENCE, "bead_error", 0.0), ("qtb", "spectral_blocks", segments),
        ("qtb", "kinetic_temperature_deconvolved", 801.0, 8.0),
    )  # fmt: skip
    assert line(changed, "qtb − PIMD, T_kin of H, deconvolved").endswith(f" with {factor}σ.")


def test_factor_of_errors_that_are_not_equally_well_known():
    factor, student = judgement.noise_factor, statistics.student_factor
    assert factor([(1.0, 5), (1e-9, 100)]) == pytest.approx(student(2, 5))
    assert factor([(3.0, 5), (3.0, 5)]) == pytest.approx(student(2, 9))
    assert factor([(3.0, 5), (1e3, np.inf)]) == pytest.approx(2.0, abs=1e-4)
    assert factor([(1.0, 1)]) == pytest.approx(student(2, 2))
    for unknown in ([(np.nan, 5), (1.0, 5)], [(0.0, 5)], [(1.0, np.inf)], [(1.0, np.nan)]):
        assert factor(unknown) == 2.0


def test_chance_seldom_makes_a_difference():
    """Of runs that hold ten correlation times, which know their errors from few blocks."""
    rng = np.random.default_rng(3)
    noise = rng.normal(size=(300, 2000))
    for i in range(1, len(noise)):  # a correlation of 9/11 makes ten samples of 100
        noise[i] += 9 / 11 * noise[i - 1]
    means, errors = np.array([statistics.mean_error(x) for x in noise[200:].T]).T
    differences, pairs = np.diff(means.reshape(-1, 2))[:, 0], errors.reshape(-1, 2)
    sigmas = abs(differences) / np.hypot(*pairs.T)
    factors = [judgement.noise_factor([(e, judgement.BLOCKS) for e in pair]) for pair in pairs]
    assert (sigmas > 2).mean() > 0.08
    assert (sigmas > factors).mean() < 0.065  # 0.0455 where errors are known


def test_numbers_of_beads_are_compared_by_the_same_tolerances(made):
    before = "pimd, 16 beads"

    def said(name, title, *values):
        rows = zip((before, REFERENCE), values, strict=True)
        changes = [(label, name, *value) for label, value in rows]
        nulls = [(label, "theta_null", 0.1) for label in (before, REFERENCE)]
        bound = REFERENCE, "bead_error", 100.0  # no part of what beads change
        return line(edited(made[2], *changes, *nulls, bound), f"{title} with 16 and 32 beads")

    volume = ("volume_per_formula", "volume")
    assert said(*volume, (33.5 * 1.005, 0.01), (33.5, 0.01)).startswith("differ by more (")
    assert said(*volume, (33.5 * 1.001, 0.01), (33.5, 0.01)) == "agree (tolerance 0.2%, 2.4σ)."
    assert said(*volume, (33.5 * 1.001, 0.03), (33.5, 0.03)).startswith("are too noisy to tell (")
    theta = ("theta_deviation", "deviation of θ from 90°")
    assert said(*theta, (0.8, 0.05), (0.2, 0.05)).startswith("differ by more (tolerance 0.3°, ")
    assert said(*theta, (0.3, 0.05), (0.2, 0.05)) == "agree (tolerance 0.3°, 2.4σ)."
    # 3 K and two standard errors are within 8 K, 2.4 are not.
    kinetic = ("kinetic_temperature", "T_kin of H")
    assert said(*kinetic, (803.0, 1.7), (800.0, 1.7)).startswith("are too noisy to tell (")
    assert said(*kinetic, (803.0, 1.4), (800.0, 1.4)).startswith("agree (tolerance 1%, 2.4σ)")


def test_numbers_of_beads_are_compared_by_what_both_runs_have(made):
    text = report.table(edited(made[2], ("pimd, 16 beads", "theta_deviation", np.nan)))
    assert "- deviation of θ from 90° with 16" not in text
    assert "- volume with 16 and 32 beads: agree" in text


def test_a_bath_comes_with_its_own_verdict(made):
    folder, _, compared = made
    with xr.open_dataset(folder / "qtb/summary.nc") as summary:
        flag, reason = int(summary.quantum_bath_ok), summary.attrs["quantum_bath_reason"]
    assert flag in (BATH_OK["not_ok"], BATH_OK["undetermined"]) and reason
    for label in compared.label.values:
        ours = row(compared, label)
        said = (flag, reason) if label == "qtb" else (BATH_OK["not_applicable"], "")
        assert (int(ours.quantum_bath_ok), ours.quantum_bath_reason.item()) == said
    described = compared.quantum_bath_ok.attrs
    assert described["flag_values"].tolist() == list(BATH_OK.values())
    assert described["flag_meanings"].split() == list(BATH_OK)
    assert compared.quantum_bath_ok.dtype == np.int8

    def verdicts(compared):
        return [x for x in report.table(compared).splitlines() if "its own verdict" in x]

    changed = compared.assign(quantum_bath_reason=compared.quantum_bath_reason.astype(object))
    for flag, word in ((0, "not ok"), (1, "ok"), (2, "undetermined")):
        for why in ("", "H: kinetic_energy_ratio 0.12 away from 1, limit 0.1"):
            changes = ("qtb", "quantum_bath_ok", flag), ("qtb", "quantum_bath_reason", why)
            said = f"*{word}*: {why}." if why else f"*{word}*."
            assert verdicts(edited(changed, *changes)) == [f"- qtb: its own verdict is {said}"]
    # Above what is said of the bath.
    lines = report.table(compared).splitlines()
    first = next(i for i, x in enumerate(lines) if x.startswith("- qtb − PIMD, "))
    assert lines[first - 1] == verdicts(compared)[0]


def test_older_summaries_know_less(made, tmp_path):
    """No verdict, no number of segments: plain standard errors, and not a word of the bath."""
    folder, _, compared = made
    with xr.open_dataset(folder / "qtb/summary.nc") as summary:
        older = summary.drop_vars(["quantum_bath_ok", "spectral_blocks", "spectral_blocks_stderr"])
        del older.attrs["quantum_bath_reason"]
        older.to_netcdf(tmp_path / "summary.nc")
    results = [
        Result("qtb", 0, "150", "100", tmp_path / "summary.nc", folder / "qtb/correlations.nc"),
        Result("pimd", 32, "150", "100", folder / "b32/summary.nc", folder / "b32/correlations.nc"),
    ]
    thermo = {("150", "100", 32): folder / "b32/thermo.nc"}
    known = comparison.compare(results, {"150": folder / "P150.nc"}, thermo)
    ours = row(known, "qtb")
    assert int(ours.quantum_bath_ok) == BATH_OK["not_applicable"]
    assert ours.quantum_bath_reason.item() == "" and np.isnan(ours.spectral_blocks)
    assert float(row(compared, "qtb").spectral_blocks) >= 2
    assert "its own verdict" not in report.table(known)
    assert len([x for x in report.table(known).splitlines() if "qtb − PIMD" in x]) == 6


def test_figure(made, tmp_path):
    folder, _, _ = made
    outputs = [tmp_path / "one.png", tmp_path / "one.pdf"]
    figure.draw_point(folder / "comparison.nc", "150", "100", outputs)
    assert all(path.stat().st_size > 10_000 for path in outputs)
    with pytest.raises(UserError, match="no point at 200 GPa, 100 K"):
        figure.draw_point(folder / "comparison.nc", "200", "100", outputs)
    with pytest.raises(UserError, match="snakemake pimd"):
        figure.draw_point(folder / "nothing.nc", "150", "100", outputs)


def test_what_is_drawn(made):
    _, _, compared = made
    drawn = figure.draw(compared, "title")
    g, kinetic = drawn.axes[0], drawn.axes[2]
    assert [line.get_label() for line in g.lines] == [
        "classical", "qtb", "pimd, 8 beads", "pimd, 16 beads", "pimd, 32 beads",
    ]  # fmt: skip
    assert [line.get_color() for line in g.lines[:2]] == [COLOURS["classical"], COLOURS["qtb"]]
    assert len({str(line.get_color()) for line in g.lines}) == 5
    assert kinetic.get_ylabel() == "kinetic temperature of H (K)"
    values = {float(line.get_xdata()[0]): float(line.get_ydata()[0])
              for line in kinetic.lines if len(line.get_xdata()) == 1}  # fmt: skip
    assert values[4.0] == pytest.approx(845.0, abs=5)
    labels = [label.get_text() for label in kinetic.get_xticklabels()]
    assert labels[4] == "32 beads" and labels[-1] == "harmonic"


@pytest.mark.parametrize(
    ("flag", "face", "text"),
    [("ok", COLOURS["qtb"], "quantum bath ok"), ("not_ok", "white", "quantum bath not ok")],
)
def test_a_baths_verdict_fills_its_markers(made, flag, face, text):
    _, _, compared = made
    compared = compared.copy(deep=True)
    compared.quantum_bath_ok[compared.label.values == "qtb"] = BATH_OK[flag]
    drawn = figure.draw(compared, "title")
    place = float(np.flatnonzero(compared.label.values == "qtb")[0])
    marks = [line for line in drawn.axes[2].lines
             if list(line.get_xdata()) == [place] and line.get_marker() == "o"]  # fmt: skip
    assert marks and {line.get_markerfacecolor() for line in marks} == {face}
    assert text in [entry.get_text() for entry in drawn.legends[0].get_texts()]


def test_without_a_path_integral_that_finished(made, tmp_path):
    folder, _, compared = made
    files = (folder / "failed/summary.nc", folder / "failed/correlations.nc")
    only = comparison.compare(
        [Result("pimd", 64, "150", "100", *files)], {"150": folder / "P150.nc"},
        {("150", "100", 64): folder / "failed/thermo.nc"},
    )  # fmt: skip
    assert "No path-integral run finished here." in report.table(only)
    figure.draw(only, "title")
    netcdf.write(only, tmp_path / "only.nc", "made up")
    assert xr.load_dataset(tmp_path / "only.nc").quantum_bath_reason.values.tolist() == ["", ""]
    # A bath's own verdict needs nothing to compare it with.
    alone = report.table(compared.isel(row=np.flatnonzero(compared.method.values != "pimd")))
    assert "- qtb: its own verdict is *" in alone and "− PIMD, " not in alone
