"""Points a second time, from R-3m: `starts: [cubic, distorted]`. Where the phases of the two starts
differ, what is stable is not known: `hysteresis` in the dataset.
"""

DISTORTED = f"{RESULTS}/structures/distorted"
DISTORTED_POINT = f"distorted/{POINT}"


def of_distorted_points(name):
    """The file `name` of every point that starts from R-3m."""
    return [
        f"{POINTS}/{DISTORTED_POINT}/{name}".format(
            bath=bath, pressure=pressure, temperature=temperature
        )
        for bath, pressure, temperature in CONFIG.distorted_points
    ]


rule structures_distorted:
    input:
        supercell=SUPERCELL,
        crystal=ancient(CRYSTALS[1]),
    output:
        supercell=f"{DISTORTED}.xyz",
        data=f"{DISTORTED}.data",
    log:
        f"{LOGS}/structures_distorted.log",
    benchmark:
        f"{BENCHMARKS}/structures_distorted.tsv"
    localrule: True
    conda:
        "../../envs/analysis.yaml"
    threads: 1
    resources:
        mem_mb=PLAN.memory_mb("structures"),
        runtime=minutes("structures"),
    message:
        "Distort the supercell as R-3m is"
    script:
        "../scripts/structures/distorted.py"


use rule equilibrate as equilibrate_distorted with:
    input:
        unpack(neighbour("distorted", f"{POINTS}/distorted")),
        supercell=SUPERCELL,
        supercell_data=f"{DISTORTED}.data",
        model=ancient(CONFIG.potential.model),
    output:
        thermo=f"{POINTS}/{DISTORTED_POINT}/equilibration.nc",
        restart=f"{POINTS}/{DISTORTED_POINT}/equilibrated.restart",
        commands=f"{POINTS}/{DISTORTED_POINT}/equilibrate.lmp",
    log:
        f"{LOGS}/{DISTORTED_POINT}/equilibrate.log",
    benchmark:
        f"{BENCHMARKS}/{DISTORTED_POINT}/equilibrate.tsv"
    params:
        scratch=f"{SCRATCH}/{DISTORTED_POINT}/equilibrate",
        model_sha256=MODEL_SHA256,
        bath_options=lambda wildcards: CONFIG.bath_options(
            "equilibrate", wildcards.bath
        ),
        dynamics=lambda wildcards: CONFIG.dynamics_options(
            "equilibrate", wildcards.bath
        ),
        seed=CONFIG.seed,
        start="distorted",
    message:
        f"Equilibrate {{wildcards.bath}} at {{wildcards.pressure}} GPa, {{wildcards.temperature}} K from R-3m{ALONG['distorted']}"


use rule produce as produce_distorted with:
    input:
        supercell=SUPERCELL,
        supercell_data=f"{DISTORTED}.data",
        restart=rules.equilibrate_distorted.output.restart,
        equilibration=rules.equilibrate_distorted.output.thermo,
        model=ancient(CONFIG.potential.model),
        committee=ancient(CONFIG.potential.committee),
    output:
        **end_of_production(f"{POINTS}/{DISTORTED_POINT}"),
        thermo=f"{POINTS}/{DISTORTED_POINT}/thermo.nc",
        spectra=f"{POINTS}/{DISTORTED_POINT}/spectra.nc",
        trajectory=(
            f"{POINTS}/{DISTORTED_POINT}/trajectory.nc"
            if CONFIG.keep_trajectories
            else temp(f"{POINTS}/{DISTORTED_POINT}/trajectory.nc")
        ),
        commands=f"{POINTS}/{DISTORTED_POINT}/produce.lmp",
    log:
        f"{LOGS}/{DISTORTED_POINT}/produce.log",
    benchmark:
        f"{BENCHMARKS}/{DISTORTED_POINT}/produce.tsv"
    params:
        scratch=f"{SCRATCH}/{DISTORTED_POINT}/produce",
        model_sha256=MODEL_SHA256,
        committee_sha256=COMMITTEE_SHA256,
        bath_options=lambda wildcards: CONFIG.bath_options("produce", wildcards.bath),
        dynamics=lambda wildcards: CONFIG.dynamics_options("produce", wildcards.bath),
        seed=CONFIG.seed,
        start="distorted",
    message:
        "Produce {wildcards.bath} at {wildcards.pressure} GPa, {wildcards.temperature} K from R-3m"


use rule analyse as analyse_distorted with:
    input:
        supercell=SUPERCELL,
        thermo=rules.produce_distorted.output.thermo,
        spectra=rules.produce_distorted.output.spectra,
        trajectory=rules.produce_distorted.output.trajectory,
    output:
        distortion=f"{POINTS}/{DISTORTED_POINT}/distortion.nc",
        diffusion=f"{POINTS}/{DISTORTED_POINT}/diffusion.nc",
        energetics=f"{POINTS}/{DISTORTED_POINT}/energetics.nc",
        correlations=f"{POINTS}/{DISTORTED_POINT}/correlations.nc",
        summary=f"{POINTS}/{DISTORTED_POINT}/summary.nc",
    log:
        f"{LOGS}/{DISTORTED_POINT}/analyse.log",
    benchmark:
        f"{BENCHMARKS}/{DISTORTED_POINT}/analyse.tsv"
    message:
        "Analyse {wildcards.bath} at {wildcards.pressure} GPa, {wildcards.temperature} K from R-3m"
