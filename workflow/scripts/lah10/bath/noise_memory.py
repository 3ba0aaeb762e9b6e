"""How long blocks of noise are, and the memory that they take: for the noise and for planning.

No NumPy here: Snakemake's own process reads this before every job.
"""

#: Bytes of a block of noise, of all ranks of a run together, at most (but see `SHORTEST`).
BLOCK_BYTES = 5.5e8
#: Longest block, steps; beyond it a larger block saves nothing.
LONGEST = 8192
#: Shortest block: below it the filter is evaluated mostly for numbers that are thrown away.
SHORTEST = 128
#: Steps of a block that ranks exchange at once.
EXCHANGE = 32
#: Bytes of an atom's noise at one step: x, y, z in single precision.
ATOM_STEP = 3 * 4


def block_steps(atoms: int, memory: float = BLOCK_BYTES, longest: int | None = None) -> int:
    """Steps in a block: the largest power of 2 that fits into so many bytes, within the bounds.

    It must not depend on the number of ranks, for the noise's last bits depend on it.

    Parameters
    ----------
    atoms : int
    memory : float
        Bytes.
    longest : int, optional
        Steps, at most.
    """
    fitting = max(int(memory / (atoms * ATOM_STEP)), 1)
    steps = min(max(2 ** (fitting.bit_length() - 1), SHORTEST), LONGEST)
    return min(steps, longest) if longest else steps


def memory_bytes(atoms: int, ranks: int = 1) -> int:
    """What the noise of a run takes, of all ranks together.

    One block, whoever holds which part of it; and on each of several ranks the steps that are
    exchanged, for all atoms, once more for MPI's own copy.
    """
    block = block_steps(atoms) * atoms * ATOM_STEP
    return block + (2 * EXCHANGE * atoms * ATOM_STEP * ranks if ranks > 1 else 0)
