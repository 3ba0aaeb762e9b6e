"""What the rules share: names of files, the grid, resources, and what happens when a run starts."""

import os
import re

import lah10.campaign.isotopes
import lah10.campaign.start
import lah10.config.importing
import lah10.io.imports
import lah10.nuclides
import lah10.campaign.plan

RESULTS = f"results/{CONFIG.campaign}"
LOGS = f"logs/{CONFIG.campaign}"
BENCHMARKS = f"{RESULTS}/benchmarks"
SCRATCH = f"{RESULTS}/scratch"
#: One point, below each of the folders above.
POINT = "{bath}/P{pressure}_T{temperature}"
POINTS = f"{RESULTS}/points"
SUPERCELL = f"{RESULTS}/structures/supercell.xyz"
SUPERCELL_DATA = f"{RESULTS}/structures/supercell.data"
#: Where rules of potential/ and of learning/ work, and not in the campaign's folder.
POTENTIAL = "results/potential"
#: Of this machine (`snakemake calibrate`), else those that were shipped.
OWN_RATES = "config/rates.yaml"
RATES = (
    OWN_RATES
    if Path(OWN_RATES).is_file()
    else lah10.config.importing.located("resources/rates.yaml", BASE)
)

#: Of jobs of dynamics: one that stops before its end is given again.
RETRIES = lah10.campaign.start.retries(workflow)

if MODULE is None:
    lah10.campaign.start.keep_processes(workflow, shell)

#: Of the crystal, by element.
ISOTOPES = lah10.campaign.isotopes.of_campaign(
    CONFIG.structure.file, CONFIG.structure.isotopes
)

#: Categories of the report: what a reader asks.
QUESTIONS = {
    "phases": f"1. Where is {lah10.nuclides.formula(ISOTOPES)} cubic?",
    "quantum": "2. How strong are the quantum effects of the nuclei?",
    "diffusion": "3. Do protons move from site to site?",
    "lattice": "4. Does the lattice stay rigid?",
    "bath": "5. Is the quantum thermal bath right?",
    "potential": "6. Is the potential right?",
    "paper": "7. The source paper, number by number",
}

# A local run gives a job no more cores than it has itself.
PLAN = lah10.campaign.plan.Plan(
    CONFIG,
    lah10.campaign.plan.read_rates(RATES),
    lah10.campaign.start.given(workflow, "_cores") or lah10.campaign.plan.MOST_RANKS,
)

#: Cores of a local run, and numbers of jobs at a time that a plan is made for.
CORES = lah10.campaign.start.given(workflow, "_cores") or os.cpu_count()
SLOTS = sorted(
    {
        max(1, CORES // PLAN.ranks),
        lah10.campaign.start.given(workflow, "_nodes") or 10,
        100,
    }
)


# Only points of the grid, and only in canonical text: P150.0 is no second name of P150.
wildcard_constraints:
    bath="|".join(CONFIG.baths),
    pressure="|".join(map(re.escape, CONFIG.pressure.values)),
    temperature="|".join(map(re.escape, CONFIG.temperature.values)),


def code(script, *others):
    """What a script's results depend on beside its inputs: a digest for `params`.

    A digest and not the files themselves as inputs: their dates change with every checkout.
    """
    scripts = BASE / "workflow/scripts"
    return lah10.io.imports.digest(
        scripts / f"{script}.py", [scripts / "lah10" / other for other in others]
    )


def isotopes_param(isotopes):
    """`params` that depend on isotopes; nothing without them, as of results that have no such key."""
    return {"isotopes": dict(isotopes)} if isotopes else {}


def of_all_points(name):
    """The file `name` of every point of the grid."""
    return [
        f"{POINTS}/{POINT}/{name}".format(
            bath=bath, pressure=pressure, temperature=temperature
        )
        for bath, pressure, temperature in CONFIG.points
    ]


def minutes(stage):
    """Wall time to ask for, longer with every attempt."""
    return lambda wildcards, threads, attempt: attempt * PLAN.runtime(stage, threads)


def works_in(rule):
    """The folder whose lock a rule's jobs need, by the file that the rule stands in."""
    own = Path(rule.snakefile).parent.name in ("potential", "learning")
    return POTENTIAL if own else RESULTS


onstart:
    try:
        # Held until the process ends.
        needed = {RESULTS: set(), POTENTIAL: set()}
        for job in workflow.dag.needrun_jobs():
            needed[works_in(job.rule)].add(job.rule.name)
        CAMPAIGN_LOCK = lah10.campaign.start.start(
            needed,
            forced={
                job.rule.name
                for job in workflow.dag.needrun_jobs()
                if workflow.dag.reason(job).forced
            },
        )
        workflow.globals["CAMPAIGN_LOCK"] = CAMPAIGN_LOCK
        if not needed[RESULTS] <= lah10.campaign.start.READING:
            lah10.campaign.start.stop_by_file(RESULTS)
    except UserError as error:
        sys.exit(str(error))
