"""Fm-3m at rest: its lengths, DFT's file, Table I, the equation of state."""

import json
import re
from pathlib import Path

import numpy as np
import pytest
from ase.neighborlist import neighbor_list

from lah10.errors import UserError
from lah10.potential import statics

ROOT = Path(__file__).parents[2]
DFT = ROOT / "resources/dataset/lah10-gpaw-pbe/fm-3m-static.txt"
MODEL = ROOT / "resources/potentials/lah10/lah10.pb"


def test_lengths_are_the_distances_of_a_built_crystal():
    atoms = statics._fm3m(4.9, 0.1203)
    i, j, d = neighbor_list("ijd", atoms, {("H", "H"): 1.3, ("La", "H"): 2.3, ("La", "La"): 3.6})
    symbols = np.array(atoms.get_chemical_symbols())
    pair = np.array(["-".join(sorted(p)) for p in zip(symbols[i], symbols[j], strict=True)])
    found = {
        name: np.unique(np.round(d[pair == name], 6)).tolist() for name in ("H-La", "H-H", "La-La")
    }
    expected = statics.lengths(4.9, 0.1203)
    assert found["H-La"] == pytest.approx([expected["La-H(32f)"], expected["La-H(8c)"]], abs=1e-6)
    assert found["H-H"] == pytest.approx(
        [expected["H(8c)-H(32f)"], expected["H(32f)-H(32f)"]], abs=1e-6
    )
    assert found["La-La"] == pytest.approx([expected["La-La"]], abs=1e-6)


def test_dft_is_read_with_all_its_distances():
    """The file's own H-H distances, which `read` does not use, follow from its x."""
    data = statics.read(DFT)
    lines = DFT.read_text().splitlines()
    assert len(lines) == data.sizes["a"]
    for line in lines:
        a = float(line.split()[1])
        near, far = map(float, re.search(r"HH \[([\d.]+)\s+([\d.]+)", line).groups())
        lengths = statics.lengths(a, data.x.sel(a=a).item())
        assert lengths["H(8c)-H(32f)"] == pytest.approx(near, abs=3e-4)
        assert lengths["H(32f)-H(32f)"] == pytest.approx(far, abs=3e-4)


def made_up(bulk: float = 900.0, x: float = 0.12):
    a = np.linspace(4.6, 5.4, 9)
    pressure = bulk * ((4.75 / a) ** 3 - 1) + 300
    return statics._dataset(a, a**3 / 4, -a, pressure, np.full(9, x))


def test_lengths_at_a_pressure_are_interpolated():
    lengths = statics.at_pressure(made_up(), 300.0)
    assert lengths["a"] == pytest.approx(4.75, abs=1e-4)
    assert lengths["H(32f)-H(32f)"] == pytest.approx(2 * 0.12 * 4.75, abs=1e-4)


def test_a_pressure_outside_is_refused():
    with pytest.raises(UserError, match=r"^900 GPa is not allowed; -?\d+ to \d+ GPa are$"):
        statics.at_pressure(made_up(), 900.0)


def test_deviations_are_those_put_in():
    dft, model = made_up(), made_up(x=0.12 * 1.01)
    model["energy"] = model.energy + 7.0  # the zero of energy does not count
    result = statics.compare(dft, model, 300.0)
    assert result["lengths"]["H(32f)-H(32f)"]["deviation"] == pytest.approx(1.0, abs=1e-6)
    assert result["lengths"]["a"]["deviation"] == pytest.approx(0.0, abs=1e-9)
    assert result["equation_of_state"]["energy_rms"] == pytest.approx(0.0, abs=1e-9)
    assert result["equation_of_state"]["pressure_rms"] == 0.0


def test_a_potential_without_the_crystal_is_told_so():
    model = made_up()
    model["x"] = model.x.where(model.a > 5.2)
    result = statics.compare(made_up(), model, 300.0)
    assert {row["model"] for row in result["lengths"].values()} == {None}
    json.dumps(result, allow_nan=False)


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("a 4.7 V 25 E -14 P", "line 1 is not allowed"),
        ("a 4.7 V 25 E -14 P 300 LaH [1.9 2.5]", "distances of Fm-3m are allowed"),
        ("", "0 lattice constants; four or more are allowed"),
    ],
)
def test_a_bad_file_is_refused_by_line(tmp_path, text, complaint):
    path = tmp_path / "static.txt"
    path.write_text(text)
    with pytest.raises(UserError, match=complaint):
        statics.read(path)


@pytest.mark.slow
@pytest.mark.skipif(not MODEL.is_file(), reason="no potential is shipped")
def test_the_shipped_statics_are_those_of_the_shipped_model(tmp_path):
    """Computed anew, and within what the card may claim: lengths to 0.32 %, pressures to 2 GPa."""
    shipped = json.loads((MODEL.parent / "statics.json").read_text())
    figure = tmp_path / "statics.png"
    result = statics.validate(
        MODEL, DFT, tmp_path / "statics.json", [figure], offset=shipped["pressure_offset"]
    )
    assert result["model_sha256"] == shipped["model_sha256"]
    assert figure.stat().st_size > 10_000
    for name, row in result["lengths"].items():
        assert row["model"] == pytest.approx(shipped["lengths"][name]["model"], abs=2e-4)
        assert abs(row["deviation"]) < 0.32
    difference = np.subtract(
        *(result["equation_of_state"][k] for k in ("pressure_model", "pressure_dft"))
    )
    assert np.abs(difference).max() < 2.0
