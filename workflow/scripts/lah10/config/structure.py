"""Section `structure`: the crystal, and the supercell built of it."""

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, WithJsonSchema, model_serializer

from lah10 import nuclides
from lah10.config import section
from lah10.config.quantities import Expected
from lah10.config.section import Section

#: Atoms in the cells that can be repeated.
ATOMS_IN_CELL = {"primitive": 11, "conventional": 44}

Repeat = Annotated[int, Field(ge=1, strict=True)]

_CHOICES = "; ".join(
    f"{element}: {', '.join(map(str, nuclides.choices(element)))}" for element in nuclides.MASSES
)


def _isotopes(value: Any) -> dict[str, str]:
    """The name of an isotope by element."""
    if not isinstance(value, Mapping):
        raise section.expected(f"a mapping of elements to isotopes, such as {{H: D}} ({_CHOICES})")
    named = {}
    for element, given in value.items():
        try:
            named[element] = nuclides.named(element, given)
        except ValueError:
            raise section.expected(f"an isotope by its name or mass number ({_CHOICES})") from None
    return named


Isotopes = Annotated[
    dict[str, str],
    BeforeValidator(_isotopes),
    WithJsonSchema(
        {
            "type": "object",
            "properties": {
                element: {"enum": nuclides.choices(element)} for element in nuclides.MASSES
            },
            "additionalProperties": False,
        },
        mode="validation",
    ),
    Expected(_CHOICES),
]


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
    isotopes: Isotopes = Field(
        default_factory=dict,
        description="Isotopes in place of the natural mixtures, such as `{H: D}` for LaD10; the "
        "whole campaign has their masses. A structure file with D or T in it needs no key.",
    )

    @model_serializer(mode="wrap")
    def _without_isotopes(self, serialise) -> dict:
        # A crystal without them is written as before there was the key: results keep their history.
        return {key: value for key, value in serialise(self).items() if key != "isotopes" or value}
