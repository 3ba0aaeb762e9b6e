"""Free energy along the cell's angle, and the line where both phases have one: `snakemake boundary`.

A window is a run in a cell of fixed shape, one for each angle, state, kind of nuclei and potential.
No part of `all`: a campaign's grid need not have it.
"""

from lah10.config.boundary import PUBLISHED

BOUNDARY = f"{RESULTS}/boundary"
#: One window, below the folders of results, logs, benchmarks and scratch.
WINDOW = "{potential}/{nuclei}/P{gpa}_T{kelvin}/angle{angle}"
CLASSICAL_WINDOW = "{potential}/classical/P{gpa}_T{kelvin}/angle{angle}"
PIMD_WINDOW = "{potential}/pimd/P{gpa}_T{kelvin}/angle{angle}/beads{beads}"
BOUNDARY_POTENTIALS = CONFIG.boundary_potentials
BOUNDARY_CURVES = CONFIG.boundary.runs(BOUNDARY_POTENTIALS)
SHEARED = f"{BOUNDARY}/structures/angle{{angle}}"


wildcard_constraints:
    potential="|".join(map(re.escape, BOUNDARY_POTENTIALS)),
    nuclei="classical|pimd",
    gpa=r"\d+(\.\d+)?",
    kelvin=r"\d+(\.\d+)?",
    angle="|".join(map(re.escape, CONFIG.boundary.angles)),


def boundary_model(wildcards):
    """The graph of a potential; the published one is fetched first."""
    model = BOUNDARY_POTENTIALS[wildcards.potential].model
    return PUBLISHED_MODEL if model == PUBLISHED else ancient(model)


def boundary_sha256(wildcards):
    """The content of a potential, by which its windows run again; the manifest's if fetched."""
    model = BOUNDARY_POTENTIALS[wildcards.potential].model
    return sha256(PUBLISHED_MANIFEST if model == PUBLISHED else model)


def of_boundary_windows():
    """The measured windows of every curve."""
    return [
        f"{BOUNDARY}/{WINDOW}/window.nc".format(
            potential=potential, nuclei=nuclei, gpa=gpa, kelvin=kelvin, angle=angle
        )
        for potential, nuclei, gpa, kelvin in BOUNDARY_CURVES
        for angle in CONFIG.boundary.angles
    ]


def boundary_windows(wildcards):
    """What the boundary is made of, if there is anything."""
    if not BOUNDARY_CURVES:
        raise WorkflowError(
            f"campaign {CONFIG.campaign} has no states for a boundary; name some in its "
            "configuration, as config/boundary.yaml does: boundary.classical, boundary.pimd"
        )
    return of_boundary_windows()


def boundary_run(wildcards):
    """What one window's run left."""
    if wildcards.nuclei == "classical":
        folder = f"{BOUNDARY}/{CLASSICAL_WINDOW}".format(**wildcards)
        trajectory = "trajectory.nc"
    else:
        beads = CONFIG.boundary.beads(wildcards.gpa, wildcards.kelvin)
        folder = f"{BOUNDARY}/{PIMD_WINDOW}".format(beads=beads, **wildcards)
        trajectory = "centroids.nc"
    return {
        "thermo": f"{folder}/thermo.nc",
        "trajectory": f"{folder}/{trajectory}",
    }


rule boundary:
    input:
        f"{BOUNDARY}.nc",
        multiext(f"{BOUNDARY}", ".md", ".html"),
        multiext(f"{RESULTS}/figures/boundary", ".png", ".pdf", ".svg"),


rule boundary_structure:
    input:
        supercell=SUPERCELL,
    output:
        supercell=f"{SHEARED}.xyz",
        data=f"{SHEARED}.data",
    log:
        f"{LOGS}/boundary/structures/angle{{angle}}.log",
    benchmark:
        f"{BENCHMARKS}/boundary/structures/angle{{angle}}.tsv"
    localrule: True
    conda:
        "../../envs/analysis.yaml"
    threads: 1
    resources:
        mem_mb=PLAN.memory_mb("structures"),
        runtime=minutes("structures"),
    message:
        "Shear the supercell to {wildcards.angle} degree"
    script:
        "../scripts/boundary/structure.py"


