"""Files of a made-up path-integral run with known answers, by the package's own writers."""

from pathlib import Path

import numpy as np

from crystals import supercell
from lah10 import units
from lah10.analysis.energetics import degrees_of_freedom
from lah10.crystal import structures
from lah10.crystal.trajectory import write_trajectory
from lah10.io import netcdf
from lah10.pimd import records
from lah10.pimd.beads import spring_frequencies

MASSES = np.array([138.9055, 1.00794])
#: Kinetic temperatures of La and H, K; volume per formula unit, Å³; spread of beads, Å.
ANSWERS = {"kinetic": (150.0, 860.0), "volume": 33.5, "spread": 0.1}


def write_run(
    folder: Path,
    beads: int = 16,
    kept: int = 4,
    frames: int = 40,
    temperature: float = 100.0,
    answers=ANSWERS,
    status: str = "ok",
    seed: int = 0,
) -> dict[str, Path]:
    """A cubic crystal whose centroids tremble a little round their sites, beads much more.

    Beads are independent Gaussians about the site of their atom: their spread is the crystal's.
    """
    rng = np.random.default_rng(seed)
    folder.mkdir(parents=True, exist_ok=True)
    template = supercell()
    counts = np.array([(template.numbers == z).sum() for z in (57, 1)])
    scale = (answers["volume"] * counts[0] / template.get_volume()) ** (1 / 3)
    template.set_cell(template.cell.array * scale, scale_atoms=True)
    structures.write_supercell(folder / "supercell.xyz", template)

    rows = 10 * frames
    freedom = degrees_of_freedom(counts, MASSES)
    share = counts * MASSES / (counts * MASSES).sum()  # of the centre of mass
    mean = (
        0.5 * units.BOLTZMANN * (freedom * np.array(answers["kinetic"]) + 3 * temperature * share)
    )
    cell = np.repeat(template.cell.array[None], rows, axis=0)
    series = {
        "potential_energy": -500 + rng.normal(size=rows),
        "kinetic_energy": mean * (1 + 0.02 * rng.normal(size=(rows, 2))),
        "pressure": 150 + rng.normal(size=(rows, 6)),
        "volume": np.linalg.det(cell) * (1 + 0.002 * rng.normal(size=rows)),
        "cell": cell,
        "bead_temperature": temperature * (1 + 0.02 * rng.normal(size=rows)),
        "conserved_energy": np.full(rows, -400.0),
    }
    attrs = {
        "status": status, "status_message": "" if status == "ok" else "made up",
        "campaign": "made-up", "bath": "pimd", "pressure_GPa": 150.0,
        "temperature_K": temperature, "beads": beads, "springs": "trotter", "timestep_fs": 0.5,
        "seed": seed, "config": "{}", "versions": "{}", "fingerprint": "f", "wall_seconds": 1.0,
        "ps_per_hour": 2.0, "potential": "none.pb", "potential_sha256": "0" * 64,
    }  # fmt: skip
    if status != "ok":
        series, rows = {}, 0
    springs = spring_frequencies(beads, temperature, None)
    paths = {name: folder / f"{name}.nc" for name in ("thermo", "centroids", "beads")}
    netcdf.write(
        records.thermo_dataset(0.002 * np.arange(rows), series, MASSES, counts, springs, attrs),
        paths["thermo"],
    )

    def trembling(sigma, many):
        for frame in range(frames if status == "ok" else 0):
            for _ in range(many):
                away = sigma * rng.normal(size=(len(template), 3))
                yield 0.02 * frame, template.cell.array, template.positions + away

    numbers = template.numbers
    write_trajectory(paths["centroids"], numbers, trembling(0.01, 1), "centroids")
    write_trajectory(paths["beads"], numbers, trembling(answers["spread"], kept), "beads")
    return paths | {"supercell": folder / "supercell.xyz"}
