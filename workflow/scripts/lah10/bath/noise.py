"""Coloured Gaussian noise that is a pure function of (seed, atom tag, step).

White noise comes from a counter-based generator (Philox), so any piece of it can be drawn again
without its past; colour comes from a symmetric finite impulse response, applied by FFT to blocks of
steps. Nothing depends on which rank holds an atom, on when a run was stopped, or on the order in
which blocks are asked for. Atoms are drawn and transformed in groups of fixed size, because the
last bit of a vectorised FFT may depend on the number of rows that it is given.

Ranks divide the groups among themselves: each keeps a block of its own groups alone, and all
exchange what they have a few steps at a time, since an atom may be on any rank when its force is
needed. `lah10.bath.noise_memory` says how much memory that takes.
"""

from collections.abc import Sequence

import numpy as np
from scipy import fft

from lah10.bath.noise_memory import BLOCK_BYTES, EXCHANGE, block_steps

#: Atoms drawn from one generator and transformed together.
GROUP = 16
#: Steps drawn from one generator at a time.
CHUNK = 256
#: Added to chunk numbers: the filter looks back before step 0 and Philox counts from 0.
_FIRST_CHUNK = 2**32
#: Filter lengths in ps, of which the shortest good enough is taken: half a picosecond at 100 K, the
#: whole length at 1 K, where Θ has a cusp at ω = 0. With the rounding of `spectra.noise_energy` the
#: spectrum is then right within 1 % from 0.5 THz and 0.3 % from 1 THz at every temperature
#: (tests/unit/test_noise.py).
FILTER_LENGTHS = (0.512, 1.024, 2.048, 4.096)
#: What is good enough: relative error of the spectrum, from this frequency (THz) and where there is
#: more than this share of its maximum.
TOLERANCE, FROM_FREQUENCY, SILENT = 0.0025, 0.5, 1e-3


def filter_kernel(energy, timestep: float) -> np.ndarray:
    """Symmetric impulse response whose squared gain is `energy`(frequency)/timestep.

    Parameters
    ----------
    energy : callable
        Two-sided spectral density as a function of the frequency (THz array); eV.
    timestep : float
        ps.

    Returns
    -------
    ndarray, shape (taps,)
        Odd number of taps, centre in the middle; unit (eV/ps)^½.
    """
    n = fft.next_fast_len(round(16 * FILTER_LENGTHS[-1] / timestep), real=True)
    frequency = np.fft.rfftfreq(n, timestep)
    density = energy(frequency)
    response = fft.irfft(np.sqrt(density / timestep), n)
    matters = (frequency >= FROM_FREQUENCY) & (density > SILENT * density.max())
    for length in FILTER_LENGTHS:
        half = round(0.5 * length / timestep)
        kernel = np.concatenate([response[-half:], response[: half + 1]])
        realised = np.abs(fft.rfft(kernel, n)) ** 2 * timestep
        if np.all(np.abs(realised / np.maximum(density, 1e-300) - 1)[matters] < TOLERANCE):
            break
    return kernel


