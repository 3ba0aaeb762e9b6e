"""What the quantum baths are worth, in tables: accuracy, an independent implementation, cost.

    export PYTHONPATH=workflow/scripts
    python benchmarks/bath/run.py            # all (`make bench`), ten minutes on one free core
    python benchmarks/bath/run.py models     # oscillators with exact answers
    python benchmarks/bath/run.py openmm     # harmonic crystal and solid neon beside OpenMM's QTB
    python benchmarks/bath/run.py cost       # what a step costs with and without the bath

OpenMM is needed for its part alone (requirements-dev.txt). What came out is in RESULTS.md.
"""

import argparse
import importlib.util
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import model_systems
import numpy as np

import crystals
from lah10.dynamics.launch import environment
from lah10.dynamics.spectra import quantum_energy
from lah10.units import BOLTZMANN

ROOT = Path(__file__).resolve().parents[2]
HERE = Path(__file__).resolve().parent
#: γ of the models, in units of ω (1.26 /ps), and times in ps.
FRICTION = 0.02
TIME, ADAPTATION, REPLICAS = 80.0, 120.0, 256
#: 1/ps: frictions between which nothing may change.
FRICTIONS = (1.0, 5.0, 20.0)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("part", nargs="*", choices=[[], *PARTS], help="default: all of them")
    parser.add_argument("--quick", action="store_true", help="a tenth of the time, noisy numbers")
    arguments = parser.parse_args()
    for part in arguments.part or PARTS:
        PARTS[part](0.1 if arguments.quick else 1.0)


def in_child(module: str, function: str, lammps: bool = False, **arguments) -> dict:
    """Call a function of a module beside this one in a process of its own."""
    code = (
        f"import sys, json; sys.path.insert(0, {str(HERE)!r}); import {module}\n"
        f"answer = {module}.{function}(**json.loads({json.dumps(arguments)!r}))\n"
        "json.dump(answer, open(sys.argv[1], 'w'))\n"
    )
    with tempfile.TemporaryDirectory() as folder:
        answer = Path(folder) / "answer.json"
        done = subprocess.run(
            [sys.executable, "-c", code, str(answer)],
            env=environment() if lammps else dict(os.environ),
            capture_output=True,
            text=True,
        )
        if done.returncode:
            sys.exit(f"{module}.{function} failed:\n{done.stderr[-3000:]}")
        return json.loads(answer.read_text())


def row(*cells, widths=(30, 12, 20, 9, 22)) -> None:
    """One line of a table."""
    cells = [f"{c}" for c in cells]
    print("  ".join(c.ljust(w) for c, w in zip(cells, widths, strict=False)).rstrip(), flush=True)


def number(value: float, error: float = np.nan, digits: int = 4) -> str:
    text = f"{value:.{digits}f}"
    return text if np.isnan(error) else f"{text} ± {error:.{digits}f}"


def percent(value: float, reference: float) -> str:
    return f"{100 * (value / reference - 1):+.1f} %"


# --------------------------------------------------------------------------------- the parts


def models(scale: float) -> None:
    """Oscillators with exact answers."""
    print("\nHarmonic oscillator, 10 THz, 0 K: energies in ħω must not depend on γ "
          "(E_p by the modified noise, E_k deconvolved)")  # fmt: skip
    row("γ (1/ps)", "exact", "measured", "error", "E_k before deconvolution")
    for friction in FRICTIONS:
        found = model_systems.simulate(
            model_systems.MODELS["harmonic"], "qtb", friction / model_systems.OMEGA,
            scale * max(10.0, TIME / friction) + 4, replicas=1024, segment=1.0,
        )  # fmt: skip
        row(f"{friction:g}   E_k", number(0.25),
            number(found["deconvolved"][0], found["deconvolved_stderr"][0]),
            percent(found["deconvolved"][0], 0.25), percent(found["kinetic"][0], 0.25))  # fmt: skip
        row("    E_p", number(0.25), number(found["potential"], found["potential_stderr"]),
            percent(found["potential"], 0.25))  # fmt: skip

    for name in ("quartic", "mixed", "morse", "leakage"):
        model = model_systems.MODELS[name]
        exact = model_systems.exact(model)
        print(f"\n{name}, T = {model.temperature:g} ħω/k_B, γ = {FRICTION:g} ω")
        row("bath, quantity", "exact", "measured", "error", "without bath's corrections")
        sizes = {}
        for bath in ("qtb", "adqtb"):
            found = model_systems.simulate(
                model, bath, FRICTION, scale * TIME + 8, replicas=REPLICAS,
                adaptation=max(16.0, 2 * round(scale * ADAPTATION / 2)),
            )  # fmt: skip
            row(f"{bath} E", number(exact["energy"]),
                number(found["energy"], found["energy_stderr"]),
                percent(found["energy"], exact["energy"]))  # fmt: skip
            for i in range(model.coordinates):
                label = f"coordinate {i + 1}" if model.coordinates > 1 else ""
                row(f"{bath} <T> {label}", number(exact["kinetic"][i]),
                    number(found["deconvolved"][i], found["deconvolved_stderr"][i]),
                    percent(found["deconvolved"][i], exact["kinetic"][i]),
                    percent(found["kinetic"][i], exact["kinetic"][i]))  # fmt: skip
                row(f"{bath} <q²> {label}", number(exact["square"][i]),
                    number(found["square"][i], found["square_stderr"][i]),
                    percent(found["square"][i], exact["square"][i]))  # fmt: skip
                row(f"{bath} |Δ| {label}", number(0.0),
                    number(found["deviation"][i], found["deviation_noise"][i]))  # fmt: skip
            sizes[bath] = found["deviation"].sum()
        floor = found["deviation_noise"].sum()
        ratio = sizes["qtb"] / max(sizes["adqtb"], 0.5 * floor)
        print(f"integrated |Δ|: QTB {sizes['qtb']:.3f}, adQTB {sizes['adqtb']:.3f} "
              f"(noise {floor:.3f}): {ratio:.0f} times smaller")  # fmt: skip


