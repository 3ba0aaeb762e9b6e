"""Training with deepmd-kit: stage by stage, then frozen and compressed."""

#: Checkpoints of trainings: declared nowhere, so that they survive a retry.
TRAINING_SCRATCH = f"{POTENTIAL}/training"


#: Models as trained; their energy differences are changed after that, where there are labels.
TRAINED = f"{POTENTIAL}/models/{{model}}/" + (
    "trained.pb" if TRAINING.differences.labels else "frozen.pb"
)
FROZEN = f"{POTENTIAL}/models/{{model}}/frozen.pb"
TRAINING_RECORD = f"{POTENTIAL}/models/{{model}}/training.json"
CURVE = f"{POTENTIAL}/models/{{model}}/lcurve.out"
#: Frozen graphs in place of a training, by model.
GIVEN = dict(zip(MODELS, TRAINING.differences.graphs))


rule train:
    input:
        index=INDEX,
        templates=[stage.input for stage in TRAINING.stages],
    output:
        training=TRAINING_RECORD,
        curve=CURVE,
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
        CURVE,
    output:
        TRAINED,
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


if TRAINING.differences.labels:

    rule fit_differences:
        input:
            model=TRAINED,
            index=INDEX,
            labels=TRAINING.differences.labels,
        output:
            frozen=FROZEN,
            record=f"{POTENTIAL}/models/{{model}}/differences.json",
        log:
            f"{POTENTIAL_LOGS}/{{model}}/fit_differences.log",
        benchmark:
            f"{POTENTIAL}/benchmarks/{{model}}/fit_differences.tsv"
        conda:
            "../../../envs/training.yaml"
        threads: 1
        resources:
            mem_mb=8000,
            runtime=240,
        params:
            section=TRAINING.differences.model_dump_json(),
        message:
            "Learn energy differences by the last fitting layer of {wildcards.model}"
        script:
            "../../scripts/potential/training/fit_differences.py"


if GIVEN:

    ruleorder: take_model > train > freeze

    rule take_model:
        input:
            lambda wildcards: [
                GIVEN[wildcards.model],
                *(
                    os.path.join(os.path.dirname(GIVEN[wildcards.model]), name)
                    for name in lah10.config.training.BESIDE
                ),
            ],
        output:
            TRAINED,
            TRAINING_RECORD,
            CURVE,
        log:
            f"{POTENTIAL_LOGS}/{{model}}/take_model.log",
        localrule: True
        conda:
            "../../../envs/training.yaml"
        message:
            "Take {input[0]} in place of a training"
        script:
            "../../scripts/potential/training/take_model.py"


rule compress:
    input:
        frozen=FROZEN,
        training=TRAINING_RECORD,
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
