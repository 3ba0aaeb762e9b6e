"""The provenance card of a potential, written from what was measured and declared."""

import json
import os
from collections.abc import Mapping
from pathlib import Path

from lah10.config.training import Split
from lah10.errors import UserError
from lah10.io.files import atomic_path, sha256
from lah10.io.text import markdown, plus_minus
from lah10.potential.training import multipoles
from lah10.potential.validation import phases
from lah10.potential.validation.equation_of_state import IN_TABLE, LENGTHS
from lah10.potential.validation.extrapolation_scan import APPROACHES, SQUEEZES
from lah10.potential.validation.held_out import HEADER, rows

#: What a shipped potential's folder holds, for the card's last table.
FILES = {
    "lah10.pb": "the model: frozen and compressed, what campaigns read",
    "frozen.pb": "the same before compression, from which a training can go on",
    "training.json": "inputs of deepmd-kit as they were run, stage by stage; paths left out",
    "split.yaml": "sources, and what was held out",
    "alignment.yaml": "offsets of sets and sources that were taken off the labels",
    "validation.json": "every number above",
    "parity.png": "the model against DFT on the held-out sets",
    "phases.json": "enthalpies of the phases at rest",
    "statics.json": "the crystal at rest, by the model and by DFT",
    "statics.png": "its equation of state",
    "phonons.json": "its phonons at Γ and X, by the model and by DFT",
    "phonons.png": "their dispersion",
    "conservation.json": "energy conservation, as above",
    "lcurve.out": "errors during training",
    "speed.json": "the speed above",
    "comparison.json": "the numbers of the model compared with",
}


def render(folder: str | os.PathLike, split: Split) -> str:
    """The card in Markdown, from the files in a potential's folder.

    Needed are lah10.pb, training.json and validation.json; statics.json, phonons.json,
    conservation.json, speed.json and comparison.json (another model's validation) are told when
    they are there.

    Raises
    ------
    UserError
        A needed file is missing, or the validation is of another model.
    """
    folder = Path(folder)
    validation = _read(folder / "validation.json")
    training = _read(folder / "training.json")
    digest = sha256(folder / "lah10.pb")
    if validation["model_sha256"] != digest:
        raise UserError(
            f"{folder}/validation.json: is of another model than lah10.pb; validate it anew"
        )
    blocks = [
        "# Provenance of lah10.pb",
        "Written by `lah10.potential.validation.card` from the files beside it; do not edit.",
        *_data(validation, split),
        *_errors(validation, folder),
        *_statics(folder, digest),
        *_phases(folder, digest),
        *_phonons(folder, digest),
        *_conservation(folder, digest),
        *_validity(validation),
        *_speed(folder, digest),
        *_training(training),
        "## Files",
        markdown(
            ("file", "what", "SHA-256"),
            [
                (f"`{name}`", what, f"`{sha256(folder / name)}`")
                for name, what in FILES.items()
                if (folder / name).is_file()
            ],
        ),
    ]
    return "\n\n".join(blocks) + "\n"


def write(folder: str | os.PathLike, split: Split) -> Path:
    """Write `render`'s text as PROVENANCE.md in the potential's folder."""
    path = Path(folder, "PROVENANCE.md")
    text = render(folder, split)
    with atomic_path(path) as aside:
        aside.write_text(text, encoding="utf-8")
    return path


def _data(validation: Mapping, split: Split) -> list[str]:
    lines = []
    for name, source in split.sources.items():
        origin = (
            f"{source.repository}, commit {source.commit}, folder `{source.folder}`"
            if source.repository
            else f"`{source.path}`"
        )
        held = "everything" if source.held_out == "all" else ", ".join(source.held_out)
        lines.append(
            f"- **{name}**: {source.citation}. From {origin}. Terms: {source.terms}. "
            f"Held out: {held}."
            + (
                f" Its pressures have a Pulay stress of {source.pulay_pv_per_atom:g} eV/atom over "
                "the volume an atom added."
                if source.pulay_pv_per_atom
                else ""
            )
        )
    trained = validation["training_data"]
    count = sum(entry["frames"] for entry in trained)
    labels = (
        "Energies and pressures were then brought to one scale (`alignment.yaml`); of what is held "
        "out, pressures only, each source by its one constant."
        if validation["aligned"]
        else "Labels otherwise as published."
    )
    return [
        "## Data",
        "\n".join(lines),
        f"Trained on {count} frames; whole sets were held out, by name, before any training that "
        f"could have seen them. {labels}",
        markdown(
            ("trained on", "frames", "atoms", "P (GPa)", "V (Å³ per atom)"),
            [
                (
                    entry["name"] if entry["energies"] else f"{entry['name']} (no energies)",
                    str(entry["frames"]),
                    str(entry["atoms"]),
                    "{:.0f}-{:.0f}".format(*entry["pressure_GPa"]),
                    "{:.2f}-{:.2f}".format(*entry["volume_per_atom_A3"]),
                )
                for entry in trained
            ],
        ),
    ]


