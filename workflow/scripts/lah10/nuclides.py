"""Isotopes that a crystal may be made of in place of the natural mixture: names and masses.

No NumPy and no ASE: configurations are read with it.
"""

import re
from collections.abc import Mapping

#: Mass (g/mol) of each isotope by its name, by element: AME2020 (M. Wang, W. J. Huang, F. G.
#: Kondev, G. Audi, S. Naimi, Chinese Phys. C 45, 030003 (2021)). Protium and lanthanum-139 are the
#: natural mixtures within 2e-4 of the mass.
MASSES = {
    "La": {"La-138": 137.907124041},
    "H": {"D": 2.014101777844, "T": 3.01604928132},
}
#: Nucleons of the isotopes that have symbols of their own.
NUMBERS = {"D": 2, "T": 3}
#: What hydrogen's nucleus is called.
NUCLEI = {"D": "deuteron", "T": "triton"}
#: The attribute `isotopes` of a dataset without any, and of those that are older than it.
NATURAL = "natural"


def choices(element: str) -> list[str | int]:
    """What an isotope of an element is called: its name, or its mass number."""
    names = MASSES[element]
    return [*names, *map(_number, names)]


def named(element: str, given: str | int) -> str:
    """The name of an isotope that is given by its name or its mass number.

    Raises
    ------
    ValueError
        There is none of that name.
    """
    for name in MASSES.get(element, ()):
        if given == name or (type(given) is int and given == _number(name)):
            return name
    raise ValueError(f"no isotope {given} of {element}")


def _number(name: str) -> int:
    return NUMBERS.get(name) or int(name.partition("-")[2])


def symbol(element: str, isotopes: Mapping[str, str]) -> str:
    """An element as labels of figures and tables have it: H, D, T, La, ¹³⁸La."""
    name = isotopes.get(element, element)
    _, dash, number = name.partition("-")
    raised = number.translate(str.maketrans("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹"))
    return f"{raised}{element}" if dash else name


def renamed(words: str, isotopes: Mapping[str, str]) -> str:
    """A label or a head on LaH10, on La and on H, with the symbols of these isotopes.

    "T of H, V per LaH10" becomes "T of D, V per LaD10", and a proton a deuteron or triton; ΔH
    stays, an enthalpy.
    """
    if not isotopes:
        return words
    start = r"(?<![^\W_])"  # an underscore may stand before a symbol, no letter
    words = re.sub(rf"(?:{start}|(?<=La))H(?![a-z])", symbol("H", isotopes), words)
    words = words.replace("proton", NUCLEI.get(isotopes.get("H"), "proton"))
    return re.sub(rf"{start}La(?![a-z])", symbol("La", isotopes), words)


def formula(isotopes: Mapping[str, str]) -> str:
    """LaH10 of these isotopes: "LaD10"."""
    return renamed("LaH10", isotopes)


def text(isotopes: Mapping[str, str]) -> str:
    """The attribute `isotopes` of a dataset: "H: D"; "natural" where there are none."""
    return ", ".join(f"{element}: {name}" for element, name in isotopes.items()) or NATURAL


def of_attributes(attrs: Mapping) -> dict[str, str]:
    """The isotopes that a dataset's attributes name; none in files that are older than `text`."""
    found = str(attrs.get("isotopes", NATURAL))
    return {} if found == NATURAL else dict(pair.split(": ") for pair in found.split(", "))
