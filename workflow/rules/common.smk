"""What the rules share: names of files, the grid, resources, and what happens when a run starts."""

import os
import re

import lah10.campaign
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
PACKAGE = os.path.relpath(Path(workflow.basedir, "workflow/scripts/lah10"))
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


def minutes(stage):
    """Wall time to ask for, longer with every attempt."""
    return lambda wildcards, threads, attempt: attempt * PLAN.runtime(stage, threads)


onstart:
    try:
        # Held until the process ends.
        CAMPAIGN_LOCK = lah10.campaign.start(
            RESULTS,
            needed={job.rule.name for job in workflow.dag.needrun_jobs()},
            forced={
                job.rule.name
                for job in workflow.dag.needrun_jobs()
                if workflow.dag.reason(job).forced
            },
        )
        workflow.globals["CAMPAIGN_LOCK"] = CAMPAIGN_LOCK
    except UserError as error:
        sys.exit(str(error))