def differing_sets(validation: Mapping, other: Mapping) -> list[str]:
    """Names of the held-out sets of which two models' tables have not the same number of frames."""
    counts = [
        {name: errors["frames"] for name, errors in table["sets"].items()}
        for table in (validation, other)
    ]
    return sorted({name for name, _ in set(counts[0].items()) ^ set(counts[1].items())})


def drop_stale_comparison(folder: str | os.PathLike) -> None:
    """Remove comparison.json if it is of other frames than validation.json beside it."""
    validation, comparison = Path(folder, "validation.json"), Path(folder, "comparison.json")
    if comparison.is_file() and differing_sets(_read(validation), _read(comparison)):
        comparison.unlink()


def _errors(validation: Mapping, folder: Path) -> list[str]:
    blocks = [
        "## Errors on the held-out sets",
        "Root mean square errors: energy per atom after one constant per set (next column: after "
        "one constant for the whole line), forces by component, pressure and its mean error "
        "(model minus DFT).",
        markdown(HEADER, rows(validation, "sources") + rows(validation, "sets")),
        markdown(("set, pressures", *HEADER[1:]), rows(validation, "pressure_ranges")),
    ]
    comparison = folder / "comparison.json"
    if comparison.is_file():
        other = _read(comparison)
        if different := differing_sets(validation, other):
            raise UserError(
                f"{comparison}: not the same frames as in validation.json ({different[0]}); "
                "compare anew, or remove it"
            )
        blocks += [
            f"The model *{other['model']}* (as it was run, SHA-256 `{other['model_sha256']}`) on "
            "the same frames:",
            markdown(HEADER, rows(other, "sources") + rows(other, "sets")),
        ]
    return blocks


def _statics(folder: Path, digest: str) -> list[str]:
    path = folder / "statics.json"
    statics = _read(path) if path.is_file() else {}
    if statics.get("model_sha256") != digest:
        return []  # not computed yet, or of another model
    state = statics["equation_of_state"]
    pulay = ", with its Pulay stress" if statics["pulay"] else ""
    return [
        "## The crystal at rest",
        f"Fm-3m at {statics['pressure']:g} GPa (the source paper's Table I, in its order) by the "
        f"model and by the DFT of lah10-gpaw-pbe{pulay}; the model's pressures moved by "
        f"{statics['pressure_offset']:+.2f} GPa to that DFT's scale (`alignment.yaml`). "
        f"{_symmetry(statics['relaxed'])}",
        markdown(
            ("", "DFT", "DP", "deviation (%)", "DP, relaxed without symmetry"),
            _table_one(statics),
        ),
        markdown(
            ("a (Å)", "DFT (GPa)", "DP (GPa)", "energy, DP - DFT (meV/atom)"),
            [
                (f"{a:.3f}", f"{dft:.1f}", *_numbers(("{:.1f}", dp), ("{:+.2f}", energy)))
                for a, dft, dp, energy in zip(
                    state["a"],
                    state["pressure_dft"],
                    state["pressure_model"],
                    state["energy_deviation"],
                    strict=True,
                )
            ],
        ),
        "Root mean square over these volumes: {} GPa and {} meV/atom (after one constant).".format(
            *_numbers(("{:.2f}", state["pressure_rms"]), ("{:.2f}", state["energy_rms"]))
        ),
    ]


def _symmetry(relaxed: Mapping) -> str:
    """What the relaxation without symmetry found, in words."""
    text = (
        "DFT and DP are of the crystal in full symmetry. The last column is of the same crystal "
        "sheared, every atom moved off its site, and relaxed by the model with nothing held: means "
        "over what symmetry makes equal, with the least and largest where they differ. "
    )
    if not relaxed["converged"]:
        return text + (
            f"**It did not come to rest**: a force of {relaxed['force']:.4f} eV/Å was left."
        )
    if relaxed["space_group"] != "Fm-3m":
        return text + f"**It left Fm-3m** and came to rest in {relaxed['space_group']}."
    return text + f"It came back to Fm-3m (within {relaxed['tolerance']:g} Å)."


