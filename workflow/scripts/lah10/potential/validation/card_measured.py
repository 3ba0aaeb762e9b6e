"""Sections of a card that say what was measured: blocks of Markdown, one function a section."""

from collections.abc import Mapping
from pathlib import Path

from lah10.errors import UserError
from lah10.io.text import markdown, plus_minus
from lah10.potential.validation import acceptance, phases
from lah10.potential.validation.card_text import numbers, read
from lah10.potential.validation.equation_of_state import IN_TABLE, LENGTHS
from lah10.potential.validation.held_out import HEADER, rows
from lah10.potential.validation.phase_energies import WELLS


def differing_sets(validation: Mapping, other: Mapping) -> list[str]:
    """Names of the held-out sets of which two models' tables have not the same number of frames."""
    counts = [
        {name: errors["frames"] for name, errors in table["sets"].items()}
        for table in (validation, other)
    ]
    return sorted({name for name, _ in set(counts[0].items()) ^ set(counts[1].items())})


def errors(validation: Mapping, folder: Path) -> list[str]:
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
        other = read(comparison)
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


def statics(folder: Path, digest: str) -> list[str]:
    path = folder / "statics.json"
    statics = read(path) if path.is_file() else {}
    if statics.get("model_sha256") != digest:
        return []  # not computed yet, or of another model
    state = statics["equation_of_state"]
    pulay = ", with its Pulay stress" if statics["pulay"] else ""
    return [
        "## The crystal at rest",
        f"Fm-3m at {statics['pressure']:g} GPa (the source paper's Table I, in its order) by the "
        f"model and by the DFT of lah10-gpaw-pbe{pulay}; the model's pressures moved by "
        f"{statics['pressure_offset']:+.2f} GPa to that DFT's scale (`alignment.yaml`). "
        f"{symmetry(statics['relaxed'])}",
        markdown(
            ("", "DFT", "DP", "deviation (%)", "DP, relaxed without symmetry"),
            table_one(statics),
        ),
        markdown(
            ("a (Å)", "DFT (GPa)", "DP (GPa)", "energy, DP - DFT (meV/atom)"),
            [
                (f"{a:.3f}", f"{dft:.1f}", *numbers(("{:.1f}", dp), ("{:+.2f}", energy)))
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
            *numbers(("{:.2f}", state["pressure_rms"]), ("{:.2f}", state["energy_rms"]))
        ),
    ]


def symmetry(relaxed: Mapping) -> str:
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


def table_one(statics: Mapping) -> list[tuple[str, ...]]:
    """Lines of Table I in its order: a, angles, other lengths."""
    free = statics["relaxed"]
    lines = [
        (
            f"{IN_TABLE[name]}, {name} (Å)" if name in IN_TABLE else f"{name} (Å)",
            f"{e['dft']:.4f}",
            *numbers(("{:.4f}", e["model"]), ("{:+.3f}", e["deviation"])),
            _spread(free["lengths"][name]),
        )
        for name, e in ((name, statics["lengths"][name]) for name in LENGTHS)
    ]
    angles = ", ".join(f"{angle:.2f}" for angle in free["angles"])
    return [lines[0], ("α, β, γ (°)", "90", "90", "", angles), *lines[1:]]


def _spread(found: Mapping[str, float]) -> str:
    mean, least, largest = (f"{found[key]:.4f}" for key in ("mean", "least", "largest"))
    return mean if least == largest else f"{mean} ({least} to {largest})"


def enthalpies(folder: Path, digest: str) -> list[str]:
    path = folder / "phases.json"
    found = read(path) if path.is_file() else {}
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
    blocks = [
        "## Phases at rest",
        "Enthalpies without zero-point motion, meV/atom, each crystal relaxed by the model, at its "
        "own pressures:",
        markdown(names, rows),
        f"Lower than {phases.REFERENCE}: {crossings}.",
    ]
    if "dft" not in found:  # measured before there were labels
        return blocks
    return [
        *blocks,
        _c2c(found),
        *_beside_dft(found["dft"]),
        *_wells(found["dft"]["wells"]),
        *_volumes(found["dft"]["groups"]),
        "\n".join(f"- {verdict}" for verdict in acceptance.of_phases(found["dft"])),
    ]


def _c2c(found: Mapping) -> str:
    """C2/c less R-3m, which DFT has not labelled."""
    difference = phases.differences(found)
    values = [
        f"{one - other:.2f} at {pressure:g}"
        for pressure, one, other in zip(
            found["pressures"], difference["C2/c"], difference["R-3m"], strict=True
        )
        if 100 <= pressure <= 200
    ]
    return (
        f"C2/c less R-3m: {', '.join(values)} GPa (meV/atom; 0 where it relaxes to R-3m). There is "
        "no DFT of C2/c to compare with yet."
    )


def _beside_dft(found: Mapping) -> list[str]:
    both = found["enthalpies"]
    rows = [
        (
            f"{pressure:g}",
            *_dft_enthalpy(both, i),
            *numbers(("{:.2f}", both["model"][i]), ("{:+.2f}", both["difference"][i])),
        )
        for i, pressure in enumerate(both["pressures"])
    ]
    at = both["crossing"]
    dft = "none" if at["dft"] is None else f"{plus_minus(at['dft'], at['dft_error'], places=0)} GPa"
    model = "none at these pressures" if at["model"] is None else f"{at['model']:.0f} GPa"
    return [
        "R-3m less Fm-3m by the model and by the PBE of lah10-gpaw-pbe-phases, each relaxed by its "
        f"own method (`docs/methods/enthalpies.md`); at pressures of that PBE, the model's moved "
        f"by {found['pressure_offset']:+.2f} GPa:",
        markdown(
            ("P (GPa)", "PBE (meV/atom)", "of it, relaxation", "DP (meV/atom)", "DP - PBE"), rows
        ),
        f"They have one enthalpy at: PBE {dft}, DP {model}. Where the model differs, phases and "
        "everything that depends on their pressures are wrong.",
    ]


def _dft_enthalpy(both: Mapping, i: int) -> tuple[str, str]:
    value, error, relaxation = (both[key][i] for key in ("dft", "dft_error", "relaxation"))
    if value is None:
        return "none", ""
    vanishes = both["dft_vanishes"]
    if vanishes is not None and both["pressures"][i] >= vanishes:
        return "0, relaxes to Fm-3m", ""
    return plus_minus(value, error, places=2), f"{relaxation:.2f}"


def _wells(wells: list[Mapping]) -> list[str]:
    blocks = []
    for volume in WELLS:
        here = [well for well in wells if well["volume"] == volume]
        if not here:
            continue
        well = max(here, key=lambda one: len(one["share"]))
        blocks += [
            f"Energy less that of Fm-3m along the path to the R-3m of lah10-2 (λ = 1) at "
            f"{volume:g} Å³ per formula unit, in the crystals that PBE labelled, meV/atom:",
            markdown(
                ("λ", *(f"{share:g}" for share in well["share"])),
                [
                    ("PBE", *(f"{value:.2f}" for value in well["dft"])),
                    ("DP", *(f"{value:.2f}" for value in well["model"])),
                    (
                        "DP - PBE",
                        *(
                            f"{model - dft:+.2f}"
                            for dft, model in zip(well["dft"], well["model"], strict=True)
                        ),
                    ),
                ],
            ),
        ]
    return blocks


def _volumes(groups: Mapping[str, Mapping]) -> list[str]:
    return [
        "Root mean square error of energies among the labels of one volume and mesh, after one "
        "constant:",
        markdown(
            ("labels", "frames", "error (meV/atom)", "the volume was"),
            [
                (
                    name,
                    str(group["frames"]),
                    f"{group['rms']:.2f}",
                    "learnt" if group["learnt"] else "not learnt",
                )
                for name, group in groups.items()
            ],
        ),
    ]


def frequencies(folder: Path, digest: str) -> list[str]:
    path = folder / "phonons.json"
    phonons = read(path) if path.is_file() else {}
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


def conservation(folder: Path, digest: str) -> list[str]:
    path = folder / "conservation.json"
    nve = read(path) if path.is_file() else {}
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


def speed(folder: Path, digest: str) -> list[str]:
    path = folder / "speed.json"
    speed = read(path) if path.is_file() else {"models": []}
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
