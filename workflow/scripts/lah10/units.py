"""Physical constants in the units of the project (Å, ps, eV, K, g/mol, GPa, THz), from CODATA."""

from scipy import constants as _c

#: Boltzmann constant, eV/K.
BOLTZMANN = _c.k / _c.e
#: Planck constant, eV/THz (frequencies are given in THz, not rad/ps).
PLANCK = _c.h * 1e12 / _c.e
#: 1 g/mol (Å/ps)² in eV: mass times velocity squared to energy.
MVV2E = _c.gram / _c.N_A * 1e4 / _c.e
#: 1 eV/Å³ in GPa.
EV_PER_A3_IN_GPA = _c.e * 1e30 * 1e-9
#: 1 GPa in bar, the pressure unit of LAMMPS `metal`.
GPA_IN_BAR = 1e4
#: 1 Å²/ps in cm²/s.
A2_PER_PS_IN_CM2_PER_S = 1e-4
#: 1 Ry in eV and 1 bohr in Å, the units of Quantum ESPRESSO.
RYDBERG = _c.value("Rydberg constant times hc in eV")
BOHR = _c.value("Bohr radius") * 1e10
#: 1 eV/Å³ in kbar, the unit of stress of VASP and Quantum ESPRESSO.
EV_PER_A3_IN_KBAR = 10 * EV_PER_A3_IN_GPA