def _table_one(statics: Mapping) -> list[tuple[str, ...]]:
    """Lines of Table I in its order: a, angles, other lengths."""
    free = statics["relaxed"]
    lines = [
        (
            f"{IN_TABLE[name]}, {name} (Å)" if name in IN_TABLE else f"{name} (Å)",
            f"{e['dft']:.4f}",
            *_numbers(("{:.4f}", e["model"]), ("{:+.3f}", e["deviation"])),
            _spread(free["lengths"][name]),
        )
        for name, e in ((name, statics["lengths"][name]) for name in LENGTHS)
    ]
    angles = ", ".join(f"{angle:.2f}" for angle in free["angles"])
    return [lines[0], ("α, β, γ (°)", "90", "90", "", angles), *lines[1:]]


def _spread(found: Mapping[str, float]) -> str:
    mean, least, largest = (f"{found[key]:.4f}" for key in ("mean", "least", "largest"))
    return mean if least == largest else f"{mean} ({least} to {largest})"


def _phases(folder: Path, digest: str) -> list[str]:
    path = folder / "phases.json"
    found = _read(path) if path.is_file() else {}
    if found.get("model_sha256") != digest:
        return []  # not measured yet, or of another model
    names = ("P (GPa)", *(f"{p:g}" for p in found["pressures"]))
    rows = [
        (f"{name} less {phases.REFERENCE}", *(f"{value:.2f}" for value in values))
        for name, values in phases.differences(found).items()
    ]
    at = {
        name: phases.crossing(found["pressures"], values)
        for name, values in phases.differences(found).items()
    }
    last = f"{found['pressures'][-1]:g}"
    crossings = "; ".join(
        f"{name} up to {pressure:.0f} GPa" if pressure else f"{name} beyond {last} GPa"
        for name, pressure in at.items()
    )
    return [
        "## Phases at rest",
        "Enthalpies without zero-point motion, meV/atom, each crystal relaxed by the model:",
        markdown(names, rows),
        f"Lower than {phases.REFERENCE}: {crossings}. PBE with 14×14×14 to 18×18×18 k-points has "
        "R-3m 4.2 ± 0.4 meV/atom below Fm-3m at 150 GPa. Where the model differs from that, phases "
        "and everything that depends on their pressures are wrong.",
    ]


def _phonons(folder: Path, digest: str) -> list[str]:
    path = folder / "phonons.json"
    phonons = _read(path) if path.is_file() else {}
    if phonons.get("model_sha256") != digest:
        return []  # not computed yet, or of another model
    return [
        "## Phonons",
        f"Fm-3m by finite displacements of {phonons['displacement']:g} Å in {phonons['atoms']} "
        "atoms, by the model and by the DFT of lah10-gpaw-pbe in the same crystals (at "
        "pressures without the Pulay stress); frequencies at Γ and X without translations, "
        "negative where imaginary; differences DP - DFT of modes in which the same atoms move the "
        "same way.",
        markdown(
            (
                "P (GPa)",
                "lowest, DFT (THz)",
                "DP (THz)",
                "highest, DFT (THz)",
                "DP (THz)",
                "rms difference (THz)",
                "largest (THz)",
                "zero-point energy per mode, DFT (K)",
                "DP (K)",
            ),
            [
                (
                    f"{row['pressure']:g}",
                    *(
                        f"{row[end][who]:.2f}"
                        for end in ("lowest", "highest")
                        for who in ("dft", "model")
                    ),
                    f"{row['rms']:.2f}",
                    f"{row['largest']:+.2f}",
                    f"{row['zero_point']['dft']:.1f}",
                    f"{row['zero_point']['model']:.1f}",
                )
                for row in phonons["pressures"]
            ],
        ),
    ]


def _conservation(folder: Path, digest: str) -> list[str]:
    path = folder / "conservation.json"
    nve = _read(path) if path.is_file() else {}
    if nve.get("model_sha256") != digest:
        return []  # not computed yet, or of another model
    drift = plus_minus(nve["drift"], nve["drift_stderr"], places=2, sign="+")
    return [
        "## Energy conservation",
        f"{len(nve['seeds'])} runs of {nve['length']:g} ps of NVE, each after {nve['settle']:g} ps "
        f"with a thermostat of {nve['temperature']:g} K and a seed of its own (mean in the runs "
        f"{nve['mean_temperature']:.0f} K); {nve['atoms']} atoms, "
        f"{nve['volume_per_atom']:.2f} Å³ per atom, {nve['timestep']:g} fs a step: the total "
        f"energy drifts by {drift} meV/atom/ns (mean over the runs and its standard error, from "
        "their scatter: "
        f"{', '.join(f'{slope:+.2f}' for slope in nve['slopes'])}) and fluctuates by "
        f"{nve['fluctuation']:.4f} meV/atom.",
    ]


