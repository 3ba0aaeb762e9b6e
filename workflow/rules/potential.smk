"""The potential: published and own labels to a trained, compressed and validated model.

Nothing here runs unless asked for: campaigns read the shipped model. `snakemake potential` trains
anew; `snakemake ship_potential` then puts the models in the shipped ones' places.
"""

import json

import lah10.potential.settings

try:
    TRAINING, SPLIT = lah10.potential.settings.load(CONFIG.training)
except UserError as error:
    sys.exit(str(error))

POTENTIAL_LOGS = "logs/potential"
#: Checkpoints of trainings: declared nowhere, so that they survive a retry.
TRAINING_SCRATCH = f"{POTENTIAL}/training"
INDEX = f"{POTENTIAL}/prepared/index.json"
MODELS = {f"model{seed}": seed for seed in TRAINING.seeds}
#: Where each model is shipped: the first that campaigns read, then the others of the committee.
SHIPPED = {
    model: f"resources/potentials/lah10{f'-{i}' if i > 1 else ''}"
    for i, model in enumerate(MODELS, start=1)
}
#: Crystals that the model relaxes.
PHASES = {
    name: f"resources/structures/{file}.cif"
    for name, file in {"Fm-3m": "Fm-3m", "R-3m": "R-3m", "C2/c": "C2c"}.items()
}
REST = "resources/structures/Fm-3m.cif"
#: Ancient: the shipped model, once trained anew, is no reason to prepare its data again.
LABEL_CHECK = ancient(TRAINING.label_check_file) if TRAINING.label_check_file else []
#: DFT of the crystal at rest, and the source whose pressures it shares.
STATIC_SOURCE = "lah10-gpaw-pbe"
STATIC_DFT = f"resources/dataset/{STATIC_SOURCE}/fm-3m-static.txt"
PHONON_DFT = f"resources/dataset/{STATIC_SOURCE}-phonons/fm-3m.xyz"
#: Where each source's labels lie: in the project, or fetched.
SOURCE_FOLDERS = [
    source.path or f"{POTENTIAL}/data/{name}" for name, source in SPLIT.sources.items()
]
#: What is validated: trained models, and those to compare with.
VALIDATED = {name: f"{POTENTIAL}/models/{name}/lah10.pb" for name in MODELS}
VALIDATED |= TRAINING.compare


wildcard_constraints:
    source="|".join(map(re.escape, SPLIT.sources)),
    model="|".join(MODELS),
    validated="|".join(VALIDATED),


localrules:
    fetch_dataset,
    potential,
    ship_potential,


rule potential:
    input:
        expand(f"{POTENTIAL}/models/{{model}}/PROVENANCE.md", model=MODELS),
        expand(f"{POTENTIAL}/models/{{name}}/validation.json", name=TRAINING.compare),


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
        "../../envs/training.yaml"
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
        "../scripts/fetch_dataset.py"


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
        "../../envs/training.yaml"
    threads: 1
    resources:
        mem_mb=4000,
        runtime=60,
    message:
        "Check the labelled structures and hold out what the split declares"
    script:
        "../scripts/prepare_dataset.py"


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
        "../../envs/training.yaml"
    threads: 1
    resources:
        mem_mb=8000,
        runtime=120,
    message:
        "Estimate the offsets of sets and sources with {input.model}"
    script:
        "../scripts/alignment.py"


rule train:
    input:
        index=INDEX,
        templates=[stage.input for stage in TRAINING.stages],
    output:
        training=f"{POTENTIAL}/models/{{model}}/training.json",
        curve=f"{POTENTIAL}/models/{{model}}/lcurve.out",
    log:
        f"{POTENTIAL_LOGS}/{{model}}/train.log",
    benchmark:
        f"{POTENTIAL}/benchmarks/{{model}}/train.tsv"
    conda:
        "../../envs/training.yaml"
    threads: TRAINING.threads
    resources:
        mem_mb=8000,
        runtime=24 * 60,
        cpus_per_task=lambda wildcards, threads: threads,
        gpu=TRAINING.gpus,
    params:
        scratch=f"{TRAINING_SCRATCH}/{{model}}",
        seed=lambda wildcards: MODELS[wildcards.model],
        steps=[stage.steps for stage in TRAINING.stages],
        shares=[
            TRAINING.shares if stage.shares is None else stage.shares
            for stage in TRAINING.stages
        ],
        checkpoint_steps=TRAINING.checkpoint_steps,
        device=TRAINING.device,
    message:
        "Train {wildcards.model} in stages of {params.steps} steps; progress in {log}"
    script:
        "../scripts/train.py"


