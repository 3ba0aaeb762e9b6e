"""What VASP and Quantum ESPRESSO would have written of made-up frames, as far as parsers look."""

from pathlib import Path

import numpy as np

from lah10 import ELEMENTS
from lah10.potential.data.systems import System
from lah10.units import EV_PER_A3_IN_GPA

KBAR = 10 * EV_PER_A3_IN_GPA
RYDBERG, BOHR = 13.605693123, 0.529177210903
#: Of the stress in an OUTCAR.
PARTS = "Alpha Z,Ewald,Hartree,E(xc),Local,n-local,augment,Kinetic,Fock".split(",")
RULE = " " + "-" * 83


def symbols(system: System) -> list[str]:
    return [ELEMENTS[t] for t in system.types]


def counts(system: System) -> dict[str, int]:
    """In the order of the atoms."""
    names = symbols(system)
    return {name: names.count(name) for name in dict.fromkeys(names)}


def outcar(
    system: System,
    iterations: int = 12,
    unconverged: tuple[int, ...] = (),
    stress: bool = True,
    terse: tuple[int, ...] = (),
    stressless: tuple[int, ...] = (),
) -> str:
    """An OUTCAR of VASP 6 with every frame of `system` as an ionic step.

    With NWRITE = 0 the steps `terse` have no forces; `stressless` ones have no stress.
    """
    lines = [" vasp.6.4.2 20Jul23 (build) complex", ""]
    lines += 2 * [f" POTCAR:    PAW_PBE {name} 06Sep2000" for name in counts(system)]
    lines += [f"   TITEL  = PAW_PBE {name} 06Sep2000" for name in counts(system)]
    lines += [
        "   ions per type =          " + "".join(f"{n:6d}" for n in counts(system).values()),
        f"   number of dos      NEDOS =    301   number of ions     NIONS = {system.n_atoms:6d}",
        "   NELM   =     60;   NELMIN=  2; NELMDL= -5     # of ELM steps",
        f"   NWRITE =      {0 if terse else 2}    write-flag & timer",
    ]
    for i in range(len(system)):
        last = 60 if i in unconverged else iterations
        for step in range(1, last + 1):
            lines += [
                f"{'-' * 39} Iteration {i + 1:6d}({step:4d})  {'-' * 39}",
                f"  free energy    TOTEN  = {system.energies[i] + 1 / step:18.8f} eV",
            ]
        volume = system.volumes[i]
        v = system.virials[i] / volume * KBAR
        if stress and i not in stressless:
            six = (v[0, 0], v[1, 1], v[2, 2], v[0, 1], v[1, 2], v[2, 0])
            lines += [
                "  FORCE on cell =-STRESS in cart. coord.  units (eV):",
                "  Direction    XX          YY          ZZ          XY          YZ          ZX",
                RULE,
                *(f"  {part:9s}" + 6 * "     0.00000" for part in PARTS),
                RULE,
                "  Total   " + 6 * "     0.00000",
                "  in kB   " + "".join(f"{x:12.5f}" for x in six),
                f"  external pressure = {np.trace(v) / 3:12.2f} kB  Pullay stress =  0.00 kB",
            ]
        shown = [
            "",
            " VOLUME and BASIS-vectors are now :",
            RULE,
            "  energy-cutoff  :      600.00",
            f"  volume of cell : {volume:11.2f}",
            "      direct lattice vectors                 reciprocal lattice vectors",
            *vectors(system.boxes[i]),
            "",
            " POSITION                                       TOTAL-FORCE (eV/Angst)",
            RULE,
        ]
        shown += [
            "".join(f"{x:13.5f}" for x in r) + "    " + "".join(f"{x:14.6f}" for x in f)
            for r, f in zip(system.coordinates[i], system.forces[i], strict=True)
        ]
        if i not in terse:
            lines += [*shown, RULE]
        lines += [
            "    total drift:      0.000000      0.000000      0.000000",
            "",
            "  FREE ENERGIE OF THE ION-ELECTRON SYSTEM (eV)",
            "  ---------------------------------------------------",
            f"  free  energy   TOTEN  = {system.energies[i]:18.8f} eV",
            "",
            f"  energy  without entropy= {system.energies[i]:18.8f}  energy(sigma->0) = 0.0",
            "",
        ]
    lines += [" General timing and accounting informations for this job:", ""]
    return "\n".join(lines) + "\n"


def vectors(box: np.ndarray) -> list[str]:
    inverse = np.linalg.inv(box).T
    return [
        "  " + "".join(f"{x:13.9f}" for x in (*a, *b)) for a, b in zip(box, inverse, strict=True)
    ]