rule boundary_equilibrate:
    input:
        supercell=SUPERCELL,
        supercell_data=f"{SHEARED}.data",
        model=boundary_model,
    output:
        thermo=f"{BOUNDARY}/{CLASSICAL_WINDOW}/equilibration.nc",
        restart=f"{BOUNDARY}/{CLASSICAL_WINDOW}/equilibrated.restart",
        commands=f"{BOUNDARY}/{CLASSICAL_WINDOW}/equilibrate.lmp",
    log:
        f"{LOGS}/boundary/{CLASSICAL_WINDOW}/equilibrate.log",
    benchmark:
        f"{BENCHMARKS}/boundary/{CLASSICAL_WINDOW}/equilibrate.tsv"
    retries: RETRIES
    conda:
        "../../envs/dynamics.yaml"
    threads: PLAN.ranks
    resources:
        mem_mb=PLAN.memory_mb("equilibrate"),
        runtime=lambda wildcards, threads, attempt: (
            attempt * PLAN.window_runtime("classical", cores=threads)
        ),
        cpus_per_task=lambda wildcards, threads: threads,
    params:
        scratch=f"{SCRATCH}/boundary/{CLASSICAL_WINDOW}/equilibrate",
        model_sha256=boundary_sha256,
        bath_options=CONFIG.bath_options("equilibrate", "classical"),
        dynamics=CONFIG.window_options("equilibrate"),
        volume_period_ps=CONFIG.boundary.volume_period,
        seed=CONFIG.seed,
    message:
        "Equilibrate a window at {wildcards.angle} degree: {wildcards.potential}, classical, {wildcards.gpa} GPa, {wildcards.kelvin} K"
    script:
        "../scripts/boundary/window.py"


rule boundary_produce:
    input:
        supercell=SUPERCELL,
        supercell_data=f"{SHEARED}.data",
        restart=rules.boundary_equilibrate.output.restart,
        equilibration=rules.boundary_equilibrate.output.thermo,
        model=boundary_model,
    output:
        thermo=f"{BOUNDARY}/{CLASSICAL_WINDOW}/thermo.nc",
        spectra=f"{BOUNDARY}/{CLASSICAL_WINDOW}/spectra.nc",
        trajectory=(
            f"{BOUNDARY}/{CLASSICAL_WINDOW}/trajectory.nc"
            if CONFIG.keep_trajectories
            else temp(f"{BOUNDARY}/{CLASSICAL_WINDOW}/trajectory.nc")
        ),
        commands=f"{BOUNDARY}/{CLASSICAL_WINDOW}/produce.lmp",
    log:
        f"{LOGS}/boundary/{CLASSICAL_WINDOW}/produce.log",
    benchmark:
        f"{BENCHMARKS}/boundary/{CLASSICAL_WINDOW}/produce.tsv"
    retries: RETRIES
    conda:
        "../../envs/dynamics.yaml"
    threads: PLAN.ranks
    resources:
        mem_mb=PLAN.memory_mb("produce"),
        runtime=lambda wildcards, threads, attempt: (
            attempt * PLAN.window_runtime("classical", cores=threads)
        ),
        cpus_per_task=lambda wildcards, threads: threads,
    params:
        scratch=f"{SCRATCH}/boundary/{CLASSICAL_WINDOW}/produce",
        model_sha256=boundary_sha256,
        bath_options=CONFIG.bath_options("produce", "classical"),
        dynamics=CONFIG.window_options("produce"),
        volume_period_ps=CONFIG.boundary.volume_period,
        seed=CONFIG.seed,
    message:
        "Run a window at {wildcards.angle} degree: {wildcards.potential}, classical, {wildcards.gpa} GPa, {wildcards.kelvin} K"
    script:
        "../scripts/boundary/window.py"


