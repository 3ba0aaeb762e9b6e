"""Active learning: explore, select where a committee disagrees, label, retrain, as often as needed.

Nothing here runs unless asked for: `snakemake learn`. What a round labels is known when its frames
were judged, and so is whether there is a next round: `select_structures` is a checkpoint.
"""

import json

LEARN = TRAINING.learn
EXPLORE = LEARN.explore
LEARN_RESULTS = f"{POTENTIAL}/learn"
LEARN_LOGS = f"{POTENTIAL_LOGS}/learn"
LEARN_BENCHMARKS = f"{POTENTIAL}/benchmarks/learn"
LEARN_SUPERCELL = f"{LEARN_RESULTS}/supercell"
#: One round, below each of the folders above.
ROUND = "round{round}"
#: The explored points by name.
EXPLORED = {
    f"{bath}/P{pressure}_T{temperature}": (bath, float(pressure), float(temperature))
    for bath, pressure, temperature in EXPLORE.points
}
#: The models that start, and the one of these that explores.
if LEARN.models == "trained":
    START = [f"{POTENTIAL}/models/{model}/frozen.pb" for model in MODELS]
    FIRST_EXPLORER = f"{POTENTIAL}/models/{next(iter(MODELS))}/lah10.pb"
elif LEARN.models == "none":
    START, FIRST_EXPLORER = [], []
else:
    START = [ancient(model) for model in LEARN.models]
    FIRST_EXPLORER = START[0]


wildcard_constraints:
    round=r"[1-9]\d*",
    member=r"[1-9]\d*",
    explored="|".join(map(re.escape, EXPLORED)),


localrules:
    learn,
    gather_selected,
    summarise_learning,
    collect_labels,


def committee_before(wildcards):
    """The frozen graphs that a round starts with."""
    number = int(wildcards.round)
    return trained_in(number - 1) if number > 1 else START


def explorer(wildcards):
    """The model that a round explores on: the committee's first, compressed where it can be."""
    number = int(wildcards.round)
    if number > 1:
        return f"{LEARN_RESULTS}/round{number - 1}/model1/lah10.pb"
    return FIRST_EXPLORER


def trained_in(number, name="frozen.pb"):
    """A file of each model that a round trained."""
    return [
        f"{LEARN_RESULTS}/round{number}/model{i + 1}/{name}" for i in range(len(START))
    ]


def selection(number):
    """What a round's frames showed; puts off what asks until they were judged."""
    made = checkpoints.select_structures.get(round=number).output.selection
    return json.loads(Path(made).read_text())


def labels_selected_in(number):
    """The label of every structure that a round selected, by the round's number."""
    return [
        f"{LEARN_RESULTS}/round{number}/labels/{one['structure']}.xyz"
        for one in selection(number)["selected"]
    ]


def rounds_until_agreed():
    """Numbers of the rounds: all that are allowed, or up to that in which the models agree."""
    numbers = []
    for number in range(1, LEARN.rounds + 1):
        numbers.append(number)
        if selection(number)["converged"]:
            break
    return numbers


def labels_of_round(wildcards):
    """The label of every structure that a round selected."""
    return labels_selected_in(wildcards.round)


def results_of_round(wildcards):
    """What a round did, beside judging its frames: nothing once the models agree."""
    if selection(wildcards.round)["converged"]:
        return {}
    return {
        "labels": labels_of_round(wildcards),
        "before": committee_before(wildcards),
        "after": trained_in(wildcards.round),
        "index": f"{LEARN_RESULTS}/round{wildcards.round}/prepared/index.json",
    }


def learnt(wildcards):
    """The records of all rounds, and the committee that came out."""
    if not START:
        raise WorkflowError(
            f"{CONFIG.training} names no committee to learn with; give at least two frozen graphs, "
            "or trained with two of `seeds`: learn.models"
        )
    numbers = rounds_until_agreed()
    # The round in which the models agree trains none.
    last = numbers[-1] - selection(numbers[-1])["converged"]
    return {
        "records": [f"{LEARN_RESULTS}/round{number}/round.json" for number in numbers],
        "models": trained_in(last, "lah10.pb") if last else [],
    }


def all_learnt_labels(wildcards):
    """The labels of all rounds of an active learning that came to its end."""
    source = SPLIT.sources.get(LEARN.same_reference_as)
    if source is None or source.path is None:
        raise WorkflowError(
            f"{CONFIG.training}: learn.same_reference_as: expected a source of {TRAINING.split} "
            "with a path, which the labels of `snakemake learn` can be added to, got "
            f"{LEARN.same_reference_as}"
        )
    return [
        label
        for number in rounds_until_agreed()
        for label in labels_selected_in(number)
    ]


rule learn:
    input:
        multiext(f"{LEARN_RESULTS}/learn", ".json", ".md"),


