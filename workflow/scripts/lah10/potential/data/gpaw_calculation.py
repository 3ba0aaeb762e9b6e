"""Energy, forces and stress of one structure by GPAW.

Only `run_gpaw` imports GPAW: all else works, and is tested, without it.
"""

import functools
import sys
from importlib import metadata
from typing import TextIO

import numpy as np
from ase import Atoms

from lah10.config.training import Gpaw
from lah10.errors import UserError


class CalculationFailed(Exception):
    """A calculation that came to no result; its text gives the reason."""


@functools.cache
def versions() -> dict[str, str]:
    """Versions of what labels, as far as they are installed."""
    found = {}
    for package in ("gpaw", "gpaw-data", "ase", "numpy"):
        try:
            found[package] = metadata.version(package)
        except metadata.PackageNotFoundError:
            pass
    return found


def run_gpaw(
    atoms: Atoms, settings: Gpaw, text: TextIO | None = None
) -> tuple[float, np.ndarray, np.ndarray]:
    """Free energy (eV), forces (n, 3) (eV/Å) and stress (3, 3) (eV/Å3, ASE's sign) by GPAW.

    GPAW keeps some 250 MB of every calculation: call this once a process.

    Raises
    ------
    CalculationFailed
        The self-consistent field did not converge.
    UserError
        GPAW or its data sets are not installed.
    """
    try:
        from gpaw import GPAW, PW, ConvergenceError
    except ImportError as error:
        raise UserError(
            f"GPAW cannot be imported by {sys.executable} ({error}), and labelling needs it; "
            "install it with `make dft`, or let Snakemake do so with --sdm conda"
        ) from None
    occupations = {"name": settings.smearing}
    if settings.smearing != "improved-tetrahedron-method":
        occupations["width"] = settings.smearing_width
    if settings.smearing == "methfessel-paxton":
        occupations["order"] = 1
    if settings.kpoints is None:
        mesh = {"density": settings.kpoint_density, "gamma": True}
    else:
        mesh = {"size": settings.kpoints, "gamma": True}
    crystal = atoms.copy()
    try:
        crystal.calc = GPAW(
            mode=PW(settings.cutoff),
            xc=settings.xc,
            kpts=mesh,
            occupations=occupations,
            convergence={
                "energy": settings.energy_tolerance,
                "density": settings.density_tolerance,
            },
            maxiter=settings.iterations,
            txt=text,
        )
        energy = crystal.get_potential_energy(force_consistent=True)
        forces, stress = crystal.get_forces(), crystal.get_stress(voigt=False)
    except FileNotFoundError as error:
        raise UserError(
            f"GPAW does not find its data sets ({str(error).splitlines()[0]}); install gpaw-data, "
            "as `make dft` does, or set GPAW_SETUP_PATH"
        ) from None
    except ConvergenceError as error:
        reason = f": {error}" if str(error) else ""
        raise CalculationFailed(
            f"not converged within {settings.iterations} iterations "
            f"({type(error).__name__}{reason})"
        ) from None
    except Exception as error:
        # Whatever a density that diverged makes of the numbers: the other structures go on.
        reason = f": {error}" if str(error) else ""
        raise CalculationFailed(f"GPAW failed ({type(error).__name__}{reason})") from None
    return energy, forces, stress
