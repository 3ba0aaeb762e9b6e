"""The distortion of the cages: θ, its companions, the cubic null and the local order parameter.

θ is the angle between the planes of adjacent quadrilaterals of a cage, taken between their outward
normals. The four corners of a quadrilateral are not in a plane once the crystal distorts: its
plane is the one with the least squared distances from them. (The normal to both diagonals would
do as well and is recorded beside it, but is another quantity: where R-3m LaH10 has a θ of
88.3/91.7°, it gives 86.8/93.2°, for the quadrilaterals become bent kites.) The 12 adjacent
pairs of a cage fall into 6 orientation classes, a pair and its inverse together: for each of the
axis pairs yz, zx, xy the faces with equal signs (+y+z and −y−z) and with opposite signs. θ of a
class is the mean over frames, over cages and over its two pairs. In a cubic crystal all six are
90°; in a rhombohedral one they are 90° ± δ.

The local order parameter of a cage in a time window is built from the three shears
s_k = (θ_equal − θ_opposite)/2 of the axis pairs k = yz, zx, xy, averaged over the window:
the distortion sqrt((s_yz² + s_zx² + s_xy²)/3) in degrees, which is |θ − 90°| of a rhombohedral
crystal with those shears. The four ⟨111⟩ variants have the sign patterns of n_y n_z, n_z n_x,
n_x n_y, n the axis, times one common sign; a cage belongs to the variant with the largest
projection, or to none if its distortion is below what 99 % of cubic cages show.
"""

from collections.abc import Mapping

import numpy as np
from ase import Atoms
from ase.geometry import cellpar_to_cell
from scipy.stats import norm

from lah10.analysis import statistics
from lah10.analysis.dataset import Coordinates
from lah10.crystal.rhombohedral import Rhombohedral
from lah10.crystal.sites import Cages, SiteMap, find_cages
from lah10.crystal.structures import build_supercell
from lah10.schema import PHASE, VARIANTS

#: The six classes of adjacent faces, named after one of the two pairs.
ORIENTATIONS = ("+y+z", "+y-z", "+z+x", "+z-x", "+x+y", "+x-y")
#: The six classes of corners: face axis, and the diagonal (of the two other axes) they lie on.
CORNERS = ("x:+y+z", "x:+y-z", "y:+z+x", "y:+z-x", "z:+x+y", "z:+x-y")
#: Sign patterns of the shears (yz, zx, xy) in the variants, in the order of `VARIANTS`.
PATTERNS = np.array([(1, 1, 1), (1, -1, -1), (-1, 1, -1), (-1, -1, 1)])
#: Edges of the histogram of the local distortion, degree.
BINS = np.linspace(0.0, 20.0, 201)
#: A point is called distorted above this many standard deviations of the null.
SIGMAS = 3.0
#: A distortion is excluded where it lies this many standard errors above what is seen.
EXCLUDED = 2.0
#: Degree, θ deviation of R-3m as it is shipped (tests/unit/test_distortion.py): that of the
#: distorted phase where nothing is known of it at a pressure.
RESOLVED = 1.71
#: Degree: a crystal at rest that deviates less is cubic.
AT_REST = 0.1
#: Windows of the local order parameter that an error needs: of two, the residuals are of one size.
MIN_WINDOWS = 3
#: A cage belongs to a variant above this quantile of the cubic null.
NULL_QUANTILE = 0.99
BOOTSTRAP_SAMPLES = 4000
#: Fractional coordinate of H 32f in Fm-3m, from which displacements in R-3m count; any will do.
IDEAL_H = 0.12

COORDINATES: Coordinates = {
    "time": ("ps", "time", ()),
    "orientation": (None, "class of adjacent faces, by one of its pairs", ORIENTATIONS),
    "corner": (None, "class of corners: axis of the face, diagonal", CORNERS),
    "angle": (None, "angle of the conventional cell", ("alpha", "beta", "gamma")),
    "window": ("ps", "middle of the window", ()),
    "variant": (None, "axis of the rhombohedral distortion", VARIANTS),
    "distortion": ("degree", "distortion of a cage", 0.5 * (BINS[1:] + BINS[:-1])),
}



