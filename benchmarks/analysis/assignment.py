"""Time of the assignment of MSD′ beside scipy's sparse solver, on the same pairs of frames.

    PYTHONPATH=workflow/scripts python benchmarks/analysis/assignment.py

Two frames of protons that vibrate round the sites of LaH10, 0.13 Å (as quantum protons do), 0.2 Å
and 0.3 Å (a liquid, nearly) a Cartesian component, matched with the least sum of squared distances.
"warm" starts from the sites, as the analysis does, "cold" from nothing; "scipy" is
`min_weight_full_bipartite_matching` of all pairs within 1.5 spacings, the search for the pairs
included, without a proof that longer ones are of no use. Processor time, best of three. scipy's
costs are rounded to 10⁻³ Å², without which it may not end.
"""

import argparse
import time

import numpy as np
from scipy.sparse import csr_array
from scipy.sparse.csgraph import min_weight_full_bipartite_matching
from scipy.spatial import cKDTree

from lah10.crystal.assignment import assign
from lah10.crystal.periodic import images, wrap
from lah10.crystal.structures import build_supercell, read_crystal

SIGMAS, TRIES = (0.13, 0.2, 0.3), 3
STRUCTURE = "resources/structures/Fm-3m.cif"


def sparse(points: np.ndarray, sites: np.ndarray, cell: np.ndarray) -> float:
    """Sum of squared distances (Å²) by scipy's solver, of pairs within 1.5 spacings."""
    n = len(sites)
    radius = 1.5 * (abs(np.linalg.det(cell)) / n) ** (1 / 3)
    positions, index, _ = images(sites, cell, radius)
    found = cKDTree(wrap(points, cell)).sparse_distance_matrix(
        cKDTree(positions), radius, output_type="ndarray"
    )
    cost = found["v"] ** 2
    weight = np.round(1e3 * cost) + 1.0
    graph = csr_array((weight, (found["i"], index[found["j"]])), shape=(n, n))
    row, column = min_weight_full_bipartite_matching(graph)
    return float((1e-3 * (graph[row, column] - 1.0)).sum())


def best(function, *arguments) -> tuple[float, object]:
    """Shortest processor time (s) of `TRIES` calls, and what the last returned."""
    times = []
    for _ in range(TRIES):
        begin = time.process_time()
        result = function(*arguments)
        times.append(time.process_time() - begin)
    return min(times), result


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--repeat", type=int, nargs="+", default=[4, 10],
                        help="conventional cells along each edge (40 protons a cell)")  # fmt: skip
    options = parser.parse_args()
    print("| protons | σ (Å) | warm (s) | cold (s) | scipy (s) | scipy / warm | MSD′ (Å²) |")
    print("|---|---|---|---|---|---|---|")
    rng = np.random.default_rng(0)
    crystal = read_crystal(STRUCTURE)
    for repeat in options.repeat:
        template = build_supercell(crystal, "conventional", (repeat,) * 3)
        sites, cell = template.get_scaled_positions(), template.cell.array
        sites = sites[template.numbers == 1]
        for sigma in SIGMAS:
            noise = rng.normal(size=(2, *sites.shape)) * sigma @ np.linalg.inv(cell)
            pair = (sites + noise[0], sites + noise[1], cell)
            warm, (_, squared) = best(assign, *pair, np.arange(len(sites)))
            cold, _ = best(assign, *pair)
            other, _ = best(sparse, *pair)
            print(f"| {len(sites)} | {sigma} | {warm:.3f} | {cold:.3f} | {other:.3f} | "
                  f"{other / warm:.1f} | {squared.mean():.4f} |", flush=True)  # fmt: skip


if __name__ == "__main__":
    main()
