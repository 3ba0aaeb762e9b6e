"""Sections of a card that say what a model was made from, and where it may be used."""

from collections.abc import Mapping

from lah10.config.training import Split
from lah10.io.text import markdown
from lah10.potential.data.systems import source_of
from lah10.potential.training import multipoles
from lah10.potential.validation.extrapolation_scan import APPROACHES, SQUEEZES


def sources(validation: Mapping, split: Split) -> list[str]:
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


def validity(validation: Mapping) -> list[str]:
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
        sources.setdefault(source_of(entry["name"]), []).append(entry)
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


def stages(training: Mapping) -> list[str]:
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
        f"{more.cutoff:g} Å (`docs/methods/potential.md`)"
        if more
        else ""
    )


def _span(section: Mapping, first: str, last: str) -> str:
    return f"{section.get(first, '?')} to {section.get(last, '?')}"