rule boundary_pimd:
    input:
        supercell=f"{SHEARED}.xyz",
        model=boundary_model,
    output:
        thermo=f"{BOUNDARY}/{PIMD_WINDOW}/thermo.nc",
        centroids=f"{BOUNDARY}/{PIMD_WINDOW}/centroids.nc",
        beads=temp(f"{BOUNDARY}/{PIMD_WINDOW}/beads.nc"),
        xml=f"{BOUNDARY}/{PIMD_WINDOW}/pimd.xml",
        start=f"{BOUNDARY}/{PIMD_WINDOW}/start.xyz",
    log:
        f"{LOGS}/boundary/{PIMD_WINDOW}/pimd.log",
    benchmark:
        f"{BENCHMARKS}/boundary/{PIMD_WINDOW}/pimd.tsv"
    retries: RETRIES
    conda:
        "../../envs/pimd.yaml"
    threads: 1
    resources:
        mem_mb=lambda wildcards: PLAN.pimd_memory_mb(int(wildcards.beads)),
        runtime=lambda wildcards, attempt: (
            attempt * PLAN.window_runtime("pimd", int(wildcards.beads))
        ),
        cpus_per_task=lambda wildcards, threads: threads,
    params:
        scratch=f"{SCRATCH}/boundary/{PIMD_WINDOW}",
        model_sha256=boundary_sha256,
        highest_THz=CONFIG.pimd.highest_THz,
        dynamics=CONFIG.pimd_window_options,
        volume_period_ps=CONFIG.boundary.volume_period,
        seed=CONFIG.seed,
    message:
        "Run a window at {wildcards.angle} degree: {wildcards.potential}, path integrals, {wildcards.gpa} GPa, {wildcards.kelvin} K, {wildcards.beads} beads"
    script:
        "../scripts/boundary/pimd_window.py"


rule boundary_measure:
    input:
        unpack(boundary_run),
        supercell=SUPERCELL,
    output:
        f"{BOUNDARY}/{WINDOW}/window.nc",
    log:
        f"{LOGS}/boundary/{WINDOW}/measure.log",
    benchmark:
        f"{BENCHMARKS}/boundary/{WINDOW}/measure.tsv"
    localrule: ANALYSE_HERE
    conda:
        "../../envs/analysis.yaml"
    threads: 1
    resources:
        mem_mb=PLAN.memory_mb("analyse"),
        runtime=minutes("analyse"),
    params:
        code=code("boundary/measure"),
    message:
        "Measure the window at {wildcards.angle} degree: {wildcards.potential}, {wildcards.nuclei}, {wildcards.gpa} GPa, {wildcards.kelvin} K"
    script:
        "../scripts/boundary/measure.py"


rule boundary_merge:
    input:
        windows=boundary_windows,
    output:
        dataset=f"{BOUNDARY}.nc",
        table=f"{BOUNDARY}.md",
        page=report(
            f"{BOUNDARY}.html",
            caption="../report/boundary_table.rst",
            category=QUESTIONS["phases"],
            labels={"figure": "free energies, table", "campaign": CONFIG.campaign},
        ),
    log:
        f"{LOGS}/boundary/merge.log",
    benchmark:
        f"{BENCHMARKS}/boundary/merge.tsv"
    localrule: True
    conda:
        "../../envs/analysis.yaml"
    threads: 1
    resources:
        mem_mb=PLAN.memory_mb("phase_diagram"),
        runtime=minutes("phase_diagram"),
    params:
        curves=BOUNDARY_CURVES,
        windows=len(CONFIG.boundary.angles),
        code=code("boundary/merge"),
    message:
        f"Integrate the windows of campaign {CONFIG.campaign} to free energies"
    script:
        "../scripts/boundary/merge.py"


rule boundary_draw:
    input:
        boundary=rules.boundary_merge.output.dataset,
    output:
        png=report(
            f"{RESULTS}/figures/boundary.png",
            caption="../report/boundary.rst",
            category=QUESTIONS["phases"],
            labels={"figure": "free energies", "campaign": CONFIG.campaign},
        ),
        pdf=f"{RESULTS}/figures/boundary.pdf",
        svg=f"{RESULTS}/figures/boundary.svg",
    log:
        f"{LOGS}/boundary/draw.log",
    benchmark:
        f"{BENCHMARKS}/boundary/draw.tsv"
    localrule: True
    conda:
        "../../envs/plotting.yaml"
    threads: 1
    resources:
        mem_mb=PLAN.memory_mb("figures"),
        runtime=minutes("figures"),
    params:
        code=code("boundary/draw", "figures/publication.mplstyle"),
    message:
        f"Draw free energies and the boundary of campaign {CONFIG.campaign}"
    script:
        "../scripts/boundary/draw.py"
