"""Path integrals at some points of the grid, by which the baths are judged: `snakemake pimd`.

No part of `all`: exact quantum statistics cost dozens of baths' runs.
"""

#: One path-integral run, as POINT, and all of them.
PIMD_RUN = "pimd/P{pressure}_T{temperature}/beads{beads}"
PIMD_RUNS = [
    (point.pressure, point.temperature, beads)
    for point in CONFIG.pimd.points
    for beads in point.beads
]
PIMD_FIGURE = f"{RESULTS}/figures/pimd_P{{pressure}}_T{{temperature}}"


wildcard_constraints:
    beads=r"[1-9]\d*",


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
        *multiext(f"{RESULTS}/pimd/comparison", ".md", ".html"),
        *(
            f"{PIMD_FIGURE}.png".format(
                pressure=point.pressure, temperature=point.temperature
            )
            for point in CONFIG.pimd.points
        ),
        *([f"{RESULTS}/pimd/starts.md"] if "distorted" in CONFIG.starts else []),
    ]


rule pimd:
    input:
        pimd_results,


rule pimd_run:
    input:
        **classical_state(),
        supercell=SUPERCELL,
        model=ancient(CONFIG.potential.model),
    output:
        thermo=f"{POINTS}/{PIMD_RUN}/thermo.nc",
        centroids=f"{POINTS}/{PIMD_RUN}/centroids.nc",
        beads=f"{POINTS}/{PIMD_RUN}/beads.nc",
        xml=f"{POINTS}/{PIMD_RUN}/pimd.xml",
        start=f"{POINTS}/{PIMD_RUN}/start.xyz",
    log:
        f"{LOGS}/{PIMD_RUN}/pimd_run.log",
    benchmark:
        f"{BENCHMARKS}/{PIMD_RUN}/pimd_run.tsv"
    retries: RETRIES
    conda:
        "../../envs/pimd.yaml"
    threads: 1
    resources:
        mem_mb=lambda wildcards: PLAN.pimd_memory_mb(int(wildcards.beads)),
        runtime=lambda wildcards, attempt: (
            attempt * PLAN.pimd_runtime(int(wildcards.beads))
        ),
        cpus_per_task=lambda wildcards, threads: threads,
    params:
        scratch=f"{SCRATCH}/{PIMD_RUN}",
        model_sha256=MODEL_SHA256,
        highest_THz=CONFIG.pimd.highest_THz,
        dynamics=CONFIG.pimd.options,
        seed=CONFIG.seed,
    message:
        "Path integrals at {wildcards.pressure} GPa, {wildcards.temperature} K, {wildcards.beads} beads"
    script:
        "../scripts/pimd/pimd_run.py"


rule pimd_analyse:
    input:
        supercell=SUPERCELL,
        thermo=rules.pimd_run.output.thermo,
        centroids=rules.pimd_run.output.centroids,
        beads=rules.pimd_run.output.beads,
    output:
        summary=f"{POINTS}/{PIMD_RUN}/summary.nc",
        distortion=f"{POINTS}/{PIMD_RUN}/distortion.nc",
        correlations=f"{POINTS}/{PIMD_RUN}/correlations.nc",
    log:
        f"{LOGS}/{PIMD_RUN}/pimd_analyse.log",
    benchmark:
        f"{BENCHMARKS}/{PIMD_RUN}/pimd_analyse.tsv"
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
        code=code("pimd/pimd_analyse"),
    message:
        "Analyse path integrals at {wildcards.pressure} GPa, {wildcards.temperature} K, {wildcards.beads} beads"
    script:
        "../scripts/pimd/pimd_analyse.py"


rule pimd_compare:
    input:
        thermo=of_pimd_runs("thermo.nc"),
        summaries=of_pimd_runs("summary.nc"),
        correlations=of_pimd_runs("correlations.nc"),
        bath_summaries=of_judged_points("summary.nc"),
        bath_correlations=of_judged_points("correlations.nc"),
        harmonic=[
            f"{RESULTS}/harmonic/P{pressure}.nc"
            for pressure in dict.fromkeys(
                point.pressure for point in CONFIG.pimd.points
            )
        ],
    output:
        dataset=f"{RESULTS}/pimd/comparison.nc",
        table=f"{RESULTS}/pimd/comparison.md",
        page=report(
            f"{RESULTS}/pimd/comparison.html",
            caption="../report/pimd_table.rst",
            category=QUESTIONS["bath"],
            labels={"figure": "path integrals, table", "campaign": CONFIG.campaign},
        ),
    log:
        f"{LOGS}/pimd_compare.log",
    benchmark:
        f"{BENCHMARKS}/pimd_compare.tsv"
    localrule: True
    conda:
        "../../envs/analysis.yaml"
    threads: 1
    resources:
        mem_mb=PLAN.memory_mb("phase_diagram"),
        runtime=minutes("phase_diagram"),
    params:
        runs=PIMD_RUNS,
        baths=[
            (bath, point.pressure, point.temperature)
            for point in CONFIG.pimd.points
            for bath in CONFIG.baths
        ],
        code=code("pimd/pimd_compare"),
    message:
        "Compare baths with path integrals"
    script:
        "../scripts/pimd/pimd_compare.py"