class CageAngles:
    """Accumulates the angles of all cages frame by frame, in memory that grows by a few hundred
    numbers a frame and by 12 bytes per cage and window.

    Parameters
    ----------
    cages : Cages
    template : Atoms
        The supercell that the cages were found in.
    window : int
        Frames per window of the local order parameter.
    """

    #: Cages whose shears are kept frame by frame, to know their correlation time.
    SAMPLED = 128

    def __init__(self, cages: Cages, template: Atoms, window: int):
        scaled = template.get_scaled_positions(wrap=False)
        self._cages = cages
        self._corners = scaled[cages.corners] + cages.shifts - scaled[cages.la][:, None, None]
        stride = int(np.ceil(len(cages.la) / self.SAMPLED))
        self._sample = slice(None, None, stride)
        self.window = window
        self._sum = np.zeros((len(cages.la), 3))
        self._count = 0
        self.theta, self.diagonals, self.centres, self.corners = [], [], [], []
        self.cell_angles = []
        self.shears, self.window_shears = [], []

    def __len__(self) -> int:
        return len(self._cages.la)

    def add(self, displacement: np.ndarray, cell: np.ndarray) -> None:
        """Take in one frame: fractional displacements from the sites (n, 3), and the cell (3, 3),
        vectors as rows, Å."""
        cages = self._cages
        corners = (
            self._corners + displacement[cages.corners] - displacement[cages.la][:, None, None]
        ) @ cell
        theta = class_angles(normals(corners))
        centres = class_angles(_unit(corners.mean(axis=2)))
        self.theta.append(theta.mean(axis=0))
        self.diagonals.append(class_angles(diagonal_normals(corners)).mean(axis=0))
        self.centres.append(centres.mean(axis=0))
        self.corners.append(corner_angles(corners).mean(axis=0))
        self.cell_angles.append(cell_angles(cages.axes @ cell))

        shear = 0.5 * (theta[:, 0::2] - theta[:, 1::2])
        self.shears.append(shear[self._sample].astype(np.float32))
        self._sum += shear
        self._count += 1
        if self._count == self.window:
            self.window_shears.append((self._sum / self._count).astype(np.float32))
            self._sum[:], self._count = 0.0, 0


def normals(corners: np.ndarray) -> np.ndarray:
    """Outward unit normals of the least-squares planes of quadrilaterals, (..., 4, 3) -> (..., 3).

    The direction in which the corners spread least about their centre, on the side from which
    they run anticlockwise.
    """
    spread = corners - corners.mean(axis=-2, keepdims=True)
    normal = np.linalg.eigh(spread.swapaxes(-1, -2) @ spread)[1][..., 0]
    inward = (normal * diagonal_normals(corners)).sum(axis=-1) < 0
    return np.where(inward[..., None], -normal, normal)


def diagonal_normals(corners: np.ndarray) -> np.ndarray:
    """Unit normals to the diagonals of quadrilaterals, outward, (..., 4, 3) -> (..., 3):
    (c2 − c0) × (c3 − c1)."""
    return _unit(
        np.cross(corners[..., 2, :] - corners[..., 0, :], corners[..., 3, :] - corners[..., 1, :])
    )


def class_angles(directions: np.ndarray) -> np.ndarray:
    """Angles in degree between the six unit directions of cages, by class: (n, 6, 3) -> (n, 6)."""
    cosines = np.clip(directions @ directions.swapaxes(-1, -2), -1.0, 1.0)
    classes = []
    for k, m in ((1, 2), (2, 0), (0, 1)):
        for first, second in (
            ((2 * k, 2 * m), (2 * k + 1, 2 * m + 1)),
            ((2 * k, 2 * m + 1), (2 * k + 1, 2 * m)),
        ):
            pair = np.stack([cosines[:, first[0], first[1]], cosines[:, second[0], second[1]]])
            classes.append(np.degrees(np.arccos(pair)).mean(axis=0))
    return np.stack(classes, axis=-1)


def corner_angles(corners: np.ndarray) -> np.ndarray:
    """Corner angles of quadrilaterals in degree, by class: (n, 6, 4, 3) -> (n, 6), see `CORNERS`.

    Opposite faces and opposite corners are averaged.
    """
    ahead = _unit(np.roll(corners, -1, axis=2) - corners)
    behind = _unit(np.roll(corners, 1, axis=2) - corners)
    angles = np.degrees(np.arccos(np.clip((ahead * behind).sum(axis=-1), -1.0, 1.0)))
    by_diagonal = angles.reshape(-1, 6, 2, 2).mean(axis=2)  # corners 0 and 2, 1 and 3
    return by_diagonal.reshape(-1, 3, 2, 2).mean(axis=2).reshape(-1, 6)