# Not `use rule structures`: its paths would be taken from this file's folder.
rule learn_supercell:
    input:
        EXPLORE.structure.file,
    output:
        supercell=f"{LEARN_SUPERCELL}.xyz",
        data=f"{LEARN_SUPERCELL}.data",
    log:
        f"{LEARN_LOGS}/supercell.log",
    benchmark:
        f"{LEARN_BENCHMARKS}/supercell.tsv"
    localrule: True
    conda:
        "../../../envs/analysis.yaml"
    threads: 1
    resources:
        mem_mb=PLAN.memory_mb("structures"),
        runtime=minutes("structures"),
    params:
        **isotopes_param(EXPLORE.structure.isotopes),
        cell=EXPLORE.structure.cell,
        repeat=EXPLORE.structure.repeat,
    message:
        "Build the supercell of {EXPLORE.n_atoms} atoms to explore with"
    script:
        "../../scripts/structures/structures.py"


rule explore:
    input:
        supercell=f"{LEARN_SUPERCELL}.xyz",
        supercell_data=f"{LEARN_SUPERCELL}.data",
        model=explorer,
    output:
        thermo=f"{LEARN_RESULTS}/{ROUND}/explore/{{explored}}/thermo.nc",
        trajectory=f"{LEARN_RESULTS}/{ROUND}/explore/{{explored}}/trajectory.nc",
        commands=f"{LEARN_RESULTS}/{ROUND}/explore/{{explored}}/produce.lmp",
    log:
        f"{LEARN_LOGS}/{ROUND}/{{explored}}.log",
    benchmark:
        f"{LEARN_BENCHMARKS}/{ROUND}/{{explored}}.tsv"
    conda:
        "../../../envs/dynamics.yaml"
    threads: 1
    resources:
        mem_mb=4000,
        runtime=lambda wildcards, attempt: attempt * 240,
        cpus_per_task=lambda wildcards, threads: threads,
    params:
        scratch=f"{LEARN_RESULTS}/scratch/{ROUND}/{{explored}}",
        point=lambda wildcards: EXPLORED[wildcards.explored],
        options=lambda wildcards: {
            stage: {
                "bath_options": EXPLORE.bath_options(
                    stage, EXPLORED[wildcards.explored][0]
                ),
                "dynamics": EXPLORE.dynamics_options(
                    stage, EXPLORED[wildcards.explored][0]
                ),
            }
            for stage in ("equilibrate", "produce")
        },
        # Another noise in every round: models that hardly changed see other structures, too.
        seed=lambda wildcards: EXPLORE.seed + int(wildcards.round) - 1,
    message:
        "Round {wildcards.round}: explore {wildcards.explored}"
    script:
        "../../scripts/learning/explore.py"


checkpoint select_structures:
    input:
        thermo=expand(
            f"{LEARN_RESULTS}/{ROUND}/explore/{{explored}}/thermo.nc",
            explored=EXPLORED,
            allow_missing=True,
        ),
        trajectory=expand(
            f"{LEARN_RESULTS}/{ROUND}/explore/{{explored}}/trajectory.nc",
            explored=EXPLORED,
            allow_missing=True,
        ),
        supercell=f"{LEARN_SUPERCELL}.xyz",
        models=committee_before,
    output:
        structures=f"{LEARN_RESULTS}/{ROUND}/selected.xyz",
        deviations=f"{LEARN_RESULTS}/{ROUND}/deviations.nc",
        selection=f"{LEARN_RESULTS}/{ROUND}/selection.json",
    log:
        f"{LEARN_LOGS}/{ROUND}/select.log",
    benchmark:
        f"{LEARN_BENCHMARKS}/{ROUND}/select.tsv"
    conda:
        "../../../envs/training.yaml"
    threads: 1
    resources:
        mem_mb=8000,
        runtime=120,
    params:
        points=list(EXPLORED),
        frames=EXPLORE.frames,
        bounds=[LEARN.lower, LEARN.upper],
        share=LEARN.share,
        labels=LEARN.labels,
    message:
        "Round {wildcards.round}: where do the models disagree?"
    script:
        "../../scripts/learning/select_structures.py"


# Ancient as for `label`: what a structure is, is in the name of its label.
use rule label as label_selected with:
    input:
        structures=ancient(f"{LEARN_RESULTS}/{ROUND}/selected.xyz"),
    output:
        f"{LEARN_RESULTS}/{ROUND}/labels/{{structure}}.xyz",
    log:
        f"{LEARN_LOGS}/{ROUND}/labels/{{structure}}.log",
    benchmark:
        f"{LEARN_BENCHMARKS}/{ROUND}/labels/{{structure}}.tsv"
    message:
        "Round {wildcards.round}: label {wildcards.structure} with GPAW; progress in {log}"


use rule gather_labels as gather_selected with:
    input:
        labels_of_round,
    output:
        directory(f"{LEARN_RESULTS}/{ROUND}/labelled"),
    log:
        f"{LEARN_LOGS}/{ROUND}/gather.log",
    benchmark:
        f"{LEARN_BENCHMARKS}/{ROUND}/gather.tsv"
    message:
        "Round {wildcards.round}: gather the labels"


