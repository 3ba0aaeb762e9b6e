"""Static enthalpies of the phases by potentials and DFT, Fig. 1(a) and 1(b): `snakemake enthalpies`.

No part of `all`: they belong to the potentials, not to a campaign's grid. The potentials are those
of the boundary, by default the campaign's own. Crystals, labels and the published model are of this
checkout.
"""

ENTHALPIES = f"{RESULTS}/enthalpies"
FIG1 = [
    f"{RESULTS}/figures/fig1{panel}.{suffix}"
    for panel in "ab"
    for suffix in ("png", "pdf", "svg")
]


rule enthalpies:
    input:
        f"{ENTHALPIES}.nc",
        multiext(f"{ENTHALPIES}", ".md", ".html"),
        FIG1,


rule relax_phases:
    input:
        model=boundary_model,
        crystals=ancient(list(PHASES.values())),
    output:
        dataset=f"{ENTHALPIES}/{{potential}}.nc",
        crystals=f"{ENTHALPIES}/{{potential}}.xyz",
    log:
        f"{LOGS}/enthalpies/{{potential}}.log",
    benchmark:
        f"{BENCHMARKS}/enthalpies/{{potential}}.tsv"
    conda:
        "../../envs/dynamics.yaml"
    threads: 1
    resources:
        mem_mb=4000,
        runtime=120,
    params:
        model_sha256=boundary_sha256,
        crystals_sha256=[sha256(crystal) for crystal in PHASES.values()],
        phases=list(PHASES),
        highest=lambda wildcards: BOUNDARY_POTENTIALS[wildcards.potential].up_to,
        code=code("enthalpies/relax", "phonons/phonons.py", "phonons/relaxation.py"),
    message:
        "Relax the phases by {wildcards.potential}"
    script:
        "../scripts/enthalpies/relax.py"


rule merge_enthalpies:
    input:
        potentials=expand(
            rules.relax_phases.output.dataset, potential=BOUNDARY_POTENTIALS
        ),
        static=ancient(STATIC_DFT),
        path=ancient(PATH_LABELS),
        hessians=ancient(PATH_HESSIANS),
    output:
        dataset=f"{ENTHALPIES}.nc",
        table=f"{ENTHALPIES}.md",
        page=report(
            f"{ENTHALPIES}.html",
            caption="../report/fig1a.rst",
            category=QUESTIONS["phases"],
            labels={"figure": "Fig. 1(a), table", "campaign": CONFIG.campaign},
        ),
    log:
        f"{LOGS}/enthalpies/merge.log",
    benchmark:
        f"{BENCHMARKS}/enthalpies/merge.tsv"
    localrule: True
    conda:
        "../../envs/analysis.yaml"
    threads: 1
    resources:
        mem_mb=PLAN.memory_mb("phase_diagram"),
        runtime=minutes("phase_diagram"),
    params:
        names=list(BOUNDARY_POTENTIALS),
        labels_sha256=[
            sha256(path) for path in [STATIC_DFT, *PATH_LABELS, PATH_HESSIANS]
        ],
        pulay=STATIC_PULAY,
        code=code("enthalpies/merge"),
    message:
        f"Put the enthalpies of potentials and DFT side by side for {CONFIG.campaign}"
    script:
        "../scripts/enthalpies/merge.py"


rule draw_enthalpies:
    input:
        dataset=rules.merge_enthalpies.output.dataset,
        crystals=expand(
            rules.relax_phases.output.crystals, potential=BOUNDARY_POTENTIALS
        )[0],
    output:
        curves=[
            (
                report(
                    path,
                    caption="../report/fig1a.rst",
                    category=QUESTIONS["phases"],
                    labels={"figure": "Fig. 1(a)", "campaign": CONFIG.campaign},
                )
                if path.endswith("png")
                else path
            )
            for path in FIG1[:3]
        ],
        phases=[
            (
                report(
                    path,
                    caption="../report/fig1b.rst",
                    category=QUESTIONS["phases"],
                    labels={"figure": "Fig. 1(b)", "campaign": CONFIG.campaign},
                )
                if path.endswith("png")
                else path
            )
            for path in FIG1[3:]
        ],
    log:
        f"{LOGS}/enthalpies/draw.log",
    benchmark:
        f"{BENCHMARKS}/enthalpies/draw.tsv"
    localrule: True
    conda:
        "../../envs/plotting.yaml"
    threads: 1
    resources:
        mem_mb=PLAN.memory_mb("figures"),
        runtime=minutes("figures"),
    params:
        code=code("enthalpies/draw", "figures/publication.mplstyle"),
    message:
        f"Draw the enthalpies and the phases of {CONFIG.campaign}"
    script:
        "../scripts/enthalpies/draw.py"
