"""Typical trajectories of protons, after the source paper's Fig. 4, as a figure and for OVITO."""

import os
from pathlib import Path

import ase.io
import numpy as np
import xarray as xr
from ase import Atoms
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from mpl_toolkits.mplot3d import Axes3D

from lah10 import ELEMENTS
from lah10.crystal.cage import connect
from lah10.figures import verdict
from lah10.figures.enthalpies import LANTHANUM, draw_cage
from lah10.figures.points import QUANTUM, nearest_finished, place, point_file
from lah10.figures.style import COLOURS, NAMES, crystal_title, mark_empty, of_crystal, styled
from lah10.io.files import atomic_path
from lah10.schema import EXCHANGE_CLASSES, ROLES

#: GPa and K of the source paper's Fig. 4.
FIG4 = (200.0, 200.0)
TITLES = ("(a) no exchange", "(b) one exchange", "(c) several exchanges")
PROTON, PARTNER = COLOURS["qtb"], "#0072B2"


def chosen(dataset: xr.Dataset, points: str | os.PathLike) -> tuple | None:
    """(bath, GPa, K) and diffusion.nc of the finished quantum point nearest to the paper's, in
    temperature first; of a classical one if there is none; None if nothing finished."""
    pressure, temperature = FIG4
    choice = nearest_finished(dataset, [*QUANTUM, "classical"], temperature, pressure)
    return choice and (choice, point_file(points, choice, "diffusion.nc", ()))


@styled
def fig4(dataset: xr.Dataset, points: str | os.PathLike) -> Figure:
    """Three protons and the La next to them, in projection: no exchange, one, several.

    Of each class the median proton (`lah10.analysis.typical`). Circle: where it was first; square:
    last. Pale: the sites of the cage round the La next to its first site.
    """
    figure = Figure(figsize=(7.0, 3.1))
    found = chosen(dataset, points)
    if found is None or "typical_position" not in found[1]:
        axes = figure.subplots()
        axes.set_axis_off()
        if found is None:
            mark_empty(axes)
        else:
            text = "diffusion.nc of this campaign has no trajectories;\nanalyse its points again"
            axes.text(0.5, 0.5, text, ha="center", va="center", color="0.4")
        return figure
    choice, data = found
    for k, title in enumerate(TITLES):
        axes = figure.add_subplot(1, 3, k + 1, projection="3d")
        size = data.class_size.values
        total = int((np.isfinite(size) * np.nan_to_num(size)).sum())
        count = int(np.nan_to_num(size[k]))
        axes.set_title(of_crystal(dataset, f"{title}\n{count} of {total} protons"))
        _trajectories(axes, data, k)
    bath, *_ = choice
    point = dataset.sel(bath=bath, pressure=choice[1], temperature=choice[2])
    time = float(data.typical_frame[-1] - data.typical_frame[0]) if data.typical_frame.size else 0.0
    # Its curves have no band that could be hatched.
    words = [text.partition(" (")[0] for text in verdict.words(point)]
    lines = [f"{NAMES[bath]}, {place(choice, FIG4)}, {time:.3g} ps".replace("\n", ", ")]
    lines += [", ".join(words)] * bool(words)
    figure.suptitle(crystal_title(dataset, "\n".join(lines)), x=0.02, ha="left", fontsize=8)
    figure.get_layout_engine().set(rect=(0, 0.07, 1, 0.93))
    marks = {"linestyle": "none", "color": PROTON}
    figure.legend(loc="lower center", ncols=5, handles=[
        Line2D([], [], color=PROTON, label=of_crystal(dataset, "the proton")),
        Line2D([], [], marker="o", markerfacecolor="white", label="first", **marks),
        Line2D([], [], marker="s", label="last", **marks),
        Line2D([], [], color=PARTNER,
               label=of_crystal(dataset, "protons that it changed places with")),
        Line2D([], [], color=LANTHANUM, label="La"),
    ])  # fmt: skip
    return figure


def _trajectories(axes: Axes3D, data: xr.Dataset, k: int) -> None:
    mine = (data.typical_class.values == k).nonzero()[0]
    if not len(mine):
        axes.set_axis_off()
        axes.text2D(0.5, 0.5, "no such proton", transform=axes.transAxes, ha="center", color="0.4")
        return
    roles, paths = data.typical_role.values, data.typical_position.values
    la = paths[[i for i in mine if roles[i] == ROLES.index("lanthanum")]]
    centre = la[0].mean(axis=0)
    draw_cage(axes, connect(data.typical_cage.values[k] - centre), faint=True)
    for i in mine:
        path, role = paths[i] - centre, ROLES[int(roles[i])]
        colour = {"proton": PROTON, "partner": PARTNER, "lanthanum": LANTHANUM}[role]
        axes.plot(*path.T, color=colour, linewidth=0.9 if role == "proton" else 0.5,
                  alpha=1.0 if role == "proton" else 0.6, label=f"{role} {i}")  # fmt: skip
        if role == "proton":
            axes.plot(*path[:1].T, marker="o", color=colour, markerfacecolor="white", markersize=4)
            axes.plot(*path[-1:].T, marker="s", color=colour, markersize=4)
    radius = np.linalg.norm(data.typical_cage.values[k] - centre, axis=1).max()
    shown = np.linalg.norm((paths[mine] - centre).reshape(-1, 3), axis=1)
    reach = 0.7 * max(1.25 * radius, shown.max())
    axes.set(xlim=(-reach, reach), ylim=(-reach, reach), zlim=(-reach, reach))


def write_xyz(dataset: xr.Dataset, points: str | os.PathLike, path: str | os.PathLike) -> None:
    """The atoms of Fig. 4 frame by frame in extended XYZ, for OVITO and ASE.

    Columns beside species and position (Å, unwrapped, in the mean cell): `exchanges`, the class of
    the proton that the atom goes with (0, 1 or 2 for several), `role` (0 the proton, 1 one that it
    changed places with, 2 La) and `atom`, the index in the supercell. An atom that goes with two
    protons stands there twice. A file without atoms where the campaign has no trajectories.
    """
    found = chosen(dataset, points)
    frames = []
    if found is not None and found[1].get("typical_position", xr.DataArray(np.empty(0))).size:
        data = found[1]
        roles = data.typical_role.values.astype(int)
        elements = [ELEMENTS[0] if role == ROLES.index("lanthanum") else "H" for role in roles]
        for j, time in enumerate(data.typical_frame.values):
            atoms = Atoms(elements, data.typical_position.values[:, j], cell=data.mean_cell.values,
                          pbc=True)  # fmt: skip
            atoms.arrays |= {
                "exchanges": data.typical_class.values.astype(int),
                "role": roles,
                "atom": data.typical_index.values.astype(int),
            }
            atoms.info = {"time": float(time), "classes": " ".join(EXCHANGE_CLASSES)}
            frames.append(atoms)
    with atomic_path(path) as aside:
        if frames:
            ase.io.write(aside, frames, format="extxyz")
        else:
            Path(aside).write_text("0\nno typical trajectories in this campaign\n")
