"""Section `labels`: structures to label, and labels that other codes gave."""

from typing import Annotated, Literal

from pydantic import Field

from lah10.config.quantities import quantity
from lah10.config.runs import Name, Positive
from lah10.config.section import Section

#: The folder of what GPAW labelled, beside those of `labels.outputs`.
GPAW_SYSTEMS = "gpaw"


class Gpaw(Section):
    """How GPAW labels a structure; by default as the project's own frames were labelled.

    With denser k-points than those, forces change by 0.04 eV/Å and pressures by 0.4 GPa, see
    resources/dataset/lah10-gpaw-pbe.
    """

    xc: Annotated[str, Field(min_length=1)] = Field(
        "PBE", description="Exchange and correlation, by a name of GPAW's."
    )
    cutoff: quantity("eV", "600 eV") = Field("600 eV", description="Cut-off of the plane waves.")
    kpoint_density: quantity("Å", "2.9 Å") = Field(
        "2.9 Å", description="Γ-centred k-points per Å⁻¹ along each reciprocal vector."
    )
    kpoints: tuple[Positive, Positive, Positive] | None = Field(
        None,
        description="A Γ-centred mesh such as `[14, 14, 14]` in place of the density. Structures "
        "whose energies are compared need one cell and one mesh.",
    )
    smearing: Literal[
        "methfessel-paxton", "fermi-dirac", "marzari-vanderbilt", "improved-tetrahedron-method"
    ] = Field(
        "methfessel-paxton",
        description="Smearing of the occupations; Methfessel-Paxton is of order 1. The improved "
        "tetrahedron method integrates between k-points instead: energies of the crystals at rest "
        "converge smoothly with the mesh.",
    )
    smearing_width: quantity("eV", "0.2 eV") = Field(
        "0.2 eV", description="Width of the smearing; tetrahedra have none."
    )
    energy_tolerance: quantity("eV", "2e-5 eV") = Field(
        "2e-5 eV",
        description="Largest change of the energy in the last iterations, per valence electron.",
    )
    density_tolerance: Annotated[float, Field(gt=0, lt=1)] = Field(
        2e-5,
        description="Largest change of the density in the last iteration, electrons per valence "
        "electron.",
    )
    iterations: Positive = Field(
        333,
        description="Iterations after which a calculation has failed. "
        "`results/potential/labels/<structure>.xyz` gives the reason. It is tried again when the "
        "settings change or that file is removed.",
    )


class Labels(Section):
    """What is labelled, and labels that other codes gave."""

    structures: str = Field(
        "none",
        description="Structures of La and H to label with GPAW: a file in any format of ASE's; a "
        "folder of files `*.xyz`, `*.extxyz`, `*.cif`, `*.vasp`, `*.traj`, `POSCAR*`, `CONTCAR*`; "
        "or `none`. `snakemake labels` labels them, one job each (`--groups label=labels "
        "--group-components labels=20` makes fewer, longer Slurm jobs), and gathers them in "
        f"`results/potential/labelled/{GPAW_SYSTEMS}`.",
    )
    gpaw: Gpaw = Field(default_factory=Gpaw, description="How they are labelled.")
    phonon_kpoint_density: quantity("Å", "5 Å") = Field(
        "5 Å",
        description="The k-points for the forces of phonons (`snakemake phonon_dft`), whose small "
        "displacements need more of them. All else is as in `labels.gpaw`.",
    )
    outputs: dict[Name, str] = Field(
        default_factory=dict,
        description="Outputs of other codes, such as `{my-vasp: path}`: a file, or a folder that "
        "is searched for `OUTCAR*` and `vasprun*.xml` of VASP and `*.out` of `pw.x` (single "
        "calculations with forces and stress, beside their input `*.in`). The labels go to "
        "`results/potential/labelled/my-vasp`. A truncated output is refused; `left_out.txt` lists "
        "frames that did not converge.",
    )

    @property
    def structures_path(self) -> str | None:
        return None if self.structures == "none" else self.structures

    @property
    def phonons(self) -> Gpaw:
        """How the displaced crystals of the phonons are labelled."""
        return self.gpaw.model_copy(update={"kpoint_density": self.phonon_kpoint_density})
