"""What the quantum baths are worth, in tables: accuracy, an independent implementation, cost.

    python benchmarks/bath/run.py            # all (`make bench`), ten minutes on one free core
    python benchmarks/bath/run.py models     # oscillators with exact answers
    python benchmarks/bath/run.py openmm     # harmonic crystal and solid neon beside OpenMM's QTB
    python benchmarks/bath/run.py cost       # what a step costs with and without the bath

A line that has a limit ends in "ok" or "beyond" it, and the exit status is 1 if any is beyond.
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

# This checkout's package comes first.
sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "workflow/scripts"))

import model_systems
import numpy as np

import crystals
from lah10.bath.spectra import quantum_energy
from lah10.io.child import environment
from lah10.io.text import plus_minus
from lah10.units import BOLTZMANN

ROOT = Path(__file__).resolve().parents[2]
HERE = Path(__file__).resolve().parent
#: γ of the models, in units of ω (1.26 /ps), and times in ps.
FRICTION = 0.02
TIME, ADAPTATION, REPLICAS = 80.0, 120.0, 256
#: 1/ps: frictions between which nothing may change.
FRICTIONS = (1.0, 5.0, 20.0)

#: What may be off, relative to the exact value or to OpenMM's. Harmonic energies are exact but for
#: noise, which is 0.3 to 0.4 %.
HARMONIC, BESIDE_OPENMM = 0.01, 0.02
#: Diffusion Monte Carlo knows neon's kinetic energy within 0.2 %, for another pair potential.
BESIDE_MONTE_CARLO = 0.02
#: One anharmonic oscillator alone: these baths are approximations, and nothing is claimed of them
#: but what was measured, at most 3.9 ± 0.6 % of an energy and 8.8 ± 0.3 and 9.6 ± 0.6 % of ⟨q²⟩;
#: the limits are that and two standard errors, so that a change is seen.
ANHARMONIC, ANHARMONIC_SQUARE = 0.05, 0.11
#: Two coupled ones: how much smaller the adaptive bath's integrated |Δ| is than plain QTB's. Each
#: of its energies must be nearer the exact one than QTB's; but the total, in which QTB's two errors
#: cancel, was off by 1.1 ± 0.3 % and has to be within this.
LESS_LEAKAGE, TOTAL_ENERGY = 5.0, 0.02
#: A step with the bath over one without: at 352 atoms and at 44,000.
COSTS = {2: 1.03, 10: 1.05}


class Limits:
    """Judge of lines.

    Attributes
    ----------
    slack : float
        Standard errors by which a limit may be missed: for quick runs, whose noise is too large.
    beyond : int
        Lines beyond their limits.
    """

    def __init__(self, slack: float = 0.0):
        self.slack, self.beyond = slack, 0

    def verdict(self, value: float, limit: float, error: float = 0.0, unit: str = "%") -> str:
        """ "ok", or that the value is beyond its limit; NaN is beyond any."""
        if value <= limit + self.slack * error:
            return "ok"
        self.beyond += 1
        shown = f"{100 * limit:.2g} %" if unit == "%" else f"{limit:g}{unit}"
        return f"beyond {shown}"

    def near(self, value: float, reference: float, limit: float, error: float = 0.0) -> str:
        """Whether the value is within a relative limit of the reference; `error` is the value's."""
        return self.verdict(abs(value / reference - 1), limit, abs(error / reference))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("part", nargs="*", choices=[[], *PARTS], help="default: all of them")
    parser.add_argument(
        "--quick",
        action="store_true",
        help="a tenth of the time, noisy numbers; limits are two standard errors wider",
    )
    arguments = parser.parse_args()
    limits = Limits(2.0 if arguments.quick else 0.0)
    for part in arguments.part or PARTS:
        PARTS[part](0.1 if arguments.quick else 1.0, limits)
    if limits.beyond:
        sys.exit(f"\n{limits.beyond} line(s) beyond their limits")


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


