"""The isotopes of a campaign, which its rules know before anything is run."""

from collections.abc import Mapping
from pathlib import Path

from lah10.crystal import isotopes


def of_campaign(file: str | Path, wanted: Mapping[str, str]) -> dict[str, str]:
    """The isotopes of a structure file and of `structure.isotopes` together, by element.

    Raises
    ------
    UserError
        They contradict each other, or the file cannot be read.
    """
    path = Path(file)
    form = isotopes.format_of(path)
    if form is not None:
        text = path.read_text(encoding="utf-8", errors="replace")
        if form != "extxyz" or "masses" not in text:
            symbols = isotopes.in_text(text, form)[1]
            return isotopes.chosen(isotopes.one_kind(symbols, str(file)), wanted, file)
    from lah10.crystal.structures import read_crystal  # ASE takes a while

    return isotopes.chosen(isotopes.of_atoms(read_crystal(path), str(file)), wanted, file)