# Ancient: rounds that were done stay, when their labels or models become part of the project.
rule prepare_round:
    input:
        folders=ancient(SOURCE_FOLDERS),
        labelled=lambda wildcards: [
            f"{LEARN_RESULTS}/round{i + 1}/labelled"
            for i in range(int(wildcards.round))
        ],
        split=TRAINING.split,
        alignment=TRAINING.alignment_file or [],
        model=LABEL_CHECK,
    output:
        f"{LEARN_RESULTS}/{ROUND}/prepared/index.json",
    log:
        f"{LEARN_LOGS}/{ROUND}/prepare.log",
    benchmark:
        f"{LEARN_BENCHMARKS}/{ROUND}/prepare.tsv"
    conda:
        "../../../envs/training.yaml"
    threads: 1
    resources:
        mem_mb=4000,
        runtime=60,
    params:
        scale=LEARN.same_reference_as,
    message:
        "Round {wildcards.round}: put the labels of all rounds to those that were there"
    script:
        "../../scripts/learning/prepare_round.py"


rule retrain:
    input:
        index=rules.prepare_round.output[0],
        template=LEARN.retrain.input,
        start=lambda wildcards: (
            committee_before(wildcards)[
                int(wildcards.member) - 1 : int(wildcards.member)
            ]
        ),
    output:
        model=f"{LEARN_RESULTS}/{ROUND}/model{{member}}/frozen.pb",
        training=f"{LEARN_RESULTS}/{ROUND}/model{{member}}/training.json",
        curve=f"{LEARN_RESULTS}/{ROUND}/model{{member}}/lcurve.out",
    log:
        f"{LEARN_LOGS}/{ROUND}/model{{member}}/retrain.log",
    benchmark:
        f"{LEARN_BENCHMARKS}/{ROUND}/model{{member}}/retrain.tsv"
    conda:
        "../../../envs/training.yaml"
    threads: TRAINING.threads
    resources:
        mem_mb=8000,
        runtime=24 * 60,
        cpus_per_task=lambda wildcards, threads: threads,
        gpu=TRAINING.gpus,
    params:
        scratch=f"{LEARN_RESULTS}/scratch/{ROUND}/model{{member}}",
        seed=lambda wildcards: int(wildcards.member),
        steps=LEARN.retrain.steps,
        shares=TRAINING.shares | {lah10.config.training.LEARNT: LEARN.retrain.share},
        checkpoint_steps=TRAINING.checkpoint_steps,
        device=TRAINING.device,
    message:
        "Round {wildcards.round}: train model {wildcards.member} on; progress in {log}"
    script:
        "../../scripts/learning/retrain.py"


use rule compress as compress_retrained with:
    input:
        frozen=rules.retrain.output.model,
        training=rules.retrain.output.training,
        index=rules.prepare_round.output[0],
    output:
        f"{LEARN_RESULTS}/{ROUND}/model{{member}}/lah10.pb",
    log:
        f"{LEARN_LOGS}/{ROUND}/model{{member}}/compress.log",
    benchmark:
        f"{LEARN_BENCHMARKS}/{ROUND}/model{{member}}/compress.tsv"
    message:
        "Round {wildcards.round}: compress model {wildcards.member}"


rule record_round:
    input:
        unpack(results_of_round),
        selection=f"{LEARN_RESULTS}/{ROUND}/selection.json",
    output:
        f"{LEARN_RESULTS}/{ROUND}/round.json",
    log:
        f"{LEARN_LOGS}/{ROUND}/record.log",
    benchmark:
        f"{LEARN_BENCHMARKS}/{ROUND}/record.tsv"
    conda:
        "../../../envs/training.yaml"
    threads: 1
    resources:
        mem_mb=8000,
        runtime=60,
    message:
        "Round {wildcards.round}: record what was found, and what the new labels changed"
    script:
        "../../scripts/learning/record_round.py"


rule summarise_learning:
    input:
        unpack(learnt),
    output:
        table=f"{LEARN_RESULTS}/learn.json",
        text=f"{LEARN_RESULTS}/learn.md",
    log:
        f"{LEARN_LOGS}/summary.log",
    benchmark:
        f"{LEARN_BENCHMARKS}/summary.tsv"
    conda:
        "../../../envs/training.yaml"
    threads: 1
    resources:
        mem_mb=1000,
        runtime=5,
    message:
        "All rounds in one table"
    script:
        "../../scripts/learning/summarise_learning.py"


# Without an output: it adds to source files, the data set's.
rule collect_labels:
    input:
        learnt=all_learnt_labels,
        record=f"{LEARN_RESULTS}/learn.json",
    log:
        f"{LEARN_LOGS}/collect.log",
    conda:
        "../../../envs/training.yaml"
    params:
        rounds=lambda wildcards, input: {
            folder: f"{Path(folder).parent}/selected.xyz"
            for folder in dict.fromkeys(
                str(Path(file).parent) for file in input.learnt
            )
        },
        path=lambda wildcards: f"{SPLIT.sources[LEARN.same_reference_as].path}/learnt.xyz",
    message:
        "Add the labels of all rounds to {params.path}"
    script:
        "../../scripts/learning/collect_labels.py"