def row(*cells, widths=(28, 10, 20, 9, 24, 10)) -> None:
    """One line of a table."""
    cells = [f"{c}" for c in cells]
    print("  ".join(c.ljust(w) for c, w in zip(cells, widths, strict=False)).rstrip(), flush=True)


def number(value: float, error: float | None = None, digits: int = 4) -> str:
    return plus_minus(value, error, digits)


def percent(value: float, reference: float) -> str:
    return f"{100 * (value / reference - 1):+.1f} %"


# --------------------------------------------------------------------------------- the parts


def models(scale: float, limits: Limits) -> None:
    """Oscillators with exact answers."""
    print("\nHarmonic oscillator, 10 THz, 0 K: energies in ħω must not depend on γ "
          f"(E_p by the modified noise, E_k deconvolved); limit {100 * HARMONIC:g} %")  # fmt: skip
    row("γ (1/ps)", "exact", "measured", "error", "E_k not deconvolved", "limit")
    for friction in FRICTIONS:
        found = model_systems.simulate(
            model_systems.MODELS["harmonic"], "qtb", friction / model_systems.OMEGA,
            scale * max(10.0, TIME / friction) + 4, replicas=1024, segment=1.0,
        )  # fmt: skip
        kinetic, error = found["deconvolved"][0], found["deconvolved_stderr"][0]
        row(f"{friction:g}   E_k", number(0.25), number(kinetic, error), percent(kinetic, 0.25),
            percent(found["kinetic"][0], 0.25),
            limits.near(kinetic, 0.25, HARMONIC, error))  # fmt: skip
        potential, error = found["potential"], found["potential_stderr"]
        row("    E_p", number(0.25), number(potential, error), percent(potential, 0.25), "",
            limits.near(potential, 0.25, HARMONIC, error))  # fmt: skip

    for name in ("quartic", "mixed", "morse"):
        _against_exact(name, scale, limits)
    _leakage(scale, limits)


def _both_baths(name: str, scale: float) -> tuple[dict, dict[str, dict]]:
    """Exact answers of a model, and the baths' answers; heads its table."""
    model = model_systems.MODELS[name]
    print(f"\n{name}, T = {model.temperature:g} ħω/k_B, γ = {FRICTION:g} ω")
    row("bath, quantity", "exact", "measured", "error", "E_k not deconvolved", "limit")
    found = {
        bath: model_systems.simulate(
            model, bath, FRICTION, scale * TIME + 8, replicas=REPLICAS,
            adaptation=max(16.0, 2 * round(scale * ADAPTATION / 2)),
        )
        for bath in ("qtb", "adqtb")
    }  # fmt: skip
    return model_systems.exact(model), found


def _lines(exact: dict, found: dict):
    """What, exact value, value, standard error and the value not deconvolved, of one bath."""
    yield "E", exact["energy"], found["energy"], found["energy_stderr"], None
    several = len(exact["kinetic"]) > 1
    for i in range(len(exact["kinetic"])):
        label = f" coordinate {i + 1}" if several else ""
        yield (f"<T>{label}", exact["kinetic"][i], found["deconvolved"][i],
               found["deconvolved_stderr"][i], found["kinetic"][i])  # fmt: skip
        yield (f"<q²>{label}", exact["square"][i], found["square"][i],
               found["square_stderr"][i], None)  # fmt: skip


def _show(bath: str, line: tuple, verdict: str) -> None:
    what, reference, value, error, raw = line
    row(f"{bath} {what}", number(reference), number(value, error), percent(value, reference),
        "" if raw is None else percent(raw, reference), verdict)  # fmt: skip


def _deviations(found: dict[str, dict]) -> None:
    for bath, one in found.items():
        for i, (size, noise) in enumerate(
            zip(one["deviation"], one["deviation_noise"], strict=True)
        ):
            row(f"{bath} |Δ| coordinate {i + 1}", number(0.0), number(size, noise))


