"""The XML that i-PI reads: what is written beside a run and compared in tests.

Sampling
--------
BAOAB splitting with the Cayley form of the free ring polymer (R. Korol, N. Bou-Rabee,
T. F. Miller III, J. Chem. Phys. 151, 124103 (2019)): at 0.5 fs the energy of a mode of 70 THz is
0.2 % off, with OBABO 1.4 %. PILE-L thermostats (M. Ceriotti, M. Parrinello, T. E. Markland,
D. E. Manolopoulos, J. Chem. Phys. 133, 124104 (2010)). The cell is fully flexible under the
path-integral form of the Martyna–Tobias–Klein barostat (G. J. Martyna, A. Hughes, M. E. Tuckerman,
J. Chem. Phys. 110, 3275 (1999)), its own Langevin thermostat with it.
"""

import re
from collections.abc import Mapping, Sequence

from lah10.errors import UserError

#: Damping of the internal modes in units of critical damping.
PILE_LAMBDA = 0.5
#: Names of i-PI's output files, which a prefix precedes.
PROPERTIES, CENTROIDS, BEADS = "out", "centroids", "beads"
#: Columns of i-PI's table: property with its unit, and number of columns.
COLUMNS = (
    ("step", 1),
    ("time{picosecond}", 1),
    ("conserved{electronvolt}", 1),
    ("potential{electronvolt}", 1),
    ("kinetic_cv{electronvolt}(La)", 1),
    ("kinetic_cv{electronvolt}(H)", 1),
    ("temperature{kelvin}", 1),
    ("volume{angstrom3}", 1),
    ("cell_h{angstrom}", 6),
    ("stress_cv{gigapascal}", 6),
)

#: Numbers are printed so that they read back the same: a checkpoint is exact.
TEMPLATE = """\
<simulation verbosity='low' threading='False' safe_stride='{steps}' floatformat='%23.16e'>
  <output prefix='segment'>
    <properties filename='{properties}' stride='{thermo_every}' flush='0'>
      [ {columns} ]
    </properties>
    <trajectory filename='{centroids}' stride='{frame_every}' flush='0' cell_units='angstrom'>
      x_centroid{{angstrom}}
    </trajectory>
    <trajectory filename='{bead_files}' stride='{frame_every}' bead='-{bead_stride}' flush='0' cell_units='angstrom'>
      positions{{angstrom}}
    </trajectory>
  </output>
  <total_steps>{steps}</total_steps>
  <prng>
    <seed>{seed}</seed>
  </prng>
  <ffdirect name='potential'>
    <pes>custom</pes>
    <pes_path>{driver}</pes_path>
    <parameters>{{ {options} }}</parameters>
    <batch_size>{beads}</batch_size>
  </ffdirect>
  <system>
    <initialize nbeads='{beads}'>
      <file mode='xyz' units='angstrom'>{start}</file>
{masses}      <velocities mode='thermal' units='kelvin'>{temperature:.10g}</velocities>
    </initialize>
    <forces>
      <force forcefield='potential'/>
    </forces>
    <ensemble>
      <temperature units='kelvin'>{temperature:.10g}</temperature>
{ensemble}    </ensemble>
    <normal_modes propagator='cayley'>
{springs}    </normal_modes>
    <motion mode='dynamics'>
      <fixcom>True</fixcom>
      <dynamics mode='{mode}' splitting='baoab'>
        <timestep units='femtosecond'>{timestep:.10g}</timestep>
        <thermostat mode='pile_l'>
          <tau units='femtosecond'>{thermostat:.10g}</tau>
          <pile_lambda>{pile_lambda}</pile_lambda>
        </thermostat>
{barostat}      </dynamics>
    </motion>
  </system>
</simulation>
"""  # noqa: E501

BAROSTAT = """\
        <barostat mode='{cell}'>
          <tau units='femtosecond'>{barostat:.10g}</tau>
          <thermostat mode='langevin'>
            <tau units='femtosecond'>{thermostat:.10g}</tau>
          </thermostat>
        </barostat>
"""


def simulation(
    *,
    beads: int,
    temperature: float,
    pressure: float | None,
    highest_frequency: float | None,
    steps: int,
    timestep: float,
    thermo_every: int,
    frame_every: int,
    frame_beads: int,
    thermostat: float,
    barostat: float,
    seed: int,
    start: str,
    driver: str,
    driver_options: Mapping[str, str | float],
    hold_shape: bool = False,
    masses: Sequence[float] | None = None,
) -> str:
    """i-PI's input for a run from a structure file, all beads of an atom at one place.

    Parameters
    ----------
    beads : int
    temperature : float
        K.
    pressure : float or None
        GPa; None keeps the cell.
    highest_frequency : float or None
        THz, up to which economised springs are fitted (`lah10.pimd.beads`); None: Trotter springs.
    steps : int
        Length of the run.
    timestep : float
        fs.
    thermo_every, frame_every : int
        Steps between rows of the table and between frames.
    frame_beads : int
        Beads of which positions are kept, evenly spaced on the ring; about this number.
    thermostat, barostat : float
        fs; damping times of the centroids and the cell's motion, and of the cell itself.
    start : str
        Structure in i-PI's XYZ form (`write_start`).
    driver : str
        Python file with the potential-energy surface.
    driver_options : mapping
        Its parameters.
    hold_shape : bool
        Whether the barostat changes the volume alone, by one factor on all cell vectors (G. Bussi,
        T. Zykova-Timan, M. Parrinello, J. Chem. Phys. 130, 074101 (2009)), and not the shape.
    masses : (n,) float, optional
        g/mol, of isotopes; by default i-PI's own of the elements in `start`.

    Raises
    ------
    UserError
        A parameter has characters with which i-PI's lists and XML are written.
    """
    for key, value in driver_options.items():
        if re.search(r"[,{}<>&]|^\s|\s$", str(value)):
            raise UserError(
                f"{key}: {value}: i-PI takes no parameter with one of , {{ }} < > & or blanks at "
                "its ends; rename the file or folder"
            )
    springs = ensemble = cell = weights = ""
    if masses is not None:
        listed = ", ".join(f"{mass:.12g}" for mass in masses)
        weights = f"      <masses mode='manual' units='dalton'>[ {listed} ]</masses>\n"
    if highest_frequency is not None:
        springs = (
            "      <frequencies style='eco' units='thz'>"
            f"[ {highest_frequency:.10g} ]</frequencies>\n"
        )
    if pressure is not None:
        ensemble = f"      <pressure units='gigapascal'>{pressure:.10g}</pressure>\n"
        cell = BAROSTAT.format(
            cell="isotropic" if hold_shape else "flexible",
            barostat=barostat,
            thermostat=thermostat,
        )
    return TEMPLATE.format(
        steps=steps,
        properties=PROPERTIES,
        centroids=CENTROIDS,
        bead_files=BEADS,
        columns=", ".join(name for name, _ in COLUMNS),
        thermo_every=thermo_every,
        frame_every=frame_every,
        bead_stride=bead_stride(beads, frame_beads),
        seed=seed,
        driver=driver,
        options=", ".join(f"{key}: {value}" for key, value in driver_options.items()),
        beads=beads,
        start=start,
        masses=weights,
        temperature=temperature,
        ensemble=ensemble,
        springs=springs,
        mode="nvt" if pressure is None else "npt",
        timestep=timestep,
        thermostat=thermostat,
        pile_lambda=PILE_LAMBDA,
        barostat=cell,
    )


def bead_stride(beads: int, frame_beads: int) -> int:
    """Distance on the ring between beads whose positions are kept: numbers 0, stride, 2 stride …"""
    return max(1, beads // frame_beads)
