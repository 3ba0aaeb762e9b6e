"""Rule analyse: everything that is measured at one point."""

from lah10 import logs

logs.start(snakemake.log[0])

from lah10.analysis.summary import analyse_point

analyse_point(
    supercell=snakemake.input.supercell,
    thermo=snakemake.input.thermo,
    spectra=snakemake.input.spectra,
    trajectory=snakemake.input.trajectory,
    outputs=dict(snakemake.output.items()),
    window_ps=snakemake.params.window_ps,
)
