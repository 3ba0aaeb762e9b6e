"""Rates of hops and exchanges, and the diffusion that they make.

Of the events of `lah10.analysis.hops`.

**Rates** are events per atom and time. An event counts if both of its settled stays fit into the
run, which leaves the time (n − 2m + 1) Δt of n frames for stays of m. Errors are Poisson's, √k of k
events; those of numbers that sum over events x_e are √Σ x_e² (compound Poisson process). Events
that come in bursts have larger errors: `exchange_dispersion`, the variance over the mean of their
number in `PARTS` equal parts of the run, is 1 for independent events. Where k events were seen,
their expected number lies below ½ χ²_0.95(2k + 2) at 95 % confidence, one-sided (N. Gehrels,
Astrophys. J. 303, 336 (1986)); 3.00 where none was: the "rule of three".

**Diffusion by hops.** Atoms that walk on sites with hops d at the rate Γ have
D = f Γ ⟨d²⟩/6. The correlation factor f = Σ_a |R_a|² / Σ_hops |d|², R_a the sum of the hops of atom
a, is 1 for a random walk and less where atoms tend to hop back (K. Compaan, Y. Haven, Trans.
Faraday Soc. 52, 786 (1956)). d is the fractional hop, periodic images included, times the mean
cell. Vibrations have no part in it, which move the slope of the mean square displacement about.

**Limit.** A diffusion coefficient from fewer than `MIN_EVENTS` events has no ±, as its error would
be known no better than itself. A limit stands instead,

    D ≤ ½ χ²_0.95(2k + 2) q/(6 N t)  at 95 % confidence,

with q the sum of d² of an event: the mean one of the k seen, or that of two atoms that change
places with their nearest neighbours, if this is larger. In a full lattice no atom can hop alone,
so this is the least that happens; rings of more atoms that were never seen may move as much more.
"""

import numpy as np
from ase import Atoms
from scipy.stats import chi2

from lah10 import ELEMENTS, schema, units
from lah10.analysis import statistics
from lah10.analysis.dataset import Coordinates
from lah10.analysis.diffusion import nearest_distances
from lah10.analysis.hops import Changes, Hops, find_events, find_hops
from lah10.schema import RINGS, WYCKOFF

#: Events below which a diffusion coefficient has no ±; with 10 its error is a third of it.
MIN_EVENTS = 10
#: One-sided confidence of upper limits.
CONFIDENCE = 0.95
#: Atoms that the smallest exchange moves.
EXCHANGED = 2
#: Parts of the run for the dispersion of the number of events.
PARTS = 8
#: Points of the survival curve, of equal ratios from one frame to the whole run.
SURVIVAL = 61

COORDINATES: Coordinates = {
    "ring": (None, "atoms in a ring", RINGS),
    "wyckoff": (None, "Wyckoff position of the site", WYCKOFF),
    "dwell": ("ps", "time since an atom hopped to a site", ()),
    "event": (None, "event: hops linked in time and place", ()),
    "hop": (None, "hop, in the order of its event", ()),
    "xyz": (None, "Cartesian component", ("x", "y", "z")),
}


def upper_limit(count: int) -> float:
    """Largest expected number of events that leaves `CONFIDENCE` for seeing more than `count`."""
    return float(chi2.isf(1 - CONFIDENCE, 2 * (count + 1)) / 2)


def rate(count: int, exposure: float, weights: np.ndarray | None = None) -> tuple:
    """Rate, its standard error and, where nothing was seen, its upper limit.

    Parameters
    ----------
    count : int
        Events.
    exposure : float
        Atoms times ps (or the like) in which they were seen; nothing is known if it is 0.
    weights : ndarray, shape (count,), optional
        What each event adds; default: 1.

    Returns
    -------
    tuple of float
        Rate, error (NaN for none), limit (NaN for one or more), in 1/exposure.
    """
    if exposure <= 0:
        return np.nan, np.nan, np.nan
    if count == 0:
        return 0.0, np.nan, upper_limit(0) / exposure
    weights = np.ones(count) if weights is None else weights
    return weights.sum() / exposure, np.sqrt((weights**2).sum()) / exposure, np.nan


#: What `_of_element` gives: `diffusion_limit` and the variables of `lah10.schema.EXCHANGES`.
_BY_ELEMENT = ["diffusion_limit"] + [
    name + suffix
    for name, (dims, *_) in schema.EXCHANGES.items()
    if dims == ("element",)
    for suffix in (("",) if name.endswith(("_limit", "_events")) else ("", "_stderr"))
]


