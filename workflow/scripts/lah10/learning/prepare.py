"""What a round trains on: the data set, and the labels of all rounds so far."""

import os
from collections.abc import Mapping, Sequence
from pathlib import Path

from lah10.config.training import LEARNT, Source, Split
from lah10.errors import UserError
from lah10.potential.data import preparation
from lah10.potential.data.alignment import Alignment


def prepare(
    split: Split,
    folders: Mapping[str, str | os.PathLike],
    labelled: Sequence[str | os.PathLike],
    destination: str | os.PathLike,
    alignment: Alignment | None = None,
    scale: str = "",
    model: str | os.PathLike | None = None,
) -> Path:
    """`preparation.prepare` with the labels of all rounds so far added to train on.

    Parameters
    ----------
    labelled : sequence of path
        DeePMD systems of round 1, 2, …; they become the sets "learn/round1/…" and so on.
    scale : str
        Source whose Pulay stress, and, where there is an alignment, offsets the new labels share.
    model : path, optional
        Frozen graph that tells labels in other units.

    Raises
    ------
    UserError
        Bad data, or a scale that the alignment does not know.
    """
    sources, folders = dict(split.sources), dict(folders)
    pulay = sources[scale].pulay_pv_per_atom if scale in sources else 0.0
    for number, folder in enumerate(labelled, start=1):
        name = f"{LEARNT}/round{number}"
        sources[name] = Source(
            citation="this project",
            terms="part of this project",
            path=str(folder),
            held_out=(),
            pulay_pv_per_atom=pulay,
        )
        folders[name] = folder
    if alignment is not None:
        alignment = _with_scale(alignment, scale)
    return preparation.prepare(Split(sources=sources), folders, destination, alignment, model)


def _with_scale(alignment: Alignment, scale: str) -> Alignment:
    """The alignment with the offsets of the source `scale` for what was learnt."""
    if scale not in alignment.energies:
        raise UserError(
            f"learn.same_reference_as: the alignment has no constant of energy for {scale} as a "
            f"whole; there are {', '.join(alignment.energies)}"
        )
    return alignment.sharing(LEARNT, scale)
