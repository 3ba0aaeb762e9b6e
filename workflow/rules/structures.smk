rule structures:
    input:
        CONFIG.structure.file,
    output:
        supercell=SUPERCELL,
        data=SUPERCELL_DATA,
    log:
        f"{LOGS}/structures.log",
    benchmark:
        f"{BENCHMARKS}/structures.tsv"
    localrule: True
    conda:
        "../../envs/analysis.yaml"
    threads: 1
    resources:
        mem_mb=PLAN.memory_mb("structures"),
        runtime=minutes("structures"),
    params:
        **isotopes_param(CONFIG.structure.isotopes),
        cell=CONFIG.structure.cell,
        repeat=CONFIG.structure.repeat,
    message:
        f"Build the supercell of {CONFIG.n_atoms} atoms"
    script:
        "../scripts/structures/structures.py"
