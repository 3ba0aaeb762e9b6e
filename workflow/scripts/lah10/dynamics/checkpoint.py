"""Checkpoints: a run is cut into segments at fixed steps, and each finished segment is kept.

A checkpoint is part of a run's definition, not an accident of it: at the end of every segment the
running job itself clears LAMMPS and reads back the restart file that it wrote, so that a job that
was killed and one that was not go through the same operations and end in the same bits.

Two generations are kept, each with the SHA-256 of its files. A damaged file is set aside, in the
folder `damaged`, and the run goes on from the newest state whose files are whole.
"""

import json
import logging
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np

from lah10.io.files import atomic_path, rename_whole, sha256

LOGGER = logging.getLogger(__name__)
#: Folder for damaged files, which no run removes.
DAMAGED = "damaged"
#: Restart files that are kept: of the newest state, and of the one before.
GENERATIONS = 2


class Checkpoints:
    """Segments of one stage in a scratch folder.

    Parameters
    ----------
    folder : path
        Scratch folder of the stage.
    fingerprint : str
        Of everything that decides the run's numbers; a folder with another one is emptied.
    forced : str, optional
        Token of a forced rerun (`lah10.io.child.forced_by`); a folder that another run filled is
        emptied. Not a time: clocks of nodes differ.
    say : callable, optional
        Takes a line for the log; default: this module's logger.
    verify : bool, optional
        Compare every file with its SHA-256 and repair; of several processes one should.

    Attributes
    ----------
    completed : int
        Segments that are finished and whole.
    """

    def __init__(
        self,
        folder,
        fingerprint: str,
        forced: str | None = None,
        say: Callable[[str], None] = LOGGER.warning,
        verify: bool = True,
    ):
        self.folder = Path(folder)
        self.fingerprint, self.forced, self.say = fingerprint, forced, say
        self.folder.mkdir(parents=True, exist_ok=True)
        self.completed = 0
        #: SHA-256 of segments, and of restart files, by their number.
        self._segments: dict[int, str] = {}
        self._restarts: dict[int, str] = {}
        state, unreadable = self._read_state()
        if state is None:
            if unreadable:
                for path in sorted(self.folder.glob("s*-?????.*")):
                    self._set_aside(path, "belongs to a checkpoint that cannot be read")
                say(f"{self.folder}: no checkpoint can be read; begins anew")
            self.clear()
            return
        if state["fingerprint"] != fingerprint:
            say(f"{self.folder}: checkpoints of other settings or inputs; begins anew")
            self.clear()
            return
        if forced is not None and state.get("forced") != forced:
            self.clear()
            return
        self.forced = state.get("forced")
        self.completed = state["completed"]
        self._segments = {int(k): v for k, v in state.get("segments", {}).items()}
        self._restarts = {int(k): v for k, v in state.get("restarts", {}).items()}
        if verify:
            self._verify()

    @property
    def _state(self) -> Path:
        return self.folder / "checkpoint.json"

    @property
    def _before(self) -> Path:
        """The state of one checkpoint earlier, should `_state` be damaged."""
        return self.folder / "checkpoint.before.json"

    def restart(self, segment: int) -> Path:
        """Restart file of the state after `segment` segments."""
        return self.folder / f"state-{segment:05d}.restart"

    def segment(self, segment: int) -> Path:
        """Arrays recorded during a segment, counted from 1."""
        return self.folder / f"segment-{segment:05d}.npz"

    # ------------------------------------------------------------------------------- reading

    def _read_state(self) -> tuple[dict | None, bool]:
        """The newest state that can be read or None, and whether one could not be."""
        unreadable = False
        for path in (self._state, self._before):
            try:
                state = json.loads(path.read_text())
                state["fingerprint"], state["completed"] + 0
                return state, unreadable
            except FileNotFoundError:
                continue
            except (ValueError, KeyError, TypeError):
                self._set_aside(path, "cannot be read")
                unreadable = True
        return None, unreadable

    def _verify(self) -> None:
        """Go back to the newest state whose files are whole; damaged ones are set aside."""
        found = self.completed
        whole = self._whole_segments(found)
        # A state needs its restart file and every segment before it.
        candidates = (n for n in sorted(self._restarts, reverse=True) if n <= whole)
        good = next((n for n in candidates if self._restart_whole(n)), None)
        if not self._restarts and found == whole:
            # Written before there were sums; its restart file stands, or the run begins anew.
            good = found if self.restart(found).exists() else None
        if good == found:
            return
        if not good:
            self.say(f"{self.folder}: no whole checkpoint is left; begins anew")
            self._retreat(0)
            return
        self.say(f"{self.folder}: goes back from checkpoint {found} to {good}")
        self._retreat(good)

    def _whole_segments(self, found: int) -> int:
        """How many segments are whole, counted without a gap."""
        for number in range(1, found + 1):
            path = self.segment(number)
            if not path.exists():
                self.say(f"{path}: is missing")
                return number - 1
            if self._segments.get(number) not in (None, sha256(path)):
                self._set_aside(path, "differs from what was written (SHA-256)")
                return number - 1
        return found

    def _restart_whole(self, number: int) -> bool:
        path = self.restart(number)
        if not path.exists():
            self.say(f"{path}: is missing")
            return False
        if sha256(path) == self._restarts[number]:
            return True
        self._set_aside(path, "differs from what was written (SHA-256)")
        return False

    def _retreat(self, number: int) -> None:
        """Make `number` the newest checkpoint; what came after it will be written again."""
        for later in range(number + 1, self.completed + 1):
            self.segment(later).unlink(missing_ok=True)
            self.restart(later).unlink(missing_ok=True)
        self.completed = number
        self._segments = {n: s for n, s in self._segments.items() if n <= number}
        self._restarts = {n: s for n, s in self._restarts.items() if n <= number}
        if number:
            self._write_state()
        else:
            self.clear()

    def _set_aside(self, path: Path, why: str) -> None:
        """Move a damaged file to where nothing reads or removes it."""
        folder = self.folder / DAMAGED
        folder.mkdir(exist_ok=True)
        number = sum(1 for _ in folder.glob(f"{path.name}.*")) + 1
        aside = folder / f"{path.name}.{number}"
        os.replace(path, aside)
        self.say(f"{path}: {why}; kept as {aside}")

    # ------------------------------------------------------------------------------- writing

    def clear(self) -> None:
        """Forget every segment (the folder's lock, and damaged files, stay)."""
        for path in self.folder.iterdir():
            if path.name != DAMAGED and not path.name.startswith("lock"):
                shutil.rmtree(path) if path.is_dir() else path.unlink()
        self.completed = 0
        self._segments, self._restarts = {}, {}

    def keep_restart(self, number: int, written: str | os.PathLike) -> Path:
        """Give the restart file `written` its name, once it is on the disk; returns that name."""
        return rename_whole(written, self.restart(number))

    @property
    def segment_bytes(self) -> int:
        """What the last segment took on disk, its restart file included."""
        files = (self.segment(self.completed), self.restart(self.completed))
        return sum(path.stat().st_size for path in files if path.exists())

    @property
    def bytes(self) -> int:
        """What all segments take, without restart files: about what the outputs will."""
        return sum(self.segment(n).stat().st_size for n in range(1, self.completed + 1))

    def save(self, arrays: dict[str, np.ndarray]) -> None:
        """Keep the next segment; its restart file must stand already (`keep_restart`)."""
        number = self.completed + 1
        with atomic_path(self.segment(number)) as aside:
            np.savez(aside, **arrays)
        self._segments[number] = sha256(self.segment(number))
        self._restarts[number] = sha256(self.restart(number))
        old = [n for n in range(number + 1) if n <= number - GENERATIONS]
        self._restarts = {n: s for n, s in self._restarts.items() if n not in old}
        self.completed = number
        self._write_state()
        for n in old[-GENERATIONS:]:
            self.restart(n).unlink(missing_ok=True)

    def _write_state(self) -> None:
        if self._state.exists():
            with atomic_path(self._before) as aside:
                aside.write_bytes(self._state.read_bytes())
        state = {
            "fingerprint": self.fingerprint,
            "forced": self.forced,
            "completed": self.completed,
            "segments": self._segments,
            "restarts": self._restarts,
        }
        with atomic_path(self._state) as aside:
            aside.write_text(json.dumps(state))

    def load(self, segment: int) -> dict[str, np.ndarray]:
        """Arrays of one finished segment."""
        with np.load(self.segment(segment)) as archive:
            return {name: archive[name] for name in archive.files}
