"""One job a point: from the trajectory to numbers with error bars."""

# Mended analysis is run again, as long as there is something to analyse: where trajectories are
# deleted after use, changed code would start months of dynamics anew.
ANALYSIS_CODE = code("analysis/analyse") if CONFIG.keep_trajectories else ""


#: A short analysis runs beside Snakemake, and a point costs two submissions. It is not grouped with
#: the production: Snakemake removes all outputs of a group in which one job fails.
ANALYSE_HERE = PLAN.core_seconds("analyse") <= 60


rule analyse:
    input:
        supercell=SUPERCELL,
        thermo=rules.produce.output.thermo,
        spectra=rules.produce.output.spectra,
        trajectory=rules.produce.output.trajectory,
    output:
        distortion=f"{POINTS}/{POINT}/distortion.nc",
        diffusion=f"{POINTS}/{POINT}/diffusion.nc",
        energetics=f"{POINTS}/{POINT}/energetics.nc",
        correlations=f"{POINTS}/{POINT}/correlations.nc",
        summary=f"{POINTS}/{POINT}/summary.nc",
    log:
        f"{LOGS}/{POINT}/analyse.log",
    benchmark:
        f"{BENCHMARKS}/{POINT}/analyse.tsv"
    localrule: ANALYSE_HERE
    conda:
        "../../envs/analysis.yaml"
    threads: 1
    resources:
        mem_mb=PLAN.memory_mb("analyse"),
        runtime=minutes("analyse"),
        cpus_per_task=1,
    params:
        window_ps=CONFIG.distortion.window,
        seed=CONFIG.seed,
        code=ANALYSIS_CODE,
    message:
        "Analyse {wildcards.bath} at {wildcards.pressure} GPa, {wildcards.temperature} K"
    script:
        "../scripts/analysis/analyse.py"