def _against_exact(name: str, scale: float, limits: Limits) -> None:
    """A single oscillator, which no bath but the harmonic one's has exactly."""
    exact, found = _both_baths(name, scale)
    for bath, one in found.items():
        for line in _lines(exact, one):
            what, reference, value, error, _ = line
            limit = ANHARMONIC_SQUARE if what == "<q²>" else ANHARMONIC
            _show(bath, line, limits.near(value, reference, limit, error))
    _deviations(found)


def _leakage(scale: float, limits: Limits) -> None:
    """Two coupled oscillators: what the adaptive bath mends."""
    exact, found = _both_baths("leakage", scale)
    lines = {bath: list(_lines(exact, one)) for bath, one in found.items()}
    for line in lines["qtb"]:
        _show("qtb", line, "")
    for line, plain in zip(lines["adqtb"], lines["qtb"], strict=True):
        what, reference, value, error, _ = line
        limit = TOTAL_ENERGY if what == "E" else abs(plain[2] / reference - 1)
        _show("adqtb", line, limits.near(value, reference, limit, error))
    _deviations(found)
    plain, adaptive = (found[bath]["deviation"].sum() for bath in ("qtb", "adqtb"))
    floor = found["adqtb"]["deviation_noise"].sum()
    verdict = limits.verdict(adaptive, plain / LESS_LEAKAGE, floor, "")
    ratio = plain / max(adaptive, 0.5 * floor)
    print(f"integrated |Δ|: QTB {plain:.3f}, adQTB {adaptive:.3f} (noise {floor:.3f}): "
          f"{ratio:.1f} times smaller, required {LESS_LEAKAGE:g}: {verdict}")  # fmt: skip


def openmm(scale: float, limits: Limits) -> None:
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
        print(
            f"\nEinstein crystal, {temperature:g} K, γ = 10/ps: temperatures in K; limits "
            f"{100 * BESIDE_OPENMM:g} % from OpenMM, {100 * HARMONIC:g} % from the exact value"
        )
        _einstein(temperature, ours, theirs, limits)
    options = {"temperature": 4.0, "friction": 0.5, "time": 300 * scale, "timestep": 0.008}
    ours = in_child("crystals", "neon_ours", lammps=True, **options)
    theirs = in_child("crystals", "neon_openmm", segment=8.0, **options)
    print("\nSolid neon (Lennard-Jones), 4.464 Å, 4 K, γ = 0.5/ps: K an atom; "
          f"diffusion Monte Carlo says E_k = {crystals.NEON_KINETIC} K")  # fmt: skip
    _neon(ours, theirs, limits)


WIDTHS = (26, 9, 16, 16, 12, 12, 10)


def _einstein(temperature: float, ours: dict, theirs: dict, limits: Limits) -> None:
    row("", "exact", "ours", "OpenMM", "difference", "ours/exact", "limit", widths=WIDTHS)
    exact = quantum_energy(np.array(crystals.FREQUENCIES), temperature) / BOLTZMANN
    for i, (frequency, right) in enumerate(zip(crystals.FREQUENCIES, exact, strict=True)):
        for name, title in (("potential", "E_p"), ("kinetic", "E_k, not deconvolved")):
            mine, error = ours[name][i], ours[f"{name}_stderr"][i]
            other, its_error = theirs[name][i], theirs[f"{name}_stderr"][i]
            known = name == "potential"
            verdicts = [limits.near(mine, other, BESIDE_OPENMM, np.hypot(error, its_error))]
            if known:
                verdicts.append(limits.near(mine, right, HARMONIC, error))
            row(
                f"{frequency:g} THz {title}",
                number(right, digits=1) if known else "",
                number(mine, error, 1),
                number(other, its_error, 1),
                percent(mine, other),
                percent(mine, right) if known else "",
                ", ".join(verdicts),
                widths=WIDTHS,
            )
        mine, error = ours["deconvolved"][i], ours["kinetic_stderr"][i]
        row(
            f"{frequency:g} THz E_k",
            number(right, digits=1),
            number(mine, error, 1),
            "",
            "",
            percent(mine, right),
            limits.near(mine, right, HARMONIC, error),
            widths=WIDTHS,
        )


