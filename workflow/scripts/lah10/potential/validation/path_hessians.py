"""Second derivatives of the energy of R-3m crystals on the path to Fm-3m, by potentials.

DFT labels have first derivatives only. With these, one Newton step yields what a labelled crystal
gains by relaxation (`dft_enthalpies`). The numbers they refer to are those of
`lah10.crystal.rhombohedral`: the cell's angle and four coordinates of H, at one volume.
"""

import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from lah10.crystal.rhombohedral import Rhombohedral, numbers
from lah10.errors import UserError
from lah10.io.files import atomic_path, sha256
from lah10.potential.data.extended_xyz import whole_frames
from lah10.potential.data.phase_structures import SHARES
from lah10.potential.data.systems import unlabelled_frames
from lah10.potential.evaluate import evaluate_all

#: What Hessians are in units of: degree for the angle, hundredths of the cell for coordinates. In
#: them, soft and stiff directions differ by a factor of some 10.
SCALE = np.array([1.0, 0.01, 0.01, 0.01, 0.01])
#: Of the numerical derivatives, in units of `SCALE`.
STEP = np.array([0.02, 0.2, 0.2, 0.2, 0.2])
#: Shares of the path at which they are made: those of the labels.
ON_PATH = tuple(angle for angle, internal in SHARES if angle == internal)
#: Two volumes (Å³) or shares are one within this.
SAME = 1e-3

_UPPER = np.triu_indices(5)


@dataclass(frozen=True)
class Hessian:
    """Of one crystal by one potential.

    Attributes
    ----------
    volume : float
        Å³ per formula unit.
    share : float
        Of the way from Fm-3m to R-3m.
    model : str
        Name of the potential.
    matrix : (5, 5)
        eV per formula unit, in units of `SCALE`.
    """

    volume: float
    share: float
    model: str
    matrix: np.ndarray


def ends(files: Iterable[str | os.PathLike]) -> dict[float, tuple[Rhombohedral, Rhombohedral]]:
    """Fm-3m and R-3m between which the labelled crystals of each volume lie.

    Raises
    ------
    UserError
        A frame is no crystal on the path, or a volume lacks the cubic one or any other.
    """
    found: dict[float, dict[float, Rhombohedral]] = {}
    for file in files:
        for i, atoms in enumerate(whole_frames(Path(file))):
            try:
                share, other, volume = (float(atoms.info[k])
                                        for k in ("angle", "internal", "volume"))  # fmt: skip
                if abs(share - other) < SAME:
                    found.setdefault(volume, {})[share] = numbers(atoms)
            except (KeyError, ValueError) as error:
                raise UserError(
                    f"{file}: frame {i + 1}: no crystal on the path ({error})"
                ) from None
    result = {}
    for volume, crystals in sorted(found.items()):
        far = max(crystals, key=abs)
        if 0.0 not in crystals or far == 0.0:
            raise UserError(
                f"no path at {volume:g} Å³: expected Fm-3m (share 0) and another crystal"
            )
        cubic = crystals[0.0]
        step = (crystals[far].free - cubic.free) / far
        result[volume] = cubic, cubic.at(cubic.free + step)
    return result


def make(
    models: Mapping[str, str | os.PathLike],
    paths: Mapping[float, tuple[Rhombohedral, Rhombohedral]],
    shares: Sequence[float] = ON_PATH,
    threads: int = 1,
) -> list[Hessian]:
    """Hessians of crystals on paths (`ends`), by central differences of the models' gradients.

    Raises
    ------
    UserError
        A model cannot be run.
    """
    at = [(volume, share, cubic.towards(end, share, share))
          for volume, (cubic, end) in paths.items() for share in shares]  # fmt: skip
    moved = [
        crystal.at(crystal.free + sign * step * SCALE)
        for _, _, crystal in at
        for step in np.diag(STEP)
        for sign in (1, -1)
    ]
    system = unlabelled_frames([crystal.atoms() for crystal in moved])
    found = []
    for model, (answer,) in zip(models, evaluate_all(list(models.values()), [system], threads),
                                strict=True):  # fmt: skip
        slopes = np.array([
            crystal.gradient(forces, -virial / crystal.volume) * SCALE
            for crystal, forces, virial in zip(moved, answer.forces, answer.virials, strict=True)
        ]).reshape(len(at), 5, 2, 5)  # fmt: skip
        matrices = (slopes[:, :, 0] - slopes[:, :, 1]) / (2 * STEP[:, None])
        found += [
            Hessian(volume, share, model, (matrix + matrix.T) / 2)
            for (volume, share, _), matrix in zip(at, matrices, strict=True)
        ]
    return found


def write(
    found: Sequence[Hessian], models: Mapping[str, str | os.PathLike], path: str | os.PathLike
) -> None:
    """Write Hessians as text, a line each; the file appears whole."""
    lines = [
        "# Second derivatives of the energy of LaH10 on the path from Fm-3m to R-3m by potentials",
        *(f"# {name}: SHA-256 {sha256(file)}" for name, file in models.items()),
        "# volume (Å3 per formula unit), share of the way, potential, upper triangle row by row of",
        "# the derivatives by the cell's angle (degree) and u, t, x, z (hundredths), eV",
    ]
    for one in found:
        values = " ".join(f"{value:.6g}" for value in one.matrix[_UPPER])
        lines.append(f"{one.volume:g} {one.share:g} {one.model} {values}")
    with atomic_path(path) as aside:
        aside.write_text("\n".join(lines) + "\n", encoding="utf-8")


def read(path: str | os.PathLike) -> list[Hessian]:
    """What `write` wrote.

    Raises
    ------
    UserError
        The file cannot be read, or a line is not of this form.
    """
    try:
        lines = Path(path).read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(f"{path}: cannot be read ({error}); restore it from git") from None
    found = []
    for number, line in enumerate(lines, start=1):
        if not line.strip() or line.startswith("#"):
            continue
        try:
            volume, share, model, *values = line.split()
            matrix = np.zeros((5, 5))
            matrix[_UPPER] = np.array(values, float)
            found.append(Hessian(float(volume), float(share), model,
                                 matrix + np.triu(matrix, 1).T))  # fmt: skip
        except ValueError:
            raise UserError(
                f"{path}: line {number}: expected volume, share, potential and 15 derivatives, got "
                f"{line[:60]!r}; restore the file from git"
            ) from None
    return found


def of(found: Iterable[Hessian], volume: float, share: float) -> dict[str, np.ndarray]:
    """Those of one crystal by potential, shape (5, 5); empty where there are none."""
    return {one.model: one.matrix for one in found
            if abs(one.volume - volume) < SAME and abs(one.share - share) < SAME}  # fmt: skip
