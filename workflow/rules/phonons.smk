"""The harmonic crystal of the same potential, with which the quantum bath's energies are compared."""

# Their dates do not count: a fresh clone has new ones.
CRYSTALS = [
    lah10.config.importing.located(f"resources/structures/{name}.cif", BASE)
    for name in ("Fm-3m", "R-3m", "C2c")
]


rule harmonic:
    input:
        model=ancient(CONFIG.potential.model),
        crystals=ancient(CRYSTALS),
    output:
        f"{RESULTS}/harmonic/P{{pressure}}.nc",
    log:
        f"{LOGS}/harmonic/P{{pressure}}.log",
    benchmark:
        f"{BENCHMARKS}/harmonic/P{{pressure}}.tsv"
    conda:
        "../../envs/dynamics.yaml"
    threads: 1
    resources:
        mem_mb=PLAN.memory_mb("harmonic"),
        runtime=minutes("harmonic"),
        cpus_per_task=1,
    params:
        **isotopes_param(ISOTOPES),
        model_sha256=MODEL_SHA256,
        crystals_sha256=[sha256(crystal) for crystal in CRYSTALS],
    message:
        "Phonons of the relaxed crystal at {wildcards.pressure} GPa"
    script:
        "../scripts/phonons/harmonic.py"