def cell_angles(cell: np.ndarray) -> np.ndarray:
    """alpha, beta, gamma in degree, shape (3,), of a cell (3, 3) with vectors as rows."""
    unit = _unit(cell)
    return np.degrees(np.arccos([unit[1] @ unit[2], unit[2] @ unit[0], unit[0] @ unit[1]]))


def _unit(vectors: np.ndarray) -> np.ndarray:
    """Vectors (..., 3) of length 1."""
    return vectors / np.linalg.norm(vectors, axis=-1, keepdims=True)


def reduce(angles: CageAngles, time: np.ndarray, start: int, seed: int = 0) -> tuple[dict, dict]:
    """Numbers and arrays of a point from its accumulated angles.

    Parameters
    ----------
    angles : CageAngles
        Of all frames.
    time : ndarray, shape (frames,)
        ps.
    start : int
        First frame of the equilibrated part; means, errors and nulls start there, and windows
        that begin earlier are left out.

    Returns
    -------
    summary : values of the point's summary, with standard errors.
    arrays : values of `lah10.schema.DISTORTION` and `COORDINATES`.
    """
    rng = np.random.default_rng(seed)
    arrays = {
        "time": time,
        "theta": np.array(angles.theta),
        "theta_diagonals": np.array(angles.diagonals),
        "theta_centres": np.array(angles.centres),
        "corner_angle": np.array(angles.corners),
        "cell_angle": np.array(angles.cell_angles),
    }
    summary = {}
    noise = {}
    for name in ("theta", "theta_centres", "corner_angle"):
        used = arrays[name][start:]
        noise[name] = statistics.bootstrap_noise(used, BOOTSTRAP_SAMPLES, rng)
        mean = used.mean(axis=0)
        for word, extreme in (("large", np.max), ("small", np.min)):
            summary[f"{name}_{word}"] = extreme(mean)
            summary[f"{name}_{word}_stderr"] = extreme(mean + noise[name], axis=1).std()
    for column, angle in enumerate(("alpha", "beta", "gamma")):
        name = f"cell_angle_{angle}"
        summary[name], summary[f"{name}_stderr"] = statistics.mean_error(
            arrays["cell_angle"][start:, column]
        )

    used = arrays["theta"][start:]
    mean = used.mean(axis=0)
    arrays["theta_mean"], arrays["theta_mean_stderr"] = mean, noise["theta"].std(axis=0)
    summary["theta_deviation"] = abs(mean - 90).max()
    summary["theta_deviation_stderr"] = abs(mean + noise["theta"] - 90).max(axis=1).std()
    null = abs(noise["theta"]).max(axis=1)
    summary["theta_null"], summary["theta_null_spread"] = null.mean(), null.std()
    arrays["theta_independent_samples"] = len(used) / statistics.inefficiency(used)

    _local(summary, arrays, angles, time, start)
    samples = arrays["theta_independent_samples"]
    summary["theta_threshold"] = _threshold(
        summary["theta_null"], summary["theta_null_spread"], samples
    )
    summary["theta_upper"] = _threshold(
        summary["theta_deviation"], summary["theta_deviation_stderr"], samples, EXCLUDED
    )
    summary["phase"], summary["phase_reason"] = phase(summary)
    return summary, arrays


def _threshold(value: float, error: float, samples: float, sigmas: float = SIGMAS) -> float:
    """A value and `sigmas` of its standard errors; of the null, where a distortion begins.

    The error itself is known from few independent samples only; as in Student's t distribution, its
    factor is the one with the one-sided error of as many known ones (for 3: 3.6 with 20 samples, 6
    with 6).
    """
    if not samples >= 2:
        return np.nan
    return value + statistics.student_factor(sigmas, samples) * error