def openmm(scale: float) -> None:
    """Two crystals beside OpenMM's QTBIntegrator."""
    if importlib.util.find_spec("openmm") is None:
        sys.exit(
            "OpenMM is not installed: `.venv/bin/python -m pip install -r requirements-dev.txt` "
            "(or `make test`) brings it; `models` and `cost` do without"
        )
    for temperature in (20.0, 300.0):
        options = {"temperature": temperature, "friction": 10.0, "time": 20 * scale, "atoms": 200}
        ours = in_child("crystals", "einstein_ours", lammps=True, **options)
        theirs = in_child("crystals", "einstein_openmm", **options)
        print(f"\nEinstein crystal, {temperature:g} K, γ = 10/ps: temperatures in K")
        _beside(
            [f"{f:g} THz" for f in crystals.FREQUENCIES],
            quantum_energy(np.array(crystals.FREQUENCIES), temperature) / BOLTZMANN, ours, theirs,
        )  # fmt: skip
    options = {"temperature": 4.0, "friction": 0.5, "time": 300 * scale, "timestep": 0.008}
    ours = in_child("crystals", "neon_ours", lammps=True, **options)
    theirs = in_child("crystals", "neon_openmm", segment=8.0, **options)
    print("\nSolid neon (Lennard-Jones), 4.464 Å, 4 K, γ = 0.5/ps: K an atom; "
          f"diffusion Monte Carlo says E_k = {crystals.NEON_KINETIC} K")  # fmt: skip
    wrapped = [{name: np.atleast_1d(v) for name, v in one.items()} for one in (ours, theirs)]
    _beside(["Ne"], np.array([np.nan]), *wrapped)
    row("Ne E_k deconvolved", number(crystals.NEON_KINETIC, digits=1),
        number(ours["deconvolved"], ours["kinetic_stderr"], 1),
        percent(ours["deconvolved"], crystals.NEON_KINETIC))  # fmt: skip


def _beside(labels, exact, ours, theirs) -> None:
    widths = (24, 10, 18, 18, 12, 12)
    row("", "exact", "ours", "OpenMM", "difference", "ours/exact", widths=widths)
    for i, label in enumerate(labels):
        for name, title in (("potential", "E_p"), ("kinetic", "E_k, not deconvolved")):
            mine, other = ours[name][i], theirs[name][i]
            known = name == "potential" and not np.isnan(exact[i])
            row(f"{label} {title}", number(exact[i], digits=1) if known else "",
                number(mine, ours[f"{name}_stderr"][i], 1),
                number(other, theirs[f"{name}_stderr"][i], 1), percent(mine, other),
                percent(mine, exact[i]) if known else "", widths=widths)  # fmt: skip
        if not np.isnan(exact[i]):
            row(f"{label} E_k", number(exact[i], digits=1),
                number(ours["deconvolved"][i], ours["kinetic_stderr"][i], 1), "", "",
                percent(ours["deconvolved"][i], exact[i]), widths=widths)  # fmt: skip


def cost(scale: float) -> None:
    """Processor time of a step with the shipped potential, with and without the bath."""
    print("\nCost of the bath: processor time of one core, shipped potential")
    widths = (10, 20, 20, 20, 12)
    row("atoms", "step without (ms)", "noise (ms)", "callback (ms)", "ratio", widths=widths)
    for repeat, steps, free_steps, turns in ((2, 20, 500, 10), (10, 3, 20, 5)):
        with tempfile.TemporaryDirectory() as folder:
            taken = in_child(
                "cost", "in_lammps", lammps=True,
                model=str(ROOT / "resources/potentials/lah10/lah10.pb"),
                crystal=str(ROOT / "resources/structures/Fm-3m.cif"), folder=folder,
                repeat=repeat, steps=steps, free_steps=free_steps,
                turns=max(3, round(turns * scale)),
            )  # fmt: skip
        ratio = 1 + (taken["added"] + taken["noise"]) / taken["step"]
        row(taken["atoms"], f"{1e3 * taken['step']:.2f}", f"{1e3 * taken['noise']:.3f}",
            f"{1e3 * taken['added']:.3f}", f"{ratio:.4f}", widths=widths)  # fmt: skip
    print(f"A block of noise for {taken['atoms']} atoms: {taken['block_steps']} steps, "
          f"{taken['block_bytes'] / 1e6:.0f} MB")  # fmt: skip


PARTS = {"models": models, "cost": cost, "openmm": openmm}

if __name__ == "__main__":
    main()