rule freeze:
    input:
        rules.train.output.curve,
    output:
        f"{POTENTIAL}/models/{{model}}/frozen.pb",
    log:
        f"{POTENTIAL_LOGS}/{{model}}/freeze.log",
    benchmark:
        f"{POTENTIAL}/benchmarks/{{model}}/freeze.tsv"
    conda:
        "../../envs/training.yaml"
    threads: 1
    resources:
        mem_mb=4000,
        runtime=30,
    params:
        scratch=f"{TRAINING_SCRATCH}/{{model}}",
        last=len(TRAINING.stages) - 1,
    message:
        "Freeze {wildcards.model}"
    script:
        "../scripts/freeze.py"


rule compress:
    input:
        frozen=rules.freeze.output[0],
        training=rules.train.output.training,
        index=INDEX,
    output:
        f"{POTENTIAL}/models/{{model}}/lah10.pb",
    log:
        f"{POTENTIAL_LOGS}/{{model}}/compress.log",
    benchmark:
        f"{POTENTIAL}/benchmarks/{{model}}/compress.tsv"
    conda:
        "../../envs/training.yaml"
    threads: 1
    resources:
        mem_mb=4000,
        runtime=30,
    message:
        "Compress {wildcards.model}, and check that this changed nothing"
    script:
        "../scripts/compress.py"


rule validate_potential:
    input:
        model=lambda wildcards: VALIDATED[wildcards.validated],
        index=INDEX,
        crystal=REST,
    output:
        table=f"{POTENTIAL}/models/{{validated}}/validation.json",
        frames=f"{POTENTIAL}/models/{{validated}}/validation.nc",
        parity=multiext(f"{POTENTIAL}/models/{{validated}}/parity", ".png", ".pdf"),
    log:
        f"{POTENTIAL_LOGS}/{{validated}}/validate.log",
    benchmark:
        f"{POTENTIAL}/benchmarks/{{validated}}/validate.tsv"
    conda:
        "../../envs/training.yaml"
    threads: 1
    resources:
        mem_mb=8000,
        runtime=60,
    message:
        "Validate {wildcards.validated} on the held-out sets"
    script:
        "../scripts/validate_potential.py"


rule validate_statics:
    input:
        model=f"{POTENTIAL}/models/{{model}}/lah10.pb",
        dft=STATIC_DFT,
        alignment=TRAINING.alignment_file or [],
    output:
        table=f"{POTENTIAL}/models/{{model}}/statics.json",
        figures=multiext(f"{POTENTIAL}/models/{{model}}/statics", ".png", ".pdf"),
    log:
        f"{POTENTIAL_LOGS}/{{model}}/statics.log",
    benchmark:
        f"{POTENTIAL}/benchmarks/{{model}}/statics.tsv"
    conda:
        "../../envs/training.yaml"
    threads: 1
    resources:
        mem_mb=4000,
        runtime=30,
    params:
        source=STATIC_SOURCE,
        pulay=(
            SPLIT.sources[STATIC_SOURCE].pulay
            if STATIC_SOURCE in SPLIT.sources
            else 0.0
        ),
    message:
        "Table I and the equation of state of {wildcards.model} beside DFT"
    script:
        "../scripts/validate_statics.py"


rule validate_phases:
    input:
        model=f"{POTENTIAL}/models/{{model}}/lah10.pb",
        crystals=list(PHASES.values()),
    output:
        f"{POTENTIAL}/models/{{model}}/phases.json",
    log:
        f"{POTENTIAL_LOGS}/{{model}}/phases.log",
    benchmark:
        f"{POTENTIAL}/benchmarks/{{model}}/phases.tsv"
    conda:
        "../../envs/training.yaml"
    threads: 1
    resources:
        mem_mb=4000,
        runtime=30,
    params:
        phases=list(PHASES),
    message:
        "Enthalpies of the phases at rest by {wildcards.model}"
    script:
        "../scripts/validate_phases.py"


rule phonon_structures:
    input:
        dft=STATIC_DFT,
    output:
        f"{POTENTIAL}/phonons/structures.xyz",
    log:
        f"{POTENTIAL_LOGS}/phonon_structures.log",
    benchmark:
        f"{POTENTIAL}/benchmarks/phonon_structures.tsv"
    conda:
        "../../envs/training.yaml"
    threads: 1
    resources:
        mem_mb=2000,
        runtime=10,
    message:
        "Displace the atoms of Fm-3m, for its phonons"
    script:
        "../scripts/phonon_structures.py"


