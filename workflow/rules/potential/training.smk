"""Training with deepmd-kit: stage by stage, then frozen and compressed."""

#: Checkpoints of trainings: declared nowhere, so that they survive a retry.
TRAINING_SCRATCH = f"{POTENTIAL}/training"


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
        "../../../envs/training.yaml"
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
        "../../scripts/potential/training/train.py"


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
        "../../../envs/training.yaml"
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
        "../../scripts/potential/training/freeze.py"


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
        "../../../envs/training.yaml"
    threads: 1
    resources:
        mem_mb=4000,
        runtime=30,
    message:
        "Compress {wildcards.model}, and check that this changed nothing"
    script:
        "../../scripts/potential/training/compress.py"
