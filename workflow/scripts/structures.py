"""Rule structures: the perfect supercell in LAMMPS orientation."""

from lah10.logs import job_log
from lah10.structures import write_supercell

with job_log(snakemake.log[0]):
    write_supercell(
        snakemake.input[0],
        snakemake.params.cell,
        snakemake.params.repeat,
        snakemake.output[0],
    )
