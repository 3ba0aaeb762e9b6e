"""Rule analyse: everything that is measured at one point."""

from lah10 import logs

logs.start(snakemake.log[0])

from lah10.analysis.summary import analyse_point

analyse_point(
    snakemake.input.trajectory,
    snakemake.input.thermo,
    snakemake.input.spectra,
    snakemake.input.supercell,
    **{f"{name}_out": path for name, path in snakemake.output.items()},
    window=snakemake.params.window_ps,
    seed=snakemake.params.seed,
)