# Nothing asks for it but a person: the result is a source file, PHONON_DFT.
rule phonon_dft:
    input:
        rules.phonon_structures.output,
    output:
        f"{POTENTIAL}/phonons/dft.xyz",
    log:
        f"{POTENTIAL_LOGS}/phonon_dft.log",
    benchmark:
        f"{POTENTIAL}/benchmarks/phonon_dft.tsv"
    conda:
        "../../envs/dft.yaml"
    threads: 1
    resources:
        mem_mb=8000,
        runtime=6 * 60,
    params:
        scratch=f"{POTENTIAL}/phonons/labels",
        settings=TRAINING.labels.phonons.model_dump_json(),
    message:
        "Forces of the displaced crystals by GPAW; progress in {log}"
    script:
        "../scripts/phonon_dft.py"


rule validate_phonons:
    input:
        model=f"{POTENTIAL}/models/{{model}}/lah10.pb",
        static=STATIC_DFT,
        forces=PHONON_DFT,
    output:
        table=f"{POTENTIAL}/models/{{model}}/phonons.json",
        figures=multiext(f"{POTENTIAL}/models/{{model}}/phonons", ".png", ".pdf"),
    log:
        f"{POTENTIAL_LOGS}/{{model}}/phonons.log",
    benchmark:
        f"{POTENTIAL}/benchmarks/{{model}}/phonons.tsv"
    conda:
        "../../envs/training.yaml"
    threads: 1
    resources:
        mem_mb=4000,
        runtime=30,
    message:
        "Phonons of {wildcards.model} beside DFT"
    script:
        "../scripts/validate_phonons.py"


rule validate_conservation:
    input:
        model=f"{POTENTIAL}/models/{{model}}/lah10.pb",
        crystal=REST,
    output:
        f"{POTENTIAL}/models/{{model}}/conservation.json",
    log:
        f"{POTENTIAL_LOGS}/{{model}}/conservation.log",
    benchmark:
        f"{POTENTIAL}/benchmarks/{{model}}/conservation.tsv"
    conda:
        "../../envs/dynamics.yaml"
    threads: 1
    resources:
        mem_mb=2000,
        runtime=60,
    message:
        "Energy conservation of {wildcards.model} in NVE"
    script:
        "../scripts/validate_conservation.py"


rule potential_card:
    input:
        f"{POTENTIAL}/models/{{model}}/lah10.pb",
        f"{POTENTIAL}/models/{{model}}/training.json",
        f"{POTENTIAL}/models/{{model}}/validation.json",
        f"{POTENTIAL}/models/{{model}}/phases.json",
        f"{POTENTIAL}/models/{{model}}/statics.json",
        f"{POTENTIAL}/models/{{model}}/phonons.json",
        f"{POTENTIAL}/models/{{model}}/conservation.json",
        split=TRAINING.split,
    output:
        f"{POTENTIAL}/models/{{model}}/PROVENANCE.md",
    log:
        f"{POTENTIAL_LOGS}/{{model}}/card.log",
    benchmark:
        f"{POTENTIAL}/benchmarks/{{model}}/card.tsv"
    conda:
        "../../envs/training.yaml"
    threads: 1
    resources:
        mem_mb=1000,
        runtime=5,
    message:
        "Write the card of {wildcards.model}"
    script:
        "../scripts/potential_card.py"


# Without an output: the shipped models are source files of every campaign, which must not be
# trained again because some file here became younger.
rule ship_potential:
    input:
        comparison=expand(
            f"{POTENTIAL}/models/{{name}}/validation.json",
            name=list(TRAINING.compare)[:1],
        ),
        files=expand(
            f"{POTENTIAL}/models/{{model}}/{{name}}",
            model=MODELS,
            name=[
                "lah10.pb",
                "frozen.pb",
                "training.json",
                "lcurve.out",
                "validation.json",
                "parity.png",
                "phases.json",
                "statics.json",
                "statics.png",
                "phonons.json",
                "phonons.png",
                "conservation.json",
            ],
        ),
    log:
        f"{POTENTIAL_LOGS}/ship.log",
    conda:
        "../../envs/training.yaml"
    params:
        folders=SHIPPED,
        split=TRAINING.split,
    message:
        "Put the models into {params.folders}"
    script:
        "../scripts/ship_potential.py"
