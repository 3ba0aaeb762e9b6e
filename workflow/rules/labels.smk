"""Labels: structures to energies, forces and stresses by GPAW, and labels that other codes gave.

Nothing here runs unless asked for: `snakemake labels`, or a training whose split names one of the
folders below `SYSTEMS` as a source's path. A structure's job is named after the structure's content
(see lah10.potential.labels), so a structure that is added runs alone.
"""

LABELS = f"{POTENTIAL}/labels"
#: DeePMD systems, a folder for each origin of labels.
SYSTEMS = f"{POTENTIAL}/labelled"


wildcard_constraints:
    structure=r"(?:[A-Z][a-z]?\d+)+-[0-9a-f]{12}",
    outputs="|".join(TRAINING.labels.outputs) or "none",


localrules:
    labels,
    gather_labels,
    convert_outputs,


rule labels:
    input:
        labelled_systems,


# Structures are ancient: what they are is in the name of the output, and a label stays when others
# are added to their file.
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
        "../../envs/dft.yaml"
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
        "../scripts/label.py"


rule gather_labels:
    input:
        label_files,
    output:
        directory(f"{SYSTEMS}/{lah10.potential.settings.GPAW_SYSTEMS}"),
    log:
        f"{POTENTIAL_LOGS}/gather_labels.log",
    benchmark:
        f"{POTENTIAL}/benchmarks/gather_labels.tsv"
    conda:
        "../../envs/dft.yaml"
    threads: 1
    resources:
        mem_mb=4000,
        runtime=30,
    params:
        settings=TRAINING.labels.gpaw.model_dump_json(),
    message:
        "Gather the labels of GPAW into DeePMD systems"
    script:
        "../scripts/gather_labels.py"


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
        "../../envs/dft.yaml"
    threads: 1
    resources:
        mem_mb=8000,
        runtime=60,
    message:
        "Turn the outputs {wildcards.outputs} into DeePMD systems"
    script:
        "../scripts/convert_outputs.py"
