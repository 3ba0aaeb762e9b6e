"""Labels and data sets: structures to labels by GPAW, outputs of other codes, what is trained on.

A structure's job is named after the structure's content (see lah10.potential.data.structures), so a
structure that is added runs alone.
"""

LABELS = f"{POTENTIAL}/labels"
#: DeePMD systems, a folder for each origin of labels.
SYSTEMS = f"{POTENTIAL}/labelled"
#: Where each source's labels lie: in the project, or fetched.
SOURCE_FOLDERS = [
    source.path or f"{POTENTIAL}/data/{name}" for name, source in SPLIT.sources.items()
]
INDEX = f"{POTENTIAL}/prepared/index.json"
#: The published potential, one to compare with: named in the training's settings, or fetched.
PUBLISHED_MANIFEST = "resources/dataset/ly-ceperley-model.sha256"
PUBLISHED_MODEL = TRAINING.compare.get("published", f"{POTENTIAL}/published/lah10.pb")
#: Ancient: the shipped model, once trained anew, is no reason to prepare its data again.
LABEL_CHECK = ancient(TRAINING.label_check_file) if TRAINING.label_check_file else []


wildcard_constraints:
    source="|".join(map(re.escape, SPLIT.sources)),
    structure=r"(?:[A-Z][a-z]?\d+)+-[0-9a-f]{12}",
    outputs="|".join(TRAINING.labels.outputs) or "none",


localrules:
    labels,
    gather_labels,
    convert_outputs,
    fetch_dataset,


def label_files(wildcards):
    """The label of every structure that is to be labelled."""
    if TRAINING.labels.structures_path is None:
        raise WorkflowError(
            f"{CONFIG.training} names no structures to label; name a file or a folder of "
            "structures there: labels.structures"
        )
    # Here, because ASE takes a while, which no other job should pay.
    from lah10.potential.data.structures import read_structures

    try:
        structures = read_structures(TRAINING.labels.structures)
    except UserError as error:
        raise WorkflowError(str(error))
    return [f"{LABELS}/{name}.xyz" for name in structures]


def published_source(wildcards):
    """Where the published model is fetched from: the repository of the published labels."""
    if "ly-ceperley" not in SPLIT.sources:
        raise WorkflowError(
            f"{TRAINING.split}: expected a source ly-ceperley, whose repository the published "
            "model is fetched from; add it, or name no published potential"
        )
    return SPLIT.sources["ly-ceperley"].model_dump_json()


def output_files(wildcards):
    """The outputs of another code at the path that is configured."""
    from lah10.potential.data import dft_outputs

    try:
        return dft_outputs.find_outputs(TRAINING.labels.outputs[wildcards.outputs])
    except UserError as error:
        raise WorkflowError(str(error))


def labelled_systems(wildcards):
    """Systems of every origin that is configured."""
    origins = list(TRAINING.labels.outputs)
    if TRAINING.labels.structures_path is not None or not origins:
        origins.append(lah10.config.training.GPAW_SYSTEMS)
    return [f"{SYSTEMS}/{origin}" for origin in origins]


def atoms_to_label(wildcards):
    """Number of atoms of a structure, by its name."""
    return sum(map(int, re.findall(r"\d+", wildcards.structure.partition("-")[0])))


rule labels:
    input:
        labelled_systems,


rule label:
    input:
        structures=ancient(TRAINING.labels.structures),
    output:
        f"{LABELS}/{{structure}}.xyz",
    log:
        f"{POTENTIAL_LOGS}/labels/{{structure}}.log",
    benchmark:
        f"{POTENTIAL}/benchmarks/labels/{{structure}}.tsv"
    conda:
        "../../../envs/dft.yaml"
    threads: 1
    resources:
        mem_mb=lambda wildcards, attempt: (
            attempt * (1000 + 30 * atoms_to_label(wildcards))
        ),
        runtime=lambda wildcards, attempt: (attempt * (20 + atoms_to_label(wildcards))),
        cpus_per_task=lambda wildcards, threads: threads,
    params:
        settings=TRAINING.labels.gpaw.model_dump_json(),
    message:
        "Label {wildcards.structure} with GPAW; progress in {log}"
    script:
        "../../scripts/potential/data/label.py"


rule gather_labels:
    input:
        label_files,
    output:
        directory(f"{SYSTEMS}/{lah10.config.training.GPAW_SYSTEMS}"),
    log:
        f"{POTENTIAL_LOGS}/gather_labels.log",
    benchmark:
        f"{POTENTIAL}/benchmarks/gather_labels.tsv"
    conda:
        "../../../envs/dft.yaml"
    threads: 1
    resources:
        mem_mb=4000,
        runtime=30,
    params:
        settings=TRAINING.labels.gpaw.model_dump_json(),
    message:
        "Gather the labels of GPAW into DeePMD systems"
    script:
        "../../scripts/potential/data/gather_labels.py"


