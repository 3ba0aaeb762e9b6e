"""From i-PI's output files to arrays, and from arrays to the run's datasets.

Estimators, as i-PI computes them (V. Kapil et al., Comput. Phys. Commun. 236, 214 (2019)), q_b and
f_b the position and the physical force of bead b of P, q̄ the centroid:

kinetic energy, centroid virial (M. F. Herman, E. J. Bruskin, B. J. Berne, J. Chem. Phys. 76, 5150
(1982); T. M. Yamamoto, J. Chem. Phys. 123, 104101 (2005)), of the n atoms of an element:
    K = 3/2 n k_B T − (1/2P) Σ_b (q_b − q̄)·f_b
stress tensor, of which the pressure is a third of the trace (G. J. Martyna, A. Hughes,
M. E. Tuckerman, J. Chem. Phys. 110, 3275 (1999)):
    VΠ = Σ p̄ p̄ᵀ/m + (1/P) Σ_b [W_b − (q_b − q̄) f_bᵀ],  W_b = −dE(q_b)/dε
Neither involves the springs, nor grows noisier with the number of beads.
"""

import re
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import xarray as xr
from ase import Atoms
from ase.geometry import cell_to_cellpar, cellpar_to_cell

from lah10 import ELEMENTS, schema
from lah10.dynamics.records import VOIGT, described
from lah10.io.files import atomic_path
from lah10.pimd.ipi_input import COLUMNS

#: Time series.
SERIES = schema.PIMD_THERMO

#: i-PI's order of the components of a symmetric or triangular tensor.
TENSOR = ("xx", "yy", "zz", "xy", "xz", "yz")


def read_properties(path: str | Path) -> dict[str, np.ndarray]:
    """Rows of i-PI's table with the columns of `ipi_input.COLUMNS`.

    Returns
    -------
    dict
        step (rows,), time (rows,) ps, and `SERIES`.

    Raises
    ------
    ValueError
        The number of columns is another one.
    """
    text = Path(path).read_text()
    rows = [line.split() for line in text.splitlines() if line and not line.startswith("#")]
    widths = [width for _, width in COLUMNS]
    if any(len(row) != sum(widths) for row in rows):
        raise ValueError(f"{path}: expected {sum(widths)} columns")
    table = np.array(rows, dtype=float).reshape(-1, sum(widths))
    parts = np.split(table, np.cumsum(widths)[:-1], axis=1)
    step, time, conserved, potential, first, second, temperature, volume = (
        part[:, 0] for part in parts[:8]
    )
    h, stress = parts[8:]
    cell = np.zeros((len(table), 3, 3))
    for column, (row, vector) in zip(h.T, (("xyz".index(i), "xyz".index(j)) for i, j in TENSOR),
                                     strict=True):  # fmt: skip
        cell[:, vector, row] = column  # i-PI keeps cell vectors as columns
    return {
        "step": step.astype(int),
        "time": time,
        "potential_energy": potential,
        "kinetic_energy": np.stack([first, second], axis=1),
        "pressure": stress[:, [TENSOR.index(name if name in TENSOR else name[::-1])
                               for name in VOIGT]],
        "volume": volume,
        "cell": cell,
        "bead_temperature": temperature,
        "conserved_energy": conserved,
    }  # fmt: skip


_COMMENT = re.compile(r"CELL\(abcABC\):\s+((?:\S+\s+){6}).*Step:\s+(\d+)")


def read_frames(path: str | Path) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Steps (frames,), cells (frames, 3, 3) and positions (frames, n, 3), Å, of i-PI's XYZ file.

    Raises
    ------
    ValueError
        The file is cut off or not i-PI's.
    """
    lines = Path(path).read_text().splitlines()
    if not lines:
        return np.empty(0, int), np.empty((0, 3, 3)), np.empty((0, 0, 3))
    n = int(lines[0])
    if len(lines) % (n + 2):
        raise ValueError(f"{path}: ends within a frame")
    steps, cells, positions = [], [], []
    for start in range(0, len(lines), n + 2):
        comment = _COMMENT.search(lines[start + 1])
        if comment is None:
            raise ValueError(f"{path}: no cell and step in {lines[start + 1]!r}")
        cells.append(cellpar_to_cell([float(x) for x in comment[1].split()]))
        steps.append(int(comment[2]))
        frame = lines[start + 2 : start + 2 + n]
        positions.append(np.array([line.split()[1:4] for line in frame], dtype=float))
    return np.array(steps), np.array(cells), np.array(positions)


def write_start(path: str | Path, atoms: Atoms) -> None:
    """Write a structure as i-PI's XYZ; a along x and b in the xy plane."""
    parameters = " ".join(f"{x:.12g}" for x in cell_to_cellpar(atoms.cell.array))
    lines = [
        str(len(atoms)),
        f"# CELL(abcABC): {parameters} positions{{angstrom}} cell{{angstrom}}",
        *(
            f"{symbol:2s} {x:.10f} {y:.10f} {z:.10f}"
            for symbol, (x, y, z) in zip(atoms.get_chemical_symbols(), atoms.positions, strict=True)
        ),
    ]
    with atomic_path(path) as aside:
        aside.write_text("\n".join(lines) + "\n")


def thermo_dataset(
    time: np.ndarray,
    series: Mapping[str, np.ndarray],
    masses: np.ndarray,
    counts: np.ndarray,
    springs: np.ndarray,
    attrs: Mapping,
) -> xr.Dataset:
    """Time series of a run.

    Parameters
    ----------
    time : (rows,) ps since the measured part began.
    series : as `SERIES`; empty where the run broke down before.
    masses, counts : (elements,) g/mol and number of atoms.
    springs : (beads,) THz, frequencies of the free ring's normal modes.
    """
    shapes = {"element": len(ELEMENTS), "voigt": 6, "vector": 3, "xyz": 3}
    variables = {}
    for name, variable in SERIES.items():
        empty = np.empty((0, *(shapes[dim] for dim in variable.dims[1:])))
        variables[name] = described(variable, np.asarray(series.get(name, empty), dtype=float))
    for name, values in (("mass", masses), ("n_atoms", counts), ("spring_frequency", springs)):
        variables[name] = described(schema.COMPOSITION[name], np.asarray(values))
    coords = {
        "time": ("time", np.asarray(time, float), {"units": "ps", "long_name": "time"}),
        "element": list(ELEMENTS),
        "voigt": list(VOIGT),
        "xyz": list("xyz"),
        "vector": list("abc"),
    }
    title = "time series of a path-integral run"
    return xr.Dataset(variables, coords, dict(attrs) | {"title": title})
