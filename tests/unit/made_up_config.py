"""A small campaign's configuration, and what is wrong with a changed one."""

import copy

import pytest

from lah10.config import reading
from lah10.errors import UserError

GOOD = {
    "campaign": "test",
    "structure": {"file": "crystal.cif", "cell": "primitive", "repeat": [2, 3, 4]},
    "potential": {"model": "model.pb"},
    "baths": ["classical", "qtb"],
    "pressure": {"unit": "GPa", "values": [150, 200.0, "120.50"]},
    "temperature": {"unit": "K", "values": [1, 2.5]},
    "dynamics": {"equilibrate": "2 ps", "produce": "3 ps"},
}


def changed(path: str, value) -> dict:
    """GOOD with one value replaced, or removed where the value is `...`."""
    content = copy.deepcopy(GOOD)
    section = content
    *sections, key = path.split(".")
    for name in sections:
        section = section.setdefault(name, {})
    if value is ...:
        del section[key]
    else:
        section[key] = value
    return content


def complaint(content: dict) -> str:
    """The one line that answers a bad configuration, without its source."""
    with pytest.raises(UserError) as error:
        reading.validate(content, "config/x.yaml")
    text = str(error.value)
    assert "\n" not in text
    assert text.startswith("config/x.yaml: ")
    return text.removeprefix("config/x.yaml: ")
