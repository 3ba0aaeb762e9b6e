"""What the rules share: names of files, the grid, resources, and what happens when a run starts."""

import os
import re

import lah10.campaign
import lah10.imports
import lah10.planning

RESULTS = f"results/{CONFIG.campaign}"
LOGS = f"logs/{CONFIG.campaign}"
BENCHMARKS = f"{RESULTS}/benchmarks"
SCRATCH = f"{RESULTS}/scratch"
#: One point, below each of the folders above.
POINT = "{bath}/P{pressure}_T{temperature}"
POINTS = f"{RESULTS}/points"
SUPERCELL = f"{RESULTS}/structures/supercell.xyz"
SUPERCELL_DATA = f"{RESULTS}/structures/supercell.data"
#: Files with rules that work there and not in the campaign's folder.
POTENTIAL = "results/potential"
POTENTIAL_RULES = {"potential", "labels", "learn"}
#: One path-integral run, likewise, and all of them.
PIMD_RUN = "pimd/P{pressure}_T{temperature}/beads{beads}"
PIMD_RUNS = [
    (point.pressure, point.temperature, beads)
    for point in CONFIG.pimd.points
    for beads in point.beads
]
PIMD_FIGURE = f"{RESULTS}/figures/pimd_P{{pressure}}_T{{temperature}}"
RATES = os.path.relpath(Path(workflow.basedir, "resources/rates.yaml"))

PLAN = lah10.planning.Plan(CONFIG, lah10.planning.read_rates(RATES))


# Only points of the grid, and only in canonical text: P150.0 is no second name of P150.
wildcard_constraints:
    bath="|".join(CONFIG.baths),
    pressure="|".join(map(re.escape, CONFIG.pressure.values)),
    temperature="|".join(map(re.escape, CONFIG.temperature.values)),


def code(script, *others):
    """What a script's results depend on beside its inputs: a digest for `params`.

    A digest and not the files themselves as inputs: their dates change with every checkout.
    """
    scripts = Path(workflow.basedir, "workflow/scripts")
    return lah10.imports.digest(
        scripts / f"{script}.py", [scripts / "lah10" / other for other in others]
    )


def of_all_points(name):
    """The file `name` of every point of the grid."""
    return [
        f"{POINTS}/{POINT}/{name}".format(
            bath=bath, pressure=pressure, temperature=temperature
        )
        for bath, pressure, temperature in CONFIG.points
    ]


def of_pimd_runs(name):
    """The file `name` of every run."""
    return [
        f"{POINTS}/{PIMD_RUN}/{name}".format(pressure=p, temperature=t, beads=beads)
        for p, t, beads in PIMD_RUNS
    ]


def classical_state():
    """Where path integrals begin, if not on the crystal: the end of a classical equilibration."""
    if CONFIG.pimd.start == "crystal":
        return {}
    point = f"{POINTS}/classical/P{{pressure}}_T{{temperature}}"
    return {
        "restart": f"{point}/equilibrated.restart",
        "equilibration": f"{point}/equilibration.nc",
    }


def of_judged_points(name):
    """The file `name` of every bath at the points that path integrals are run at."""
    return [
        f"{POINTS}/{POINT}/{name}".format(
            bath=bath, pressure=point.pressure, temperature=point.temperature
        )
        for point in CONFIG.pimd.points
        for bath in CONFIG.baths
    ]


def pimd_results(wildcards):
    """What there is to make, if there is anything."""
    if not PIMD_RUNS:
        raise WorkflowError(
            f"campaign {CONFIG.campaign} has no points for path integrals; name some in its "
            "configuration, as config/pimd.yaml does: pimd.points"
        )
    return [
        f"{RESULTS}/pimd/comparison.md",
        *(
            f"{PIMD_FIGURE}.png".format(
                pressure=point.pressure, temperature=point.temperature
            )
            for point in CONFIG.pimd.points
        ),
    ]


def label_files(wildcards):
    """The label of every structure that is to be labelled."""
    if TRAINING.labels.structures_path is None:
        raise WorkflowError(
            f"{CONFIG.training} names no structures to label; name a file or a folder of "
            "structures there: labels.structures"
        )
    # Here, because ASE takes a while, which no other job should pay.
    from lah10.potential import labels

    try:
        structures = labels.read_structures(TRAINING.labels.structures)
    except UserError as error:
        raise WorkflowError(str(error))
    return [f"{LABELS}/{name}.xyz" for name in structures]


def output_files(wildcards):
    """The outputs of another code at the path that is configured."""
    from lah10.potential import outputs

    try:
        return outputs.find_outputs(TRAINING.labels.outputs[wildcards.outputs])
    except UserError as error:
        raise WorkflowError(str(error))


def labelled_systems(wildcards):
    """Systems of every origin that is configured."""
    origins = list(TRAINING.labels.outputs)
    if TRAINING.labels.structures_path is not None or not origins:
        origins.append(lah10.potential.settings.GPAW_SYSTEMS)
    return [f"{SYSTEMS}/{origin}" for origin in origins]


def atoms_to_label(wildcards):
    """Number of atoms of a structure, by its name."""
    return sum(map(int, re.findall(r"\d+", wildcards.structure.partition("-")[0])))


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
    if LEARN.scale not in SPLIT.sources or SPLIT.sources[LEARN.scale].path is None:
        raise WorkflowError(
            f"{CONFIG.training}: learn.scale: {LEARN.scale} is no source of {TRAINING.split} with "
            "a path, and the labels of `snakemake learn` can be added to such a one only"
        )
    return [
        label
        for number in rounds_until_agreed()
        for label in labels_selected_in(number)
    ]


def minutes(stage):
    """Wall time to ask for, longer with every attempt."""
    return lambda wildcards, threads, attempt: attempt * PLAN.runtime(stage, threads)


onstart:
    try:
        # Held until the process ends.
        needed = {RESULTS: set(), POTENTIAL: set()}
        for job in workflow.dag.needrun_jobs():
            own = Path(job.rule.snakefile).stem in POTENTIAL_RULES
            needed[POTENTIAL if own else RESULTS].add(job.rule.name)
        CAMPAIGN_LOCK = lah10.campaign.start(
            needed,
            forced={
                job.rule.name
                for job in workflow.dag.needrun_jobs()
                if workflow.dag.reason(job).forced
            },
        )
        workflow.globals["CAMPAIGN_LOCK"] = CAMPAIGN_LOCK
    except UserError as error:
        sys.exit(str(error))
