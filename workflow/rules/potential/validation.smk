"""What a trained model is measured by, and its card."""

#: Crystals that the model relaxes.
PHASES = {
    name: f"resources/structures/{file}.cif"
    for name, file in {"Fm-3m": "Fm-3m", "R-3m": "R-3m", "C2/c": "C2c"}.items()
}
REST = "resources/structures/Fm-3m.cif"
#: DFT of the crystal at rest, and the source whose pressures it shares.
STATIC_SOURCE = "lah10-gpaw-pbe"
STATIC_DFT = f"resources/dataset/{STATIC_SOURCE}/fm-3m-static.txt"
STATIC_PULAY = (
    SPLIT.sources[STATIC_SOURCE].pulay_pv_per_atom
    if STATIC_SOURCE in SPLIT.sources
    else 0.0
)
#: Labels on the path from Fm-3m to R-3m, as many meshes as there are, and second derivatives of the
#: energy there by potentials.
PATH_SOURCE = f"resources/dataset/{STATIC_SOURCE}-phases"
PATH_LABELS = sorted(map(str, Path(PATH_SOURCE).glob("path*.xyz")))
PATH_HESSIANS = f"{PATH_SOURCE}/hessians.txt"
PHONON_DFT = f"resources/dataset/{STATIC_SOURCE}-phonons/fm-3m.xyz"
#: What is validated: trained models, and those to compare with.
VALIDATED = {name: f"{POTENTIAL}/models/{name}/lah10.pb" for name in MODELS}
VALIDATED |= TRAINING.compare


wildcard_constraints:
    validated="|".join(VALIDATED),


rule validate_potential:
    input:
        model=lambda wildcards: VALIDATED[wildcards.validated],
        index=INDEX,
        crystal=REST,
    output:
        table=f"{POTENTIAL}/models/{{validated}}/validation.json",
        frames=f"{POTENTIAL}/models/{{validated}}/validation.nc",
        parity=multiext(
            f"{POTENTIAL}/models/{{validated}}/parity", ".png", ".pdf", ".svg"
        ),
    log:
        f"{POTENTIAL_LOGS}/{{validated}}/validate.log",
    benchmark:
        f"{POTENTIAL}/benchmarks/{{validated}}/validate.tsv"
    conda:
        "../../../envs/training.yaml"
    threads: 1
    resources:
        mem_mb=8000,
        runtime=60,
    message:
        "Validate {wildcards.validated} on the held-out sets"
    script:
        "../../scripts/potential/validation/validate_potential.py"


rule validate_statics:
    input:
        model=f"{POTENTIAL}/models/{{model}}/lah10.pb",
        dft=STATIC_DFT,
        alignment=TRAINING.alignment_file or [],
    output:
        table=f"{POTENTIAL}/models/{{model}}/statics.json",
        figures=multiext(
            f"{POTENTIAL}/models/{{model}}/statics", ".png", ".pdf", ".svg"
        ),
    log:
        f"{POTENTIAL_LOGS}/{{model}}/statics.log",
    benchmark:
        f"{POTENTIAL}/benchmarks/{{model}}/statics.tsv"
    conda:
        "../../../envs/training.yaml"
    threads: 1
    resources:
        mem_mb=4000,
        runtime=30,
    params:
        source=STATIC_SOURCE,
        pulay=STATIC_PULAY,
    message:
        "Table I and the equation of state of {wildcards.model} beside DFT"
    script:
        "../../scripts/potential/validation/validate_statics.py"


rule validate_phases:
    input:
        model=f"{POTENTIAL}/models/{{model}}/lah10.pb",
        crystals=list(PHASES.values()),
        labels=PATH_LABELS,
        hessians=PATH_HESSIANS,
        static=STATIC_DFT,
        alignment=TRAINING.alignment_file or [],
        learnt=(
            f"{POTENTIAL}/models/{{model}}/differences.json"
            if TRAINING.differences.labels
            else []
        ),
    output:
        f"{POTENTIAL}/models/{{model}}/phases.json",
    log:
        f"{POTENTIAL_LOGS}/{{model}}/phases.log",
    benchmark:
        f"{POTENTIAL}/benchmarks/{{model}}/phases.tsv"
    conda:
        "../../../envs/training.yaml"
    threads: 1
    resources:
        mem_mb=4000,
        runtime=30,
    params:
        phases=list(PHASES),
        source=STATIC_SOURCE,
        pulay=STATIC_PULAY,
    message:
        "Enthalpies of the phases at rest by {wildcards.model}"
    script:
        "../../scripts/potential/validation/validate_phases.py"


rule path_hessians:
    input:
        labels=PATH_LABELS,
        models=sorted(map(str, Path("resources/potentials").glob("*/lah10.pb"))),
    output:
        f"{POTENTIAL}/phases/hessians.txt",
    log:
        f"{POTENTIAL_LOGS}/path_hessians.log",
    benchmark:
        f"{POTENTIAL}/benchmarks/path_hessians.tsv"
    conda:
        "../../../envs/training.yaml"
    threads: 1
    resources:
        mem_mb=4000,
        runtime=30,
    message:
        "Second derivatives of the labelled crystals' energy, by the shipped potentials"
    script:
        "../../scripts/potential/validation/path_hessians.py"


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
        "../../../envs/training.yaml"
    threads: 1
    resources:
        mem_mb=2000,
        runtime=10,
    message:
        "Displace the atoms of Fm-3m, for its phonons"
    script:
        "../../scripts/potential/validation/phonon_structures.py"


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
        "../../../envs/dft.yaml"
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
        "../../scripts/potential/validation/phonon_dft.py"


rule validate_phonons:
    input:
        model=f"{POTENTIAL}/models/{{model}}/lah10.pb",
        static=STATIC_DFT,
        forces=PHONON_DFT,
    output:
        table=f"{POTENTIAL}/models/{{model}}/phonons.json",
        figures=multiext(
            f"{POTENTIAL}/models/{{model}}/phonons", ".png", ".pdf", ".svg"
        ),
    log:
        f"{POTENTIAL_LOGS}/{{model}}/phonons.log",
    benchmark:
        f"{POTENTIAL}/benchmarks/{{model}}/phonons.tsv"
    conda:
        "../../../envs/training.yaml"
    threads: 1
    resources:
        mem_mb=4000,
        runtime=30,
    message:
        "Phonons of {wildcards.model} beside DFT"
    script:
        "../../scripts/potential/validation/validate_phonons.py"


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
        "../../../envs/dynamics.yaml"
    threads: 1
    resources:
        mem_mb=2000,
        runtime=60,
    message:
        "Energy conservation of {wildcards.model} in NVE"
    script:
        "../../scripts/potential/validation/validate_conservation.py"


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
        "../../../envs/training.yaml"
    threads: 1
    resources:
        mem_mb=1000,
        runtime=5,
    message:
        "Write the card of {wildcards.model}"
    script:
        "../../scripts/potential/validation/potential_card.py"