def measure(
    changes: Changes, template: Atoms, time: np.ndarray, cell: np.ndarray
) -> tuple[dict, dict]:
    """Hops, exchanges, their rates and the diffusion by them.

    Parameters
    ----------
    changes : Changes
        Of a map from the atoms of `template` to its sites.
    template : Atoms
        The perfect supercell, with the array "site" (Wyckoff positions).
    time : ndarray, shape (frames,)
        ps.
    cell : ndarray, shape (3, 3)
        The mean cell, Å.

    Returns
    -------
    summary : values of `lah10.schema.EXCHANGES` with errors, but for occupancies; and
        `diffusion_limit`, cm²/s by element: NaN from `MIN_EVENTS` events on.
    arrays : values of `lah10.schema.HOPS` and their `COORDINATES`.
    """
    scaled = template.get_scaled_positions(wrap=False)
    symbols = np.array(template.get_chemical_symbols())
    hops = find_hops(changes, time)
    event, closed = find_events(hops)
    vector = (scaled[hops.target] + hops.shift - scaled[hops.origin]) @ cell
    size = np.bincount(event, minlength=len(closed))
    element = (symbols[hops.atom][:, None] == np.array(ELEMENTS)).argmax(axis=1)
    of_event = np.zeros(len(closed), int)
    of_event[event] = element

    summary: dict = {}
    for i, name in enumerate(ELEMENTS):
        atoms, mine = int((symbols == name).sum()), element == i
        nearest = nearest_distances(scaled[symbols == name], cell).mean()
        found = _of_element(hops, event, closed, size, vector, mine, of_event == i, atoms, nearest)
        found["exchange_dispersion"] = _dispersion(
            np.bincount(event, hops.time)[of_event == i] / size[of_event == i], time
        )
        for key, value in found.items():
            summary.setdefault(key, np.full(len(ELEMENTS), np.nan))[i] = value

    protons = ELEMENTS.index("H")
    atoms = int((symbols == "H").sum())
    rings = np.minimum(size[closed & (of_event == protons)], len(RINGS) + 1) - 2
    counts = np.bincount(rings, minlength=len(RINGS))
    values = np.array([rate(int(count), atoms * hops.exposure) for count in counts])
    summary |= dict(zip(("ring_rate", "ring_rate_stderr", "ring_rate_limit"), values.T,
                        strict=True))  # fmt: skip

    order = np.lexsort((hops.time, event))
    spans = _spans(event, hops.time, len(closed))
    arrays = {
        "event": np.arange(len(closed)),
        "hop": np.arange(len(order)),
        "ring_count": counts,
        "event_time": np.bincount(event, hops.time) / size if len(size) else size,
        "event_span": spans,
        "event_atoms": size,
        "event_closed": closed,
        "event_element": of_event,
        "hop_event": event[order],
        "hop_atom": hops.atom[order],
        "hop_from": hops.origin[order],
        "hop_to": hops.target[order],
        "hop_time": hops.time[order],
        "hop_vector": vector[order],
    }
    is_h = symbols == "H"
    arrays["dwell"] = np.geomspace(time[1] - time[0], time[-1] - time[0], SURVIVAL)
    arrays["dwell_survival"] = _survival(hops, is_h, arrays["dwell"], time[-1])
    arrays |= _site_dwell(hops, is_h, template.arrays["site"], time)
    return summary, arrays


def bound_diffusion(moving: dict, found: dict) -> None:
    """Take away the diffusion coefficients by the slope that rest on too few events, and widen the
    errors of the others to what the number of events allows. Changes `moving`.

    Parameters
    ----------
    moving : dict
        With `diffusion` and its error, by element (`lah10.analysis.diffusion.measure`).
    found : dict
        The summary of `measure`.
    """
    enough = found["exchange_events"] >= MIN_EVENTS
    relative = found["hop_rate_stderr"] / found["hop_rate"]
    least = np.abs(moving["diffusion"]) * relative
    wider = np.fmax(moving["diffusion_stderr"], least)
    moving["diffusion_stderr"] = np.where(enough, wider, np.nan)
    moving["diffusion"] = np.where(enough, moving["diffusion"], np.nan)