def vasprun(
    system: System,
    unconverged: tuple[int, ...] = (),
    pstress: float = 0.0,
    electronic: float | None = 0.0,
    more: str = "",
) -> str:
    """A vasprun.xml with every frame of `system` as an ionic step.

    As of VASP 5.4.4: with `pstress` (kbar) an ionic step's energy is E + PV, and that of the last
    electronic step, off E by `electronic` (eV, None: not written), is E. The second NELM is of a
    later section. `more` stands among the parameters.
    """
    kinds = list(counts(system))

    def array(name: str, rows: np.ndarray) -> str:
        inner = "".join(f"<v> {' '.join(f'{x:.8f}' for x in row)} </v>\n" for row in rows)
        return f'<varray name="{name}">\n{inner}</varray>\n'

    text = '<?xml version="1.0" encoding="ISO-8859-1"?>\n<modeling>\n'
    text += '<parameters><separator name="electronic"><i type="int" name="NELM">60</i>'
    text += f'</separator><separator name="ionic"><i name="PSTRESS"> {pstress:.8f}</i>{more}'
    text += '</separator><separator name="response functions"><i type="int" name="NELM">1</i>'
    text += "</separator></parameters>\n<atominfo>"
    text += f'<atoms>{system.n_atoms}</atoms><array name="atoms"><set>\n'
    text += "".join(f"<rc><c>{s}</c><c>{kinds.index(s) + 1}</c></rc>\n" for s in symbols(system))
    text += "</set></array></atominfo>\n"
    for i in range(len(system)):
        box = system.boxes[i]
        steps = 60 if i in unconverged else 12
        energy = system.energies[i]
        text += "<calculation>\n"
        for step in range(steps):
            value = energy + (electronic or 0.0) + steps - 1 - step
            inner = f'<energy><i name="e_fr_energy">{value:.8f}</i></energy>'
            text += f"<scstep>{'' if electronic is None else inner}</scstep>\n"
        text += "<structure><crystal>" + array("basis", box) + "</crystal>"
        text += array("positions", system.coordinates[i] @ np.linalg.inv(box)) + "</structure>\n"
        text += array("forces", system.forces[i])
        text += array("stress", system.virials[i] / system.volumes[i] * KBAR)
        energy += pstress / KBAR * system.volumes[i]
        text += f'<energy><i name="e_fr_energy">{energy:.8f}</i></energy>\n'
        text += "</calculation>\n"
    return text + "</modeling>\n"


def pw_input(
    system: System, frame: int, cell: str = "angstrom", positions: str = "angstrom"
) -> str:
    """An input of pw.x with cell and positions in these units: alat, bohr, angstrom, crystal."""
    names, box = symbols(system), system.boxes[frame]
    alat = 5.0 if "alat" in (cell, positions) else None
    scale = {"angstrom": 1.0, "bohr": BOHR, "alat": alat}
    rows = (
        system.coordinates[frame] @ np.linalg.inv(box)
        if positions == "crystal"
        else system.coordinates[frame] / scale[positions]
    )
    parameter = f" celldm(1) = {alat / BOHR:.12f}\n" if alat else ""
    return (
        "&CONTROL\n calculation = 'scf'\n tstress = .true.\n tprnfor = .true.\n/\n&SYSTEM\n"
        f" ibrav = 0\n nat = {len(names)}\n ntyp = 2\n{parameter}/\n&ELECTRONS\n/\n"
        f"ATOMIC_SPECIES\nLa 138.905 La.upf\nH 1.008 H.upf\n\nCELL_PARAMETERS {cell}\n"
        + "".join(" ".join(f"{x:.9f}" for x in row) + "\n" for row in box / scale[cell])
        + f"\nATOMIC_POSITIONS {positions}\n"
        + "".join(
            f"{name} " + " ".join(f"{x:.9f}" for x in r) + "\n"
            for name, r in zip(names, rows, strict=True)
        )
        + "\nK_POINTS gamma\n"
    )


def pw_header(system: System, frame: int) -> str:
    """What pw.x prints of the crystal before it calculates."""
    box = system.boxes[frame]
    alat = np.linalg.norm(box[0])
    volume = abs(np.linalg.det(box)) / BOHR**3
    axes = "".join(
        f"               a({i + 1}) = (" + "".join(f"{x:11.6f}" for x in row) + " )  \n"
        for i, row in enumerate(box / alat)
    )
    return (
        f"     lattice parameter (alat)  = {alat / BOHR:11.4f}  a.u.\n"
        f"     unit-cell volume          = {volume:11.4f} (a.u.)^3\n"
        f"     number of atoms/cell      = {system.n_atoms:12d}\n"
        "     number of atomic types    =            2\n\n"
        f"     celldm(1)= {alat / BOHR:10.6f}  celldm(2)=   0.000000  celldm(3)=   0.000000\n\n"
        f"     crystal axes: (cart. coord. in units of alat)\n{axes}\n"
    )


def write_pwscf(
    system: System, frame: int, path: Path, converged: bool = True, **units: str
) -> None:
    """Input and output of one `scf` calculation of pw.x, `path` and the same with .in."""
    names = symbols(system)
    path.with_suffix(".in").write_text(pw_input(system, frame, **units))
    forces = system.forces[frame] / RYDBERG * BOHR
    stress = system.virials[frame] / system.volumes[frame] * KBAR
    told = "has been achieved in   9 iterations" if converged else "NOT achieved after 100 iterat."
    path.write_text(
        "\n     Program PWSCF v.7.2 starts on  1Jan2024 at  0: 0: 0\n\n"
        + pw_header(system, frame)
        + f"!    total energy              = {system.energies[frame] / RYDBERG:16.8f} Ry\n"
        f"     convergence {told}\n\n"
        "     Forces acting on atoms (cartesian axes, Ry/au):\n\n"
        + "".join(
            f"     atom {i + 1:4d} type {names.count('La') and 1 + (name == 'H'):2d}   force = "
            + "".join(f"{x:14.8f}" for x in f)
            + "\n"
            for i, (name, f) in enumerate(zip(names, forces, strict=True))
        )
        + "\n     Total force =     0.1     Total SCF correction =     0.0\n\n"
        f"          total   stress  (Ry/bohr**3)      (kbar)     P= {np.trace(stress) / 3:12.2f}\n"
        + "".join(
            "".join(f"{x / KBAR / RYDBERG * BOHR**3:14.8f}" for x in row)
            + "  "
            + "".join(f"{x:12.2f}" for x in row)
            + "\n"
            for row in stress
        )
        + "\n\n     JOB DONE.\n"
    )