rule pimd_draw:
    input:
        comparison=rules.pimd_compare.output.dataset,
    output:
        png=report(
            f"{PIMD_FIGURE}.png",
            caption="../report/pimd.rst",
            category=QUESTIONS["bath"],
            labels={
                "figure": "path integrals, {pressure} GPa, {temperature} K",
                "campaign": CONFIG.campaign,
            },
        ),
        pdf=f"{PIMD_FIGURE}.pdf",
        svg=f"{PIMD_FIGURE}.svg",
    log:
        f"{LOGS}/pimd_draw/P{{pressure}}_T{{temperature}}.log",
    benchmark:
        f"{BENCHMARKS}/pimd_draw/P{{pressure}}_T{{temperature}}.tsv"
    localrule: True
    conda:
        "../../envs/plotting.yaml"
    threads: 1
    resources:
        mem_mb=PLAN.memory_mb("figures"),
        runtime=minutes("figures"),
    params:
        code=code("pimd/pimd_draw", "figures/publication.mplstyle"),
    message:
        "Draw path integrals beside baths at {wildcards.pressure} GPa, {wildcards.temperature} K"
    script:
        "../scripts/pimd/pimd_draw.py"


# A second start, of the run with most beads: `starts: [cubic, distorted]`.
DISTORTED_PIMD_RUN = f"distorted/{PIMD_RUN}"
MOST_BEADS = [
    (point.pressure, point.temperature, max(point.beads))
    for point in CONFIG.pimd.points
]


use rule pimd_run as pimd_run_distorted with:
    input:
        supercell=SUPERCELL,
        crystal=f"{DISTORTED}.xyz",
        model=ancient(CONFIG.potential.model),
    output:
        thermo=f"{POINTS}/{DISTORTED_PIMD_RUN}/thermo.nc",
        centroids=f"{POINTS}/{DISTORTED_PIMD_RUN}/centroids.nc",
        beads=f"{POINTS}/{DISTORTED_PIMD_RUN}/beads.nc",
        xml=f"{POINTS}/{DISTORTED_PIMD_RUN}/pimd.xml",
        start=f"{POINTS}/{DISTORTED_PIMD_RUN}/start.xyz",
    log:
        f"{LOGS}/{DISTORTED_PIMD_RUN}/pimd_run.log",
    benchmark:
        f"{BENCHMARKS}/{DISTORTED_PIMD_RUN}/pimd_run.tsv"
    params:
        scratch=f"{SCRATCH}/{DISTORTED_PIMD_RUN}",
        model_sha256=MODEL_SHA256,
        highest_THz=CONFIG.pimd.highest_THz,
        dynamics=CONFIG.pimd.options,
        seed=CONFIG.seed,
    message:
        "Path integrals at {wildcards.pressure} GPa, {wildcards.temperature} K, {wildcards.beads} beads from R-3m"


use rule pimd_analyse as pimd_analyse_distorted with:
    input:
        supercell=SUPERCELL,
        thermo=rules.pimd_run_distorted.output.thermo,
        centroids=rules.pimd_run_distorted.output.centroids,
        beads=rules.pimd_run_distorted.output.beads,
    output:
        summary=f"{POINTS}/{DISTORTED_PIMD_RUN}/summary.nc",
        distortion=f"{POINTS}/{DISTORTED_PIMD_RUN}/distortion.nc",
        correlations=f"{POINTS}/{DISTORTED_PIMD_RUN}/correlations.nc",
    log:
        f"{LOGS}/{DISTORTED_PIMD_RUN}/pimd_analyse.log",
    benchmark:
        f"{BENCHMARKS}/{DISTORTED_PIMD_RUN}/pimd_analyse.tsv"
    message:
        "Analyse path integrals at {wildcards.pressure} GPa, {wildcards.temperature} K, {wildcards.beads} beads from R-3m"


rule pimd_starts:
    input:
        cubic=[
            f"{POINTS}/{PIMD_RUN}/summary.nc".format(
                pressure=pressure, temperature=temperature, beads=beads
            )
            for pressure, temperature, beads in MOST_BEADS
        ],
        distorted=[
            f"{POINTS}/{DISTORTED_PIMD_RUN}/summary.nc".format(
                pressure=pressure, temperature=temperature, beads=beads
            )
            for pressure, temperature, beads in MOST_BEADS
        ],
        harmonic=[f"{RESULTS}/harmonic/P{pressure}.nc" for pressure, _, _ in MOST_BEADS],
    output:
        f"{RESULTS}/pimd/starts.md",
    log:
        f"{LOGS}/pimd_starts.log",
    benchmark:
        f"{BENCHMARKS}/pimd_starts.tsv"
    localrule: True
    conda:
        "../../envs/analysis.yaml"
    threads: 1
    resources:
        mem_mb=PLAN.memory_mb("phase_diagram"),
        runtime=minutes("phase_diagram"),
    params:
        runs=MOST_BEADS,
        code=code("pimd/pimd_starts"),
    message:
        "Compare path integrals from Fm-3m and from R-3m"
    script:
        "../scripts/pimd/pimd_starts.py"