def _of_element(hops, event, closed, size, vector, mine, events, atoms, nearest) -> dict:
    """Numbers of one element; `mine` and `events` are masks over hops and over events."""
    exposure = atoms * hops.exposure
    count = int(events.sum())
    exchanges = int((closed & events).sum())
    found = dict.fromkeys(_BY_ELEMENT, np.nan)
    found["exchange_events"] = float(count) if exposure else np.nan
    for name, values in (
        ("hop_rate", rate(count, exposure, size[events].astype(float))),
        ("exchange_rate", rate(exchanges, exposure)),
    ):
        found |= dict(zip((name, f"{name}_stderr", f"{name}_limit"), values, strict=True))
    # The least event is of that many hops.
    found["hop_rate_limit"] *= EXCHANGED
    square = (vector**2).sum(axis=1)
    moved = np.bincount(event, square, minlength=len(closed))[events]
    least = EXCHANGED * nearest**2
    if not exposure:
        return found
    to_cm2 = units.A2_PER_PS_IN_CM2_PER_S / (6 * exposure)
    if count < MIN_EVENTS:
        typical = max(least, moved.mean()) if count else least
        found["diffusion_limit"] = upper_limit(count) * typical * to_cm2
    if count == 0:
        return found
    found["dwell_time"] = 1 / found["hop_rate"]
    found["dwell_time_stderr"] = found["hop_rate_stderr"] / found["hop_rate"] ** 2
    length = np.sqrt(square[mine].mean())
    found["hop_length"] = length
    # Of a ratio of sums over independent events.
    spread = np.sqrt(((moved - length**2 * size[events]) ** 2).sum()) / mine.sum()
    found["hop_length_stderr"] = spread / (2 * length)
    walker, which = np.unique(hops.atom[mine], return_inverse=True)
    net = np.zeros((len(walker), 3))
    np.add.at(net, which, vector[mine])
    net = (net**2).sum(axis=1)
    single = np.bincount(which, square[mine])
    factor = net.sum() / single.sum()
    error = np.nan
    if len(walker) > 1:
        rest = (net.sum() - net) / np.maximum(single.sum() - single, 1e-300)
        error = float(statistics.jackknife(rest))
    found |= {"hop_correlation": factor, "hop_correlation_stderr": error}
    if count >= MIN_EVENTS:
        walk, walk_error, _ = rate(count, 1.0, moved)
        found["diffusion_hops"] = factor * walk * to_cm2
        found["diffusion_hops_stderr"] = np.hypot(factor * walk_error, error * walk) * to_cm2
    return found


def _spans(event: np.ndarray, time: np.ndarray, count: int) -> np.ndarray:
    """Time between the first and the last hop of every event, (count,)."""
    first, last = np.full(count, np.inf), np.full(count, -np.inf)
    np.minimum.at(first, event, time)
    np.maximum.at(last, event, time)
    return last - first


def _dispersion(times: np.ndarray, time: np.ndarray) -> float:
    """Variance over mean of the number of events in equal parts; NaN for fewer than two."""
    if len(times) < 2:
        return np.nan
    counts = np.histogram(times, bins=PARTS, range=(time[0], time[-1]))[0]
    return float(counts.var(ddof=1) / counts.mean())


def _next_hop(hops: Hops) -> np.ndarray:
    """Time until the next hop of the same atom, (hops,); NaN after the last one."""
    wait = np.full(len(hops.atom), np.nan)
    same = hops.atom[1:] == hops.atom[:-1]
    wait[:-1][same] = np.diff(hops.time)[same]
    return wait


def _survival(hops: Hops, members: np.ndarray, dwell: np.ndarray, end: float) -> np.ndarray:
    """Kaplan–Meier estimate of the share of stays that last for `dwell` (ps) or longer.

    Of stays that began with a hop; those that last to the end of the run count until there. NaN
    beyond the longest of them.
    """
    mine = members[hops.atom]
    wait = _next_hop(hops)[mine]
    ended = np.isfinite(wait)
    length = np.where(ended, wait, end - hops.time[mine])
    if len(length) == 0:
        return np.full(len(dwell), np.nan)
    lengths = np.unique(length[ended])
    over = np.sort(length)
    at_risk = len(over) - np.searchsorted(over, lengths, side="left")
    ends = np.bincount(np.searchsorted(lengths, length[ended]), minlength=len(lengths))
    curve = np.append(1.0, np.cumprod(1 - ends / at_risk))
    survival = curve[np.searchsorted(lengths, dwell, side="right")]
    return np.where(dwell <= over[-1], survival, np.nan)


def _site_dwell(hops: Hops, members: np.ndarray, labels: np.ndarray, time: np.ndarray) -> dict:
    """Mean time on the sites of each Wyckoff position between two hops, with Poisson errors: the
    time spent there over the number of departures; NaN where none was."""
    mine = members[hops.atom]
    stayers = members.copy()
    stayers[hops.atom] = False
    early = np.unique(hops.atom, return_index=True)[1]
    early = early[mine[early]]
    wait = _next_hop(hops)
    after = np.where(np.isfinite(wait), wait, time[-1] - hops.time)
    values, errors = np.full((2, len(WYCKOFF)), np.nan)
    for i, name in enumerate(WYCKOFF):
        before = early[labels[hops.origin[early]] == name]
        spent = (time[-1] - time[0]) * (labels[hops.first[stayers]] == name).sum()
        spent += (hops.time[before] - time[0]).sum()
        spent += after[mine & (labels[hops.target] == name)].sum()
        departures = int((mine & (labels[hops.origin] == name)).sum())
        if departures:
            values[i] = spent / departures
            errors[i] = values[i] / np.sqrt(departures)
    return {"site_dwell_time": values, "site_dwell_time_stderr": errors}
