"""The whole campaign: its points in one dataset and as a table, and what it costs."""

HARMONIC = [f"{RESULTS}/harmonic/P{pressure}.nc" for pressure in CONFIG.pressure.values]
#: Numbers of the source paper; their content counts, not their date.
PAPER = lah10.config.importing.located("resources/paper.yaml", BASE)


def beside(*names):
    """Contents of those files of the campaign that are there: what may be taken in, and is not
    waited for."""
    paths = [Path(RESULTS, name) for name in names]
    return [sha256(path) if path.is_file() else "" for path in paths]


rule phase_diagram:
    input:
        **(
            {"distorted": of_distorted_points("summary.nc")}
            if CONFIG.distorted_points
            else {}
        ),
        summaries=of_all_points("summary.nc"),
        harmonic=HARMONIC,
    output:
        f"{RESULTS}/phase_diagram.nc",
    log:
        f"{LOGS}/phase_diagram.log",
    benchmark:
        f"{BENCHMARKS}/phase_diagram.tsv"
    localrule: True
    conda:
        "../../envs/analysis.yaml"
    threads: 1
    resources:
        mem_mb=PLAN.memory_mb("phase_diagram"),
        runtime=minutes("phase_diagram"),
    params:
        points=CONFIG.points,
        code=code("campaign/phase_diagram"),
    message:
        f"Merge the points of campaign {CONFIG.campaign}"
    script:
        "../scripts/campaign/phase_diagram.py"


# Without inputs: it takes what is there, when some points will not come (or not yet).
rule merge:
    log:
        f"{LOGS}/merge.log",
    localrule: True
    conda:
        "../../envs/analysis.yaml"
    threads: 1
    resources:
        mem_mb=PLAN.memory_mb("phase_diagram"),
        runtime=minutes("phase_diagram"),
    params:
        points=CONFIG.points,
        folder=POINTS,
        harmonic=HARMONIC,
        output=f"{RESULTS}/phase_diagram.nc",
    message:
        f"Merge those points of campaign {CONFIG.campaign} that are there"
    script:
        "../scripts/campaign/merge.py"


rule table:
    input:
        phase_diagram=f"{RESULTS}/phase_diagram.nc",
    output:
        f"{RESULTS}/phase_diagram.md",
    log:
        f"{LOGS}/table.log",
    benchmark:
        f"{BENCHMARKS}/table.tsv"
    localrule: True
    conda:
        "../../envs/analysis.yaml"
    threads: 1
    resources:
        mem_mb=PLAN.memory_mb("phase_diagram"),
        runtime=minutes("phase_diagram"),
    params:
        code=code("campaign/table"),
    message:
        f"The numbers of campaign {CONFIG.campaign}, to read"
    script:
        "../scripts/campaign/table.py"


# What the campaign's numbers rest on, for the report.
rule describe_potential:
    output:
        text=f"{RESULTS}/potential.md",
        page=report(
            f"{RESULTS}/potential.html",
            caption="../report/potential.rst",
            category=QUESTIONS["potential"],
            labels={"figure": "card of the potential", "campaign": CONFIG.campaign},
        ),
    log:
        f"{LOGS}/describe_potential.log",
    benchmark:
        f"{BENCHMARKS}/describe_potential.tsv"
    localrule: True
    conda:
        "../../envs/analysis.yaml"
    threads: 1
    resources:
        mem_mb=PLAN.memory_mb("structures"),
        runtime=minutes("structures"),
    params:
        model=CONFIG.potential.model,
        model_sha256=MODEL_SHA256,
        code=code("campaign/describe_potential"),
    message:
        f"Copy the card of the potential to campaign {CONFIG.campaign}"
    script:
        "../scripts/campaign/describe_potential.py"


