"""The whole campaign: its points in one dataset and as a table, and what it costs."""

HARMONIC = [f"{RESULTS}/harmonic/P{pressure}.nc" for pressure in CONFIG.pressure.values]


rule phase_diagram:
    input:
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
        outputs={
            "structures": [SUPERCELL],
            "harmonic": [
                f"{RESULTS}/harmonic/P{pressure}.nc"
                for pressure in CONFIG.pressure.values
            ],
            "equilibrate": of_all_points("equilibration.nc"),
            "produce": of_all_points("thermo.nc"),
            "analyse": of_all_points("summary.nc"),
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
        points=CONFIG.points,
    message:
        f"How far campaign {CONFIG.campaign} is"
    script:
        "../scripts/campaign/status.py"
