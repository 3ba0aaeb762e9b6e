"""Section `structure`: the crystal, and the supercell built of it."""

from typing import Annotated, Literal

from pydantic import Field

from lah10.config.section import Section

#: Atoms in the cells that can be repeated.
ATOMS_IN_CELL = {"primitive": 11, "conventional": 44}

Repeat = Annotated[int, Field(ge=1, strict=True)]


class Structure(Section):
    file: str = Field(
        "resources/structures/Fm-3m.cif",
        description="Crystal to repeat: Fm-3m LaH10 in any format that ASE reads. Its sites are "
        "the reference sites of the analysis.",
    )
    cell: Literal["primitive", "conventional"] = Field(
        "conventional",
        description="Cell to repeat: "
        + ", ".join(f"`{cell}` has {atoms} atoms" for cell, atoms in ATOMS_IN_CELL.items())
        + ".",
    )
    repeat: tuple[Repeat, Repeat, Repeat] = Field(
        description="Repeats along the three vectors of the cell. A supercell thinner than twice "
        "the cut-off of the potential gives a warning."
    )
