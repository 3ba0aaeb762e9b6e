"""The past of a campaign's points: what all must share, and the versions that made them."""

import json
from collections.abc import Iterable

from lah10.errors import UserError
from lah10.nuclides import NATURAL

#: Keys of the configuration in which the points of one campaign may differ: the grid itself, and
#: what has no part in a point's numbers (the potential is compared by its SHA-256).
FREE_KEYS = {"campaign", "baths", "pressure", "temperature", "potential", "training",
             "keep_trajectories", "pimd"}

#: Keys of `bath`, and the baths whose points do not depend on them.
FREE_BATH_KEYS = {
    "correction": {"classical"}, "shift_pressure": {"classical"},
    "adaptation": {"classical", "qtb"}, "adaptation_rate": {"classical", "qtb"},
}


class History:
    """What all points must share (potential, parameters) and what is recorded of them."""

    def __init__(self):
        self.first: dict = {}
        self.first_path = None
        self.config: dict | None = None
        self.bath_config: dict = {}
        self.versions: dict[str, list[str]] = {}
        self.committees: list[str] = []

    def add(self, attrs: dict, path) -> None:
        config = _parameters(attrs.get("config"), path)
        bath_config = {key: value for key, value in config.pop("bath", {}).items()
                       if attrs.get("bath") not in FREE_BATH_KEYS.get(key, ())}
        if self.first_path is None:
            self.first, self.first_path, self.config = dict(attrs), path, config
        ours, theirs = self.first.get("potential_sha256"), attrs.get("potential_sha256")
        if ours != theirs:
            raise UserError(
                f"{path}: was run with the potential {theirs}, but {self.first_path} with {ours}; "
                "one campaign has one potential: run these points again, or name another campaign"
            )
        ours, theirs = (x.get("isotopes", NATURAL) for x in (self.first, attrs))
        if ours != theirs:
            raise UserError(
                f"{path}: was run with isotopes {theirs}, but {self.first_path} with {ours}; one "
                "campaign has one crystal: run these points again, or name another campaign"
            )
        # A key of the bath counts from the first point that depends on it.
        self.bath_config = bath_config | self.bath_config
        known = {key: self.bath_config[key] for key in bath_config}
        different = sorted([*_different(self.config, config),
                            *_different(known, bath_config, "bath")])
        if different:
            key, ours, theirs = different[0]
            raise UserError(
                f"{path}: was run with {key} = {theirs}, but {self.first_path} with {ours}; one "
                "campaign has one set of parameters: run these points again, or name another "
                "campaign"
            )
        committee = attrs.get("committee_sha256")
        if committee and committee not in self.committees:
            self.committees.append(committee)
        for name, version in json.loads(attrs.get("versions") or "{}").items():
            known = self.versions.setdefault(name, [])
            if str(version) not in known:
                known.append(str(version))


def _parameters(text: str | None, path) -> dict:
    """Configuration of a point without the keys in which points may differ."""
    try:
        config = json.loads(text or "{}")
    except json.JSONDecodeError as error:
        raise UserError(f"{path}: attribute config is no JSON ({error}); run the point again") \
            from None
    return {key: value for key, value in config.items() if key not in FREE_KEYS}


def _different(ours, theirs, prefix: str = "") -> Iterable[tuple[str, str, str]]:
    """(dotted key, our value, their value) wherever two nested dictionaries differ."""
    if isinstance(ours, dict) and isinstance(theirs, dict):
        for key in ours.keys() | theirs.keys():
            dotted = f"{prefix}.{key}" if prefix else key
            yield from _different(ours.get(key), theirs.get(key), dotted)
    elif ours != theirs:
        yield prefix, json.dumps(ours), json.dumps(theirs)