def phase(summary: Mapping, distorted: float = np.nan) -> tuple[int, str]:
    """Phase flag of a point, a value of `lah10.schema.PHASE`, and its reason.

    Distorted: θ deviates beyond `theta_threshold`; or the crystal is distorted in domains that
    average out, when the local distortion is above `local_distortion_threshold` and at least half
    of the cages are in a variant.
    Cubic: neither, and the distortion that the distorted phase has at this pressure is excluded: it
    lies above `theta_upper`, and what domains of it would show above `local_distortion_upper`.
    Undetermined: all else.

    Parameters
    ----------
    summary : mapping
        Of a point (`reduce`).
    distorted : float
        θ deviation of the distorted phase at this pressure, degree, by statics or its own run; 0
        where there is none (then the one shipped must be resolved); NaN where it is not known: that
        of R-3m as it is shipped.
    """
    deviation, null = summary["theta_deviation"], summary["theta_null"]
    sigma, limit = summary["theta_null_spread"], summary["theta_threshold"]
    local, local_limit = summary["local_distortion"], summary["local_distortion_threshold"]
    in_variants = 1.0 - summary["variant_share"][-1]
    found = f"theta_deviation {deviation:.2f}°"
    if deviation > limit:
        return PHASE["distorted"], f"{found} is above the threshold of {limit:.2f}°"
    if local > local_limit and in_variants >= 0.5:
        return PHASE["distorted"], (
            f"{found}, but distorted in domains: {in_variants:.0%} of the cages are in a variant, "
            f"the local distortion of {local:.2f}° is above its threshold of {local_limit:.2f}°"
        )
    if np.isnan(limit):
        return PHASE["undetermined"], "fewer than 2 independent samples of theta; run longer"
    if deviation > null + SIGMAS * sigma:
        return PHASE["undetermined"], (
            f"{found} is {SIGMAS:g} standard errors above the cubic null of {null:.2f}°, with too "
            "few independent samples to trust them; run longer"
        )
    exists = not distorted < AT_REST
    wanted = distorted if exists and np.isfinite(distorted) else RESOLVED
    of = "R-3m" if exists else "R-3m at lower pressure (here it relaxes to Fm-3m)"
    upper = summary["theta_upper"]
    if not upper < wanted:
        return PHASE["undetermined"], (
            f"{found} may be as large as {upper:.2f}°, the {wanted:.2f}° of {of} are not excluded; "
            "run longer"
        )
    if limit > wanted:
        return PHASE["undetermined"], (
            f"the threshold of {limit:.2f}° is above the {wanted:.2f}° of {of}, which would be "
            "missed; run longer"
        )
    if exists:
        upper, domains = summary["local_distortion_upper"], np.nan
        domains = np.hypot(summary["local_distortion_null"], wanted)
        if np.isnan(upper):
            return PHASE["undetermined"], (
                f"{found}, but fewer than {MIN_WINDOWS} windows of the local order parameter: "
                "domains are not excluded; run longer, or with a shorter distortion.window"
            )
        if not upper < domains:
            return PHASE["undetermined"], (
                f"{found}, but the local distortion may be as large as {upper:.2f}°: domains of "
                f"R-3m, which show {domains:.2f}°, are not excluded; run longer"
            )
    return PHASE["cubic"], (
        f"{found} is within the threshold of {limit:.2f}°, and the {wanted:.2f}° of {of} are "
        "excluded"
    )


def false_positive_rate(classes: int = len(ORIENTATIONS)) -> float:
    """Probability that θ of a well sampled cubic crystal passes `theta_threshold` by chance.

    The threshold is the mean and `SIGMAS` standard deviations of the largest of six normal
    deviations, whose distribution has a longer tail than a normal one: 0.6 %, and the same where
    classes come in pairs of opposite deviations.
    """
    grid = np.linspace(0.0, 10.0, 20001)
    beyond = 1 - (2 * norm.cdf(grid) - 1) ** classes
    mean = np.trapezoid(beyond, grid)
    spread = np.sqrt(np.trapezoid(2 * grid * beyond, grid) - mean**2)
    return float(1 - (2 * norm.cdf(mean + SIGMAS * spread) - 1) ** classes)