def _numbers(*values: tuple[str, float | None]) -> list[str]:
    return ["none" if value is None else form.format(value) for form, value in values]


def _validity(validation: Mapping) -> list[str]:
    walks = validation["walks"]
    pairs = ", ".join(
        f"{name} down to {walks[name]['energy_rises_to']:.2f} Å (looked at down to "
        f"{walks[name]['coordinate'][-1]:.2f} Å)"
        for name in map("-".join, APPROACHES)
        if name in walks
    )
    rises = ", ".join(
        f"{walks[name]['pressure_rises_to']:.0f} GPa for {what}"
        for name, what in SQUEEZES.items()
        if name in walks
    )
    sources: dict[str, list[Mapping]] = {}
    for entry in validation["training_data"]:
        sources.setdefault(entry["name"].split("/")[0], []).append(entry)
    ranges = "; ".join(
        f"{name} {min(e['pressure_GPa'][0] for e in entries):.0f} to "
        f"{max(e['pressure_GPa'][1] for e in entries):.0f} GPa, "
        f"{sum(e['frames'] for e in entries)} frames of {min(e['atoms'] for e in entries)} to "
        f"{max(e['atoms'] for e in entries)} atoms"
        for name, entries in sources.items()
    )
    return [
        "## Range of validity",
        "LaH10 in Fm-3m, R-3m and what lies between, perfect crystals without vacancies, classical "
        f"and quantum nuclei. Trained on {ranges}. Believe it elsewhere, and where frames are few, "
        "as far as the table by pressure says.",
        "Beyond the data nothing is accurate, but nothing should collapse. Squeezed, the pressure "
        f"rises without a break up to {rises}: set no barostat to more than the least of these, or "
        "it may squeeze the crystal without end, and stay well below with a small and hot cell, "
        "whose pressure swings. "
        f"Pushing a pair of its atoms together, the energy rises for {pairs}; no term "
        "is added for that, the model learnt it.",
    ]


def _speed(folder: Path, digest: str) -> list[str]:
    path = folder / "speed.json"
    speed = _read(path) if path.is_file() else {"models": []}
    if digest not in {entry["sha256"] for entry in speed["models"]}:
        return []  # not measured yet, or measured for another model
    lines = [
        (entry["name"], f"{entry['katom_steps_per_second']:.2f}", f"{entry['ratio']:.2f}")
        for entry in speed["models"]
    ]
    return [
        "## Speed",
        f"{speed['atoms']} atoms, {speed['steps']} steps of NVE in LAMMPS on one core, one run "
        f"after the other in turn, best of {speed['repeats']}; {speed['processor']}.",
        markdown(("model", "katom-step/s", "ratio"), lines),
    ]


def _training(training: Mapping) -> list[str]:
    stages = training["stages"]
    model = stages[-1]["model"]
    descriptor, fitting = model["descriptor"], model["fitting_net"]
    shape = "-".join(map(str, descriptor.get("neuron", [])))
    net = "-".join(map(str, fitting.get("neuron", [])))
    return [
        "## Training",
        f"deepmd-kit (TensorFlow), {descriptor['type']}, cut-off {descriptor.get('rcut', '')} Å, "
        f"embedding {shape}/{descriptor.get('axis_neuron', '')}, fitting {net}, "
        f"{descriptor.get('precision', 'float64')}{_multipoles(model)}.",
        markdown(
            ("stage", "steps", "learning rate", "energy", "force", "virial"),
            [
                (
                    str(i),
                    str(stage["training"]["numb_steps"]),
                    _span(stage.get("learning_rate", {}), "start_lr", "stop_lr"),
                    *(
                        _span(stage.get("loss", {}), f"start_pref_{p}", f"limit_pref_{p}")
                        for p in "efv"
                    ),
                )
                for i, stage in enumerate(stages, start=1)
            ],
        ),
        *([training["remarks"]] if "remarks" in training else []),
        "`snakemake potential` trains such a model, by the stages in `config/training.yaml`; on "
        "other hardware or with other threads the numbers differ, the errors hardly.",
    ]


def _multipoles(model: Mapping) -> str:
    more = multipoles.asked_for({"model": model})
    return (
        f"; with multipoles up to l = {more.l_max} of {more.neurons}/{more.axis_neurons} within "
        f"{more.cutoff:g} Å (`docs/methods.md`)"
        if more
        else ""
    )


def _span(section: Mapping, first: str, last: str) -> str:
    return f"{section.get(first, '?')} to {section.get(last, '?')}"


def _read(path: Path) -> dict:
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise UserError(f"{path}: cannot be read ({error}), and the card needs it") from None