def _neon(ours: dict, theirs: dict, limits: Limits) -> None:
    """Differences as shares of OpenMM's kinetic energy, about as large as the vibrations' potential
    one: what lies beyond their explanation (`crystals.explained`) is judged."""
    row("", "ours", "OpenMM", "difference", "explained", "limit", widths=(26, 16, 16, 16, 11, 10))
    scale = theirs["kinetic"]
    for name, title in (("potential", "Ne E_p"), ("kinetic", "Ne E_k, not deconvolved")):
        mine, other = ours[name], theirs[name]
        error = np.hypot(ours[f"{name}_stderr"], theirs[f"{name}_stderr"]) / scale
        difference, known = (mine - other) / scale, ours["explained"][name]
        row(title, number(mine, ours[f"{name}_stderr"], 1),
            number(other, theirs[f"{name}_stderr"], 1),
            f"{100 * difference:+.1f} ± {100 * error:.1f} %", f"{100 * known:+.1f} %",
            limits.verdict(abs(difference - known), BESIDE_OPENMM, error),
            widths=(26, 16, 16, 16, 11, 10))  # fmt: skip
    mine, error = ours["deconvolved"], ours["kinetic_stderr"]
    right = crystals.NEON_KINETIC
    print(
        f"Ne E_k, deconvolved: {number(mine, error, 1)}, beside diffusion Monte Carlo "
        f"{percent(mine, right)}: {limits.near(mine, right, BESIDE_MONTE_CARLO, error)}"
    )


#: Baths whose cost is told: plain at 100 K; adaptive where the filter is longest, with its γ_r
#: frozen as in production and while it adapts.
PLAIN = {"name": "qtb", "temperature": 100.0, "friction": 10.0}
ADAPTIVE = {"name": "adqtb", "temperature": 5.0, "friction": 20.0, "correction": "potential"}
BATHS = {
    "QTB, 100 K": PLAIN,
    "adaptive, 5 K": ADAPTIVE,
    "the same, adapting": ADAPTIVE | {"adapts": True},
}


def cost(scale: float, limits: Limits) -> None:
    """Processor time of a step with the shipped potential, with and without the bath."""
    print("\nCost of the bath: processor time of one core, shipped potential")
    widths = (8, 20, 8, 18, 12, 14, 8, 10)
    row("atoms", "bath", "taps", "step without (ms)", "noise (ms)", "callback (ms)", "ratio",
        "limit", widths=widths)  # fmt: skip
    for repeat, steps, free_steps, turns in ((2, 20, 500, 10), (10, 3, 20, 5)):
        named = BATHS if repeat == 2 else {"QTB, 100 K": PLAIN}
        with tempfile.TemporaryDirectory() as folder:
            taken = in_child(
                "cost", "in_lammps", lammps=True,
                model=str(ROOT / "resources/potentials/lah10/lah10.pb"),
                crystal=str(ROOT / "resources/structures/Fm-3m.cif"), folder=folder,
                repeat=repeat, steps=steps, free_steps=free_steps,
                turns=max(3, round(turns * scale)), baths=list(named.values()),
            )  # fmt: skip
        for name, bath in zip(named, taken["baths"], strict=True):
            ratio = 1 + (bath["added"] + bath["noise"]) / taken["step"]
            row(taken["atoms"], name, bath["taps"], f"{1e3 * taken['step']:.2f}",
                f"{1e3 * bath['noise']:.3f}", f"{1e3 * bath['added']:.3f}", f"{ratio:.4f}",
                limits.verdict(ratio, COSTS[repeat], unit=""), widths=widths)  # fmt: skip
    print(f"A block of noise for {taken['atoms']} atoms: {bath['block_steps']} steps, "
          f"{bath['block_bytes'] / 1e6:.0f} MB")  # fmt: skip


PARTS = {"models": models, "cost": cost, "openmm": openmm}

if __name__ == "__main__":
    main()