rule convert_outputs:
    input:
        output_files,
    output:
        directory(f"{SYSTEMS}/{{outputs}}"),
    log:
        f"{POTENTIAL_LOGS}/convert_outputs/{{outputs}}.log",
    benchmark:
        f"{POTENTIAL}/benchmarks/convert_outputs/{{outputs}}.tsv"
    conda:
        "../../../envs/dft.yaml"
    threads: 1
    resources:
        mem_mb=8000,
        runtime=60,
    message:
        "Turn the outputs {wildcards.outputs} into DeePMD systems"
    script:
        "../../scripts/potential/data/convert_outputs.py"


# To label with k-points and tetrahedra as resources/dataset/lah10-gpaw-pbe-phases has them:
# `labels.structures` names one of the files, `labels.gpaw` the mesh.
rule phase_structures:
    input:
        model=ancient(CONFIG.potential.model),
    output:
        path=f"{POTENTIAL}/phases/path.xyz",
        pairs=f"{POTENTIAL}/phases/pairs.xyz",
    log:
        f"{POTENTIAL_LOGS}/phase_structures.log",
    benchmark:
        f"{POTENTIAL}/benchmarks/phase_structures.tsv"
    conda:
        "../../../envs/training.yaml"
    threads: 1
    resources:
        mem_mb=4000,
        runtime=30,
    params:
        volumes=[36.2, 33.2, 31.7, 30.3, 28.5],
        kinds=[("classical", 300.0, 2), ("quantum", 100.0, 4)],
        seed=1,
    message:
        "Crystals on the path from Fm-3m to R-3m, and thermal pairs of both"
    script:
        "../../scripts/potential/data/phase_structures.py"


rule fetch_dataset:
    input:
        manifest=lambda wildcards: SPLIT.sources[wildcards.source].manifest,
    output:
        directory(f"{POTENTIAL}/data/{{source}}"),
    log:
        f"{POTENTIAL_LOGS}/fetch_{{source}}.log",
    benchmark:
        f"{POTENTIAL}/benchmarks/fetch_{{source}}.tsv"
    conda:
        "../../../envs/training.yaml"
    threads: 1
    resources:
        mem_mb=1000,
        runtime=60,
    params:
        source=lambda wildcards: SPLIT.sources[wildcards.source].model_dump_json(),
        local=lambda wildcards: TRAINING.data.get(wildcards.source),
    message:
        "Fetch the data set {wildcards.source}"
    script:
        "../../scripts/potential/data/fetch_dataset.py"


rule published_model:
    input:
        manifest=PUBLISHED_MANIFEST,
        labelled=ancient("resources/dataset/lah10-gpaw-pbe"),
    output:
        f"{POTENTIAL}/published/lah10.pb",
    log:
        f"{POTENTIAL_LOGS}/published_model.log",
    benchmark:
        f"{POTENTIAL}/benchmarks/published_model.tsv"
    conda:
        "../../../envs/training.yaml"
    threads: 1
    resources:
        mem_mb=4000,
        runtime=60,
    params:
        source=published_source,
    message:
        "Fetch, upgrade and compress the published potential"
    script:
        "../../scripts/potential/training/published_model.py"


rule prepare_dataset:
    input:
        folders=SOURCE_FOLDERS,
        split=TRAINING.split,
        alignment=TRAINING.alignment_file or [],
        model=LABEL_CHECK,
    output:
        INDEX,
    log:
        f"{POTENTIAL_LOGS}/prepare.log",
    benchmark:
        f"{POTENTIAL}/benchmarks/prepare.tsv"
    conda:
        "../../../envs/training.yaml"
    threads: 1
    resources:
        mem_mb=4000,
        runtime=60,
    message:
        "Check the labelled structures and hold out what the split declares"
    script:
        "../../scripts/potential/data/prepare_dataset.py"


rule alignment:
    input:
        folders=SOURCE_FOLDERS,
        split=TRAINING.split,
        model=CONFIG.potential.model,
    output:
        f"{POTENTIAL}/alignment.yaml",
    log:
        f"{POTENTIAL_LOGS}/alignment.log",
    benchmark:
        f"{POTENTIAL}/benchmarks/alignment.tsv"
    conda:
        "../../../envs/training.yaml"
    threads: 1
    resources:
        mem_mb=8000,
        runtime=120,
    message:
        "Estimate the offsets of sets and sources with {input.model}"
    script:
        "../../scripts/potential/data/alignment.py"