def _of_one_length(kernels: Sequence[np.ndarray]) -> list[np.ndarray]:
    """Kernels with zeros at both ends, as long as the longest."""
    longest = max(map(len, kernels))
    return [np.pad(kernel, (longest - len(kernel)) // 2) for kernel in kernels]


class WhiteNoise:
    """Standard normal numbers w[tag, xyz, step], each a pure function of (seed, tag, step)."""

    def __init__(self, seed: int):
        self.seed = int(seed)

    def group(self, group: int, start: int, stop: int) -> np.ndarray:
        """Numbers of atoms `group`·GROUP … +GROUP−1 for the steps [start, stop).

        Returns
        -------
        ndarray of float32, shape (GROUP, 3, stop − start)
        """
        first, last = start // CHUNK, -(-stop // CHUNK)
        pieces = []
        for chunk in range(first, last):
            bits = np.random.Philox(
                key=np.array([self.seed, group], dtype=np.uint64),
                counter=np.array([0, 0, 0, chunk + _FIRST_CHUNK], dtype=np.uint64),
            )
            pieces.append(
                np.random.Generator(bits).standard_normal((3 * GROUP, CHUNK), dtype=np.float32)
            )
        numbers = np.concatenate(pieces, axis=1) if len(pieces) > 1 else pieces[0]
        offset = start - first * CHUNK
        return numbers[:, offset : offset + stop - start].reshape(GROUP, 3, stop - start)


class ColouredNoise:
    """Blocks of coloured noise for all atoms, each atom with the filter of its type.

    Parameters
    ----------
    types : array_like of int, shape (N,)
        Index of every atom's filter, in the order of tags 1…N.
    kernels : sequence of ndarray
        One impulse response a type (`filter_kernel`); one tap means white noise and costs no
        transform.
    seed : int
        Not negative, below 2⁶⁴.
    memory : float
        Bytes that a block may take, of all ranks together; it sets the number of steps in a block.
        The work arrays of a group add a few MB, and each of several ranks `EXCHANGE` steps of all
        atoms.
    longest : int, optional
        Steps in a block, at most: filters that change every so often make longer ones a waste.
    comm : mpi4py communicator, optional
        Ranks that share the work and the memory: each makes and keeps some groups, and all get the
        same numbers as one rank alone would. They must ask for the same steps in the same order.
    """

    def __init__(
        self,
        types,
        kernels: Sequence[np.ndarray],
        seed: int,
        memory: float = BLOCK_BYTES,
        longest: int | None = None,
        comm=None,
    ):
        self.types = np.asarray(types, dtype=np.intp)
        self.white = WhiteNoise(seed)
        self.comm = comm
        self.kernels = _of_one_length(kernels)
        self.steps = block_steps(self.types.size, memory, longest)
        rank, ranks = (comm.rank, comm.size) if comm else (0, 1)
        #: Groups of this rank.
        self._groups = range(rank, -(-self.types.size // GROUP), ranks)
        self._atoms = np.concatenate([np.empty(0, int), *map(self._members, self._groups)])
        self._block = np.empty((self.steps, len(self._atoms), 3), dtype=np.float32)
        self._start = self._piece = self._shared = None
        if ranks > 1:
            self._shared = np.empty((min(EXCHANGE, self.steps), self.types.size, 3), np.float32)
        self._prepare()

    def _members(self, group: int) -> np.ndarray:
        """Indices of a group's atoms."""
        return np.arange(group * GROUP, min((group + 1) * GROUP, self.types.size))

    def set_kernels(self, kernels: Sequence[np.ndarray]) -> None:
        """Change the filters; the next force asked for is computed with the new ones."""
        self.kernels = _of_one_length(kernels)
        self._start = None
        self._prepare()

    def _prepare(self) -> None:
        self.taps = len(self.kernels[0])
        self._length = fft.next_fast_len(self.taps + self.steps - 1, real=True)
        # Reversed and rolled: output step n sits at index n − start of the inverse transform.
        self._gain = [
            fft.rfft(
                np.roll(np.pad(kernel, (0, self._length - self.taps)), -(self.taps - 1))
            ).astype(np.complex64)
            for kernel in self.kernels
        ]

    def at(self, step: int) -> np.ndarray:
        """Noise of every atom at one step: float32, shape (N, 3), in the order of tags.

        The unit is that of the kernels. The array is a view that the next block overwrites.
        """
        start = step // self.steps * self.steps
        if start != self._start:
            self._fill(start)
            self._start, self._piece = start, None
        if self._shared is None:
            return self._block[step - start]
        first = (step - start) // EXCHANGE * EXCHANGE
        if first != self._piece:
            self._exchange(first)
            self._piece = first
        return self._shared[step - start - first]

    def _fill(self, start: int) -> None:
        """Make the block of this rank's groups for the steps from `start` on."""
        half, filled = self.taps // 2, 0
        for group in self._groups:
            atoms = self._members(group)
            white = self.white.group(group, start - half, start + self.steps + half)
            if self.taps == 1:
                gain = np.array([self.kernels[t][0] for t in self.types[atoms]], dtype=np.float32)
                noise = white[: len(atoms)] * gain[:, None, None]
            else:
                spectrum = fft.rfft(white, self._length, axis=-1)
                for row, kind in enumerate(self.types[atoms]):
                    spectrum[row] *= self._gain[kind]
                noise = fft.irfft(spectrum, self._length, axis=-1)[: len(atoms), :, : self.steps]
            self._block[:, filled : filled + len(atoms)] = np.moveaxis(noise, -1, 0)
            filled += len(atoms)

    def _exchange(self, first: int) -> None:
        """Get `EXCHANGE` steps of the block, from its step `first` on, of all ranks' atoms."""
        from mpi4py import MPI

        self._shared[:] = 0.0
        part = self._block[first : first + EXCHANGE]
        self._shared[: len(part), self._atoms] = part
        self.comm.Allreduce(MPI.IN_PLACE, self._shared, op=MPI.SUM)
