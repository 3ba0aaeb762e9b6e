"""Molecular dynamics, two jobs a point: one forgets the starting structure, one measures.

Neither the package's modules nor the model's date count as inputs: mended code must not throw away
months of trajectories. The model's content counts, through its SHA-256 in `params`.
"""

from lah10.io.files import sha256

MODEL_SHA256 = sha256(CONFIG.potential.model)
COMMITTEE_SHA256 = [sha256(model) for model in CONFIG.potential.committee]
#: In messages of jobs, by the crystal that points start from.
ALONG = (
    {"cubic": "", "distorted": ""}
    if CONFIG.sweep == "none"
    else {"cubic": ", cooling", "distorted": ", heating"}
)


def neighbour(start, folder):
    """Input function of an equilibration: in a sweep, the end of the run at the neighbour's
    temperature; nothing where the point starts from its crystal."""

    def files(wildcards):
        temperature = CONFIG.neighbour(start, wildcards.temperature)
        if temperature is None:
            return {}
        point = f"{folder}/{wildcards.bath}/P{wildcards.pressure}_T{temperature}"
        return {"restart": f"{point}/produced.restart", "before": f"{point}/thermo.nc"}

    return files


def end_of_production(point):
    """Output of a production whose end a neighbour starts from."""
    return {"produced": f"{point}/produced.restart"} if CONFIG.sweep != "none" else {}


rule equilibrate:
    input:
        unpack(neighbour("cubic", POINTS)),
        supercell=SUPERCELL,
        supercell_data=SUPERCELL_DATA,
        model=ancient(CONFIG.potential.model),
    output:
        thermo=f"{POINTS}/{POINT}/equilibration.nc",
        restart=f"{POINTS}/{POINT}/equilibrated.restart",
        commands=f"{POINTS}/{POINT}/equilibrate.lmp",
    log:
        f"{LOGS}/{POINT}/equilibrate.log",
    benchmark:
        f"{BENCHMARKS}/{POINT}/equilibrate.tsv"
    retries: RETRIES
    conda:
        "../../envs/dynamics.yaml"
    threads: PLAN.ranks
    resources:
        mem_mb=PLAN.memory_mb("equilibrate"),
        runtime=minutes("equilibrate"),
        cpus_per_task=lambda wildcards, threads: threads,
    params:
        scratch=f"{SCRATCH}/{POINT}/equilibrate",
        model_sha256=MODEL_SHA256,
        bath_options=lambda wildcards: CONFIG.bath_options(
            "equilibrate", wildcards.bath
        ),
        dynamics=lambda wildcards: CONFIG.dynamics_options(
            "equilibrate", wildcards.bath
        ),
        seed=CONFIG.seed,
    message:
        f"Equilibrate {{wildcards.bath}} at {{wildcards.pressure}} GPa, {{wildcards.temperature}} K{ALONG['cubic']}"
    script:
        "../scripts/dynamics/dynamics.py"


rule produce:
    input:
        supercell=SUPERCELL,
        supercell_data=SUPERCELL_DATA,
        restart=rules.equilibrate.output.restart,
        equilibration=rules.equilibrate.output.thermo,
        model=ancient(CONFIG.potential.model),
        committee=ancient(CONFIG.potential.committee),
    output:
        **end_of_production(f"{POINTS}/{POINT}"),
        thermo=f"{POINTS}/{POINT}/thermo.nc",
        spectra=f"{POINTS}/{POINT}/spectra.nc",
        trajectory=(
            f"{POINTS}/{POINT}/trajectory.nc"
            if CONFIG.keep_trajectories
            else temp(f"{POINTS}/{POINT}/trajectory.nc")
        ),
        commands=f"{POINTS}/{POINT}/produce.lmp",
    log:
        f"{LOGS}/{POINT}/produce.log",
    benchmark:
        f"{BENCHMARKS}/{POINT}/produce.tsv"
    retries: RETRIES
    conda:
        "../../envs/dynamics.yaml"
    threads: PLAN.ranks
    resources:
        mem_mb=PLAN.memory_mb("produce"),
        runtime=minutes("produce"),
        cpus_per_task=lambda wildcards, threads: threads,
    params:
        scratch=f"{SCRATCH}/{POINT}/produce",
        model_sha256=MODEL_SHA256,
        committee_sha256=COMMITTEE_SHA256,
        bath_options=lambda wildcards: CONFIG.bath_options("produce", wildcards.bath),
        dynamics=lambda wildcards: CONFIG.dynamics_options("produce", wildcards.bath),
        seed=CONFIG.seed,
    message:
        "Produce {wildcards.bath} at {wildcards.pressure} GPa, {wildcards.temperature} K"
    script:
        "../scripts/dynamics/dynamics.py"