# Free energies and enthalpies are compared where they are there: they have commands of their own.
rule compare_paper:
    input:
        phase_diagram=f"{RESULTS}/phase_diagram.nc",
        numbers=ancient(PAPER),
    output:
        text=f"{RESULTS}/paper.md",
        page=report(
            f"{RESULTS}/paper.html",
            caption="../report/paper.rst",
            category=QUESTIONS["paper"],
            labels={"figure": "all numbers", "campaign": CONFIG.campaign},
        ),
        dataset=f"{RESULTS}/paper.nc",
    log:
        f"{LOGS}/compare_paper.log",
    benchmark:
        f"{BENCHMARKS}/compare_paper.tsv"
    localrule: True
    conda:
        "../../envs/analysis.yaml"
    threads: 1
    resources:
        mem_mb=PLAN.memory_mb("phase_diagram"),
        runtime=minutes("phase_diagram"),
    params:
        numbers_sha256=sha256(PAPER),
        beside=beside("boundary.nc", "enthalpies.nc"),
        code=code("campaign/compare_paper"),
    message:
        f"Put campaign {CONFIG.campaign} beside the source paper"
    script:
        "../scripts/campaign/compare_paper.py"


# Without inputs: it takes what is there and never starts a simulation, also in a fresh clone.
rule paper_table:
    log:
        "logs/paper_table.log",
    localrule: True
    conda:
        "../../envs/analysis.yaml"
    threads: 1
    resources:
        mem_mb=PLAN.memory_mb("phase_diagram"),
        runtime=minutes("phase_diagram"),
    params:
        numbers=PAPER,
    message:
        "Put every results/**/phase_diagram.nc beside the source paper"
    script:
        "../scripts/campaign/paper_table.py"


# Without inputs or outputs: it prints what the campaign costs, and how much of it is done.
rule plan:
    log:
        f"{LOGS}/plan.log",
    localrule: True
    conda:
        "../../envs/analysis.yaml"
    threads: 1
    resources:
        mem_mb=PLAN.memory_mb("structures"),
        runtime=minutes("structures"),
    params:
        rates=RATES,
        most_ranks=PLAN.most_ranks,
        slots=SLOTS,
        outputs={
            "structures": [SUPERCELL],
            "harmonic": [
                f"{RESULTS}/harmonic/P{pressure}.nc"
                for pressure in CONFIG.pressure.values
            ],
            "equilibrate": of_all_points("equilibration.nc")
            + of_distorted_points("equilibration.nc"),
            "produce": of_all_points("thermo.nc") + of_distorted_points("thermo.nc"),
            "analyse": of_all_points("summary.nc") + of_distorted_points("summary.nc"),
            "phase_diagram": [f"{RESULTS}/phase_diagram.nc"],
            "figures": FIGURES[:1],
            "pimd": of_pimd_runs("thermo.nc"),
            "boundary": of_boundary_windows(),
        },
    message:
        f"Plan campaign {CONFIG.campaign}"
    script:
        "../scripts/campaign/plan.py"


# Without inputs or outputs, and without the campaign's lock: it looks at a campaign that runs.
rule status:
    log:
        f"{LOGS}/status.log",
    localrule: True
    conda:
        "../../envs/analysis.yaml"
    threads: 1
    resources:
        mem_mb=PLAN.memory_mb("structures"),
        runtime=minutes("structures"),
    params:
        folder=RESULTS,
        points=[
            *CONFIG.points,
            *(
                (f"distorted/{point[0]}", *point[1:])
                for point in CONFIG.distorted_points
            ),
        ],
    message:
        f"How far campaign {CONFIG.campaign} is"
    script:
        "../scripts/campaign/status.py"


# Without inputs or outputs: it runs a campaign of its own, as long as it is asked for.
rule calibrate:
    log:
        f"{LOGS}/calibrate.log",
    localrule: True
    conda:
        "../../envs/dynamics.yaml"
    threads: 1
    resources:
        mem_mb=PLAN.memory_mb("structures"),
        runtime=minutes("equilibrate"),
    params:
        rates=RATES,
        output=OWN_RATES,
        cores=CORES,
    message:
        "Measure this machine's rates"
    script:
        "../scripts/campaign/calibrate.py"
