"""Power spectra of velocities and random forces, accumulated while a run goes on.

Velocities are needed every few fs, far more often than frames are stored, so a fixed subset of
atoms is sampled and transformed segment by segment; only spectra are kept.
"""

import numpy as np


def sampled_tags(types, most: int) -> list[np.ndarray]:
    """Indices (tag − 1) of at most `most` atoms an element, evenly spread over the crystal."""
    types = np.asarray(types)
    chosen = []
    for kind in range(types.max() + 1):
        atoms = np.flatnonzero(types == kind)
        pick = np.linspace(0, len(atoms) - 1, min(most, len(atoms))).round().astype(int)
        chosen.append(atoms[pick])
    return chosen


class SpectrumRecorder:
    """Segment-wise spectra S_vv and Re S_vF of sampled atoms, element by element.

    Two-sided densities per THz: Σ over all frequencies of S_vv Δf is ⟨v_x²⟩. A Hann window keeps a
    sharp line from leaking over the whole axis. v and F are taken at the same time: the quantum
    fluctuation–dissipation criterion compares their phases.

    Parameters
    ----------
    types : array_like of int, shape (N,)
    interval : float
        Time between samples, ps.
    samples : int
        Samples a segment.
    most : int
        Sampled atoms an element, at most.
    """

    def __init__(self, types, interval: float, samples: int, most: int):
        self.groups = sampled_tags(types, most)
        self.atoms = np.concatenate(self.groups)
        self.interval = interval
        self.samples = samples
        self.frequency = np.fft.rfftfreq(samples, interval)
        window = np.hanning(samples + 1)[:-1]
        self._window = (window / np.sqrt(np.mean(window**2)))[:, None, None]
        self._velocity = np.zeros((samples, len(self.atoms), 3))
        self._force = np.zeros((samples, len(self.atoms), 3))
        self._filled = 0
        self.blocks: list[tuple[np.ndarray, np.ndarray]] = []

    def add(self, velocity, force) -> bool:
        """Store one sample (all N atoms by tag, or only the sampled ones); True ends a segment."""
        self._velocity[self._filled] = velocity
        self._force[self._filled] = force
        self._filled += 1
        if self._filled < self.samples:
            return False
        self.blocks.append(self._segment())
        self._filled = 0
        return True

    def _segment(self) -> tuple[np.ndarray, np.ndarray]:
        scale = self.interval / self.samples
        power = np.empty((len(self.groups), len(self.frequency)))
        cross = np.empty_like(power)
        offset = 0
        for kind, group in enumerate(self.groups):
            part = slice(offset, offset + len(group))
            offset += len(group)
            v = np.fft.rfft(self._window * self._velocity[:, part], axis=0)
            f = np.fft.rfft(self._window * self._force[:, part], axis=0)
            power[kind] = scale * np.mean(v.real**2 + v.imag**2, axis=(1, 2))
            cross[kind] = scale * np.mean((v * f.conj()).real, axis=(1, 2))
        return power, cross
