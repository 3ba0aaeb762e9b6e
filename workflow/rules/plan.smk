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
        },
    message:
        "Plan campaign {CONFIG.campaign}"
    script:
        "../scripts/plan.py"
