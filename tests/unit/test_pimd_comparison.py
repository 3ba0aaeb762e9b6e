"""Path integrals beside baths: the dataset, the table and the figure."""

import re

import numpy as np
import pytest
import xarray as xr

import made_up_pimd
import made_up_run
from crystals import supercell
from lah10.analysis import dataset
from lah10.analysis.summary import analyse_point
from lah10.errors import UserError
from lah10.figures import COLOURS
from lah10.harmonic import mean_temperature
from lah10.phase_diagram import STATUS
from lah10.pimd import comparison, figure
from lah10.pimd.analysis import analyse_run
from lah10.pimd.beads import harmonic_temperature, spring_frequencies
from lah10.pimd.comparison import Result

#: Kinetic temperature of H by number of beads, K.
H = {8: 600.0, 16: 780.0, 32: 845.0}


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
    dataset.write(compared, folder / "comparison.nc")
    return folder, crystal, xr.load_dataset(folder / "comparison.nc")


def row(compared, label):
    return compared.isel(row=list(compared.label.values).index(label))


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
    text = comparison.table(compared)
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
    assert re.search(r"- 32 beads: in the harmonic crystal .* La -\d+\.\d K, H -\d+\.\d K", text)


def test_judgement_of_baths(made):
    """A line a bath and a quantity, with what it says."""
    _, _, compared = made
    text = comparison.table(compared)
    lines = [line for line in text.splitlines() if " − PIMD, " in line]
    assert len(lines) == 2 * 4 + 2
    expected = [line for line in lines if "expected" in line]
    assert [line.split(",")[0] for line in expected] == ["- qtb − PIMD"] * 2
    found = {tuple(re.match(r"- (\w+) − PIMD, (\w+(?: of \w+)?)", line).groups()): line
             for line in lines if line not in expected}  # fmt: skip
    # Equipartition at 200 K beside 845 K.
    assert re.search(r": -6\d\d\.\d ± \d+\.?\d* K \(-7\d\.\d%\): differ\.$",
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
        (3.0, 4.6, "too noisy to tell at 1%"),
        (9.0, 4.0, "differ"),
        (-60.0, 20.0, "differ"),
        (3.0, np.nan, "too noisy to tell at 1%"),
    ],
)
def test_agreement_takes_precision(difference, error, said):
    """Of 900 K: two standard errors must be below 9 K."""
    assert comparison.judge(difference, error, 900.0) == said


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


def test_without_a_path_integral_that_finished(made, tmp_path):
    folder, _, _ = made
    files = (folder / "failed/summary.nc", folder / "failed/correlations.nc")
    only = comparison.compare(
        [Result("pimd", 64, "150", "100", *files)], {"150": folder / "P150.nc"},
        {("150", "100", 64): folder / "failed/thermo.nc"},
    )  # fmt: skip
    assert "No path-integral run finished here." in comparison.table(only)
    figure.draw(only, "title")
