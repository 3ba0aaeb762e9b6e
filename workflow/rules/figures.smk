"""The figures of the campaign, and `snakemake figures`, which draws those of every campaign."""

#: As lah10.figures.campaign.figure_names has them; a test keeps the two in step.
FIGURE_NAMES = [
    *(f"fig2a_{bath}" for bath in CONFIG.baths),
    "fig2b",
    "fig3a",
    "fig3b",
    "fig4",
    "fig5",
    "fig6",
]
#: Which question of the report a figure answers, by the start of its name.
FIGURE_QUESTIONS = {
    "fig2": "phases",
    "fig3": "quantum",
    "fig4": "diffusion",
    "fig5": "diffusion",
    "fig6": "lattice",
}


def figure_about(path):
    return FIGURE_QUESTIONS[Path(path).stem[:4]]


def figure_title(path):
    """ "Fig. 2(a), qtb" of fig2a_qtb.png."""
    name, _, bath = Path(path).stem.partition("_")
    number, panel = name[3], name[4:]
    return f"Fig. {number}" + f"({panel})" * bool(panel) + f", {bath}" * bool(bath)


FIGURES = [f"{RESULTS}/figures/{name}.png" for name in FIGURE_NAMES]
FIGURES_IN_VECTORS = [
    f"{RESULTS}/figures/{name}.{suffix}"
    for name in FIGURE_NAMES
    for suffix in ("pdf", "svg")
]


rule draw:
    input:
        phase_diagram=f"{RESULTS}/phase_diagram.nc",
    output:
        [
            report(
                path,
                caption=f"../report/{Path(path).stem.partition('_')[0]}.rst",
                category=QUESTIONS[figure_about(path)],
                labels={"figure": figure_title(path), "campaign": CONFIG.campaign},
            )
            for path in FIGURES
        ],
        FIGURES_IN_VECTORS,
        f"{RESULTS}/figures/fig4.xyz",
    log:
        f"{LOGS}/draw.log",
    benchmark:
        f"{BENCHMARKS}/draw.tsv"
    localrule: True
    conda:
        "../../envs/plotting.yaml"
    threads: 1
    resources:
        mem_mb=PLAN.memory_mb("figures"),
        runtime=minutes("figures"),
    params:
        code=code("figures/draw", "figures/publication.mplstyle"),
    message:
        f"Draw the figures of campaign {CONFIG.campaign}"
    script:
        "../scripts/figures/draw.py"


# Without inputs: it takes what is there and never starts a simulation, also in a fresh clone.
rule figures:
    log:
        "logs/figures.log",
    localrule: True
    conda:
        "../../envs/plotting.yaml"
    threads: 1
    resources:
        mem_mb=PLAN.memory_mb("figures"),
        runtime=minutes("figures"),
    message:
        "Draw the figures of every results/**/phase_diagram.nc"
    script:
        "../scripts/figures/figures.py"
