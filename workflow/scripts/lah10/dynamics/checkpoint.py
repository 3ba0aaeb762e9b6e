"""Checkpoints: a run is cut into segments at fixed steps, and each finished segment is kept.

A checkpoint is part of a run's definition, not an accident of it: at the end of every segment the
running job itself clears LAMMPS and reads back the restart file that it wrote, so that a job that
was killed and one that was not go through the same operations and end in the same bits.
"""

import json
import shutil
from pathlib import Path

import numpy as np

from lah10.io.files import atomic_path


class Checkpoints:
    """Segments of one stage in a scratch folder.

    Parameters
    ----------
    folder : path
        Scratch folder of the stage.
    fingerprint : str
        Of everything that decides the run's numbers; a folder with another one is emptied.
    since : float, optional
        Unix time; a folder older than this is emptied (a forced rerun starts anew).
    """

    def __init__(self, folder, fingerprint: str, since: float | None = None):
        self.folder = Path(folder)
        self.fingerprint = fingerprint
        self.folder.mkdir(parents=True, exist_ok=True)
        self.completed = 0
        state = self._read_state()
        if state is None:
            self.clear()
        elif state["fingerprint"] != fingerprint:
            self.clear()
        elif since is not None and self._state.stat().st_mtime < since:
            self.clear()
        else:
            self.completed = state["completed"]

    @property
    def _state(self) -> Path:
        return self.folder / "checkpoint.json"

    def _read_state(self) -> dict | None:
        try:
            return json.loads(self._state.read_text())
        except (FileNotFoundError, ValueError):
            return None

    def clear(self) -> None:
        """Forget every segment (the lock file of the folder stays)."""
        for path in self.folder.iterdir():
            if path.name != "lock":
                shutil.rmtree(path) if path.is_dir() else path.unlink()
        self.completed = 0

    def restart(self, segment: int) -> Path:
        """Restart file of the state after `segment` segments."""
        return self.folder / f"state-{segment:05d}.restart"

    def segment(self, segment: int) -> Path:
        """Arrays recorded during a segment, counted from 1."""
        return self.folder / f"segment-{segment:05d}.npz"

    def save(self, arrays: dict[str, np.ndarray]) -> None:
        """Keep the next segment; its restart file must stand already."""
        number = self.completed + 1
        with atomic_path(self.segment(number)) as aside:
            np.savez(aside, **arrays)
        state = {"fingerprint": self.fingerprint, "completed": number}
        with atomic_path(self._state) as aside:
            aside.write_text(json.dumps(state))
        previous, self.completed = self.completed, number
        self.restart(previous).unlink(missing_ok=True)

    def load(self, segment: int) -> dict[str, np.ndarray]:
        """Arrays of one finished segment."""
        with np.load(self.segment(segment)) as archive:
            return {name: archive[name] for name in archive.files}
