"""The points in one dataset, and as a table."""

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
        code=code("phase_diagram"),
    message:
        "Merge the points of campaign {CONFIG.campaign}"
    script:
        "../scripts/phase_diagram.py"


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
        "Merge those points of campaign {CONFIG.campaign} that are there"
    script:
        "../scripts/merge.py"


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
        code=code("table"),
    message:
        "The numbers of campaign {CONFIG.campaign}, to read"
    script:
        "../scripts/table.py"
