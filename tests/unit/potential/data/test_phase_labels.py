"""The labels that decide between phases: whole, on one mesh, and what their README says of it."""

import ase.io
import numpy as np
import pytest
from ase.units import GPa

from campaigns import REPOSITORY
from lah10.potential.data.phase_structures import SHARES, VOLUMES

FOLDER = REPOSITORY / "resources/dataset/lah10-gpaw-pbe-phases"


def test_every_frame_is_of_the_grid_and_of_one_mesh():
    frames = ase.io.read(FOLDER / "path.xyz", index=":")
    assert {tuple(frame.info["kpoints"]) for frame in frames} == {(14, 14, 14)}
    for frame in frames:
        assert frame.info["volume"] in VOLUMES
        assert (frame.info["angle"], frame.info["internal"]) in SHARES
        assert len(frame) == 11
        assert frame.get_volume() == pytest.approx(frame.info["volume"])
        assert np.isfinite(frame.get_forces()).all() and np.isfinite(frame.get_stress()).all()


def test_the_readme_has_the_numbers_of_the_study():
    energies = {}
    for line in (FOLDER / "mesh-study.txt").read_text().splitlines():
        if not line.startswith("#"):
            _, phase, mesh, occupations, energy = line.split()
            energies[phase, mesh, occupations] = float(energy)
    columns = (
        "methfessel-paxton-0.2eV",
        "methfessel-paxton-0.4eV",
        "improved-tetrahedron-method",
    )
    text = (FOLDER / "README.md").read_text().replace("−", "-")
    rows = 0
    for line in text.splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if line.startswith("|") and cells[0].isdigit():
            rows += 1
            for occupations, cell in zip(columns, cells[1:], strict=True):
                ends = [energies.get((p, cells[0], occupations)) for p in ("R-3m", "Fm-3m")]
                assert (None in ends) == (cell == "")
                if cell:
                    assert float(cell) == pytest.approx(ends[0] - ends[1], abs=0.0051)
    assert rows == 5


def test_tetrahedra_converge_where_smearing_does_not():
    """From 12 to 16 points along a vector; meV/atom."""
    energies = {}
    for line in (FOLDER / "mesh-study.txt").read_text().splitlines()[1:]:
        _, phase, mesh, occupations, energy = line.split()
        energies.setdefault((phase, occupations), {})[int(mesh)] = float(energy)

    def spread(occupations):
        cubic, other = energies["Fm-3m", occupations], energies["R-3m", occupations]
        return np.ptp([other[n] - cubic[n] for n in (12, 14, 16)])

    assert spread("improved-tetrahedron-method") < 0.5
    assert spread("methfessel-paxton-0.2eV") > 2 * spread("improved-tetrahedron-method")


def test_the_readme_has_the_energies_of_the_path():
    energies, pressures = {}, {}
    for frame in ase.io.read(FOLDER / "path.xyz", index=":"):
        if frame.info["angle"] == frame.info["internal"]:
            key = f"{frame.info['volume']:g}", float(frame.info["angle"])
            energies[key] = 1e3 * frame.get_potential_energy() / len(frame)
            if key[1] == 0:
                pressures[key[0]] = -np.trace(frame.get_stress(voigt=False)) / 3 / GPa
    text = (FOLDER / "README.md").read_text().replace("−", "-")
    part = text.partition("## Along the path")[2].partition("\n## ")[0]
    head, _, *rows = [line for line in part.splitlines() if line.startswith("|")]
    shares = [float(cell.split("=")[1]) for cell in head.strip("| ").split("|")[2:]]
    assert len(rows) == len(VOLUMES)
    for row in rows:
        volume, pressure, *cells = [cell.strip() for cell in row.split("|")[1:-1]]
        assert float(pressure) == pytest.approx(pressures[volume], abs=0.06)
        for share, cell in zip(shares, cells, strict=True):
            known = energies.get((volume, share))
            assert (cell == "") == (known is None)
            if cell:
                assert float(cell) == pytest.approx(known - energies[volume, 0.0], abs=0.006)