def at_rest(crystal: Atoms) -> float:
    """θ deviation of R-3m LaH10 at rest, degree: 11 atoms in rhombohedral axes, in any order.

    NaN where the cell is not one that Fm-3m deforms into by its angle.
    """
    lengths, angles = np.split(np.asarray(crystal.cell.cellpar()), 2)
    if np.ptp(lengths) > 0.05 * lengths.mean() or abs(angles - 60).max() > 10 or len(crystal) != 11:
        return np.nan
    cubic = Rhombohedral.cubic(crystal.get_volume(), IDEAL_H).atoms()
    template = build_supercell(cubic, "primitive", (1, 1, 1))
    cell = cellpar_to_cell([*lengths, *angles])
    scaled = crystal.get_scaled_positions()
    order = np.argsort(-crystal.numbers, kind="stable")  # La first, as in the template
    scaled = scaled[order] + template.get_scaled_positions()[0] - scaled[order[0]]
    single = CageAngles(find_cages(template), template, 1)
    single.add(SiteMap(template).displacements(scaled, cell), cell)
    return float(abs(single.theta[0] - 90).max())


def _local(summary: dict, arrays: dict, angles: CageAngles, time: np.ndarray, start: int) -> None:
    """Local order parameter, its null, and the variants; NaN without two whole windows.

    The null is what cages show whose mean over the run is cubic: the deviations of the window
    means of a cage from its own run mean, enlarged by what the run mean has taken out of them
    (its variance follows from the autocorrelation of the shears, frame by frame).
    """
    first = -(-start // angles.window)
    windows = np.array(angles.window_shears[first:], dtype=float).reshape(-1, len(angles), 3)
    middle = (first + 0.5 + np.arange(len(windows))) * angles.window - 0.5
    arrays["window"] = np.interp(middle, np.arange(len(time)), time)
    local = distortion(windows)  # (windows, cages)
    projections = np.einsum("wcs,vs->wcv", windows, PATTERNS) / 3
    variant = abs(projections).argmax(axis=-1)

    names = ("local_distortion", "local_distortion_null")
    limits = ("local_distortion_threshold", "local_distortion_upper")
    summary.update({name: np.nan for name in limits})
    if len(windows) < 2:
        nothing = {name: np.nan for name in names} | {f"{name}_stderr": np.nan for name in names}
        summary.update(nothing, variant_share=np.full(5, np.nan))
        arrays["local_distortion_series"] = local.mean(axis=1)
        arrays["variant_share_series"] = np.full((len(windows), 5), np.nan)
        return
    shears = np.array(angles.shears[start:], dtype=float)
    used = shears.reshape(len(shears), -1)
    run_variance = used.var(axis=0, ddof=1).mean() * statistics.inefficiency(used) / len(used)
    residual = windows - windows.mean(axis=0)
    null = distortion(residual * np.sqrt(1 + run_variance / max((residual**2).mean(), 1e-12)))

    limit = np.quantile(null, NULL_QUANTILE)
    variant[local <= limit] = len(PATTERNS)
    shares = np.stack([(variant == v).mean(axis=1) for v in range(len(VARIANTS))], axis=1)
    for name, values in zip(names, (local, null), strict=True):
        summary[name], summary[f"{name}_stderr"] = statistics.mean_error(values.mean(axis=1))
    share_errors = [statistics.mean_error(share) for share in shares.T]
    summary["variant_share"], summary["variant_share_stderr"] = np.array(share_errors).T
    if len(windows) < MIN_WINDOWS:
        for name in (*names, "variant_share"):
            summary[f"{name}_stderr"] = np.full_like(summary[f"{name}_stderr"], np.nan)
    error = np.hypot(*(summary[f"{name}_stderr"] for name in names))
    samples = len(windows) / statistics.inefficiency(local.mean(axis=1))
    for limit_name, name, sigmas in zip(limits, names[::-1], (SIGMAS, EXCLUDED), strict=True):
        summary[limit_name] = _threshold(summary[name], error, samples, sigmas)
    arrays["local_distortion_series"] = local.mean(axis=1)
    arrays["variant_share_series"] = shares
    arrays["variant_threshold"] = limit
    for name, values in zip(names, (local, null), strict=True):
        counts = np.histogram(np.minimum(values, BINS[-1]), bins=BINS)[0]
        arrays[f"{name}_density"] = counts / values.size / np.diff(BINS)


def distortion(shears: np.ndarray) -> np.ndarray:
    """Distortion in degree, shape (...), of cages with the shears (..., 3): their root mean
    square."""
    return np.sqrt((shears**2).mean(axis=-1))
