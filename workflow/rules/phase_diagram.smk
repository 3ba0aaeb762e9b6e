rule phase_diagram:
    input:
        summaries=of_all_points("summary.nc"),
        harmonic=[
            f"{RESULTS}/harmonic/P{pressure}.nc" for pressure in CONFIG.pressure.values
        ],
        modules=f"{PACKAGE}/phase_diagram.py",
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
    message:
        "Merge the points of campaign {CONFIG.campaign}"
    script:
        "../scripts/phase_diagram.py"
