"""Outputs of VASP and Quantum ESPRESSO: what is read, and that every bad frame is named."""

import re
from dataclasses import replace

import ase.io
import numpy as np
import pytest

import labelled
import made_up_outputs
from lah10.errors import UserError
from lah10.potential.data import dataset, dft_outputs


@pytest.fixture
def system():
    return labelled.system(frames=4)


@pytest.fixture
def file(tmp_path, system):
    """A good OUTCAR of four frames."""
    path = tmp_path / "run/OUTCAR"
    path.parent.mkdir()
    path.write_text(made_up_outputs.outcar(system))
    return path


def convert(tmp_path, *files):
    dft_outputs.convert(files, tmp_path / "labelled/vasp")
    return dataset.read(tmp_path / "labelled/vasp", "vasp")


def frame_numbers(system):
    """Numbers of the frames in their files, from where each came from."""
    file = system.frames[0].rpartition("/set.000")[0]
    text = open(f"{file}/frames.txt").read().splitlines()
    return [int(line.rpartition(" frame ")[2]) for line in text]


def compare(read, expected, digits):
    """Cartesian data are those of the output, whatever its orientation."""
    np.testing.assert_array_equal(read.types, expected.types)
    np.testing.assert_allclose(read.energies, expected.energies, atol=1e-6)
    np.testing.assert_allclose(read.boxes, expected.boxes, atol=1e-6)
    np.testing.assert_allclose(read.virials, expected.virials, rtol=1e-4, atol=1e-3)
    np.testing.assert_allclose(read.coordinates, expected.coordinates, atol=digits)
    np.testing.assert_allclose(read.forces, expected.forces, atol=digits)


def test_an_outcar_is_read(tmp_path, file, system):
    (read,) = convert(tmp_path, file)
    assert read.name == "vasp/La1H10"
    compare(read, system, 2e-4)
    assert frame_numbers(read) == [0, 1, 2, 3]


def test_the_made_up_outcar_is_one_to_ase_as_well(file, system):
    # Another parser: the made-up text is not made for dpdata alone.
    frames = ase.io.read(file, index=":", format="vasp-out")
    assert len(frames) == 4
    for i, atoms in enumerate(frames):
        np.testing.assert_allclose(atoms.get_forces(), system.forces[i], atol=1e-5)
        virial = -atoms.get_stress(voigt=False) * atoms.get_volume()
        np.testing.assert_allclose(virial, system.virials[i], rtol=1e-4, atol=1e-3)


def test_a_vasprun_is_read(tmp_path, system):
    (tmp_path / "vasprun.xml").write_text(made_up_outputs.vasprun(system, unconverged=(1,)))
    (read,) = convert(tmp_path, tmp_path / "vasprun.xml")
    compare(read, system.select([0, 2, 3]), 1e-5)
    assert frame_numbers(read) == [0, 2, 3]


def test_pw_x_is_read(tmp_path, system):
    files = [tmp_path / f"{i}.out" for i in range(4)]
    for i, path in enumerate(files):
        made_up_outputs.write_pwscf(system, i, path, converged=i != 2)
    (read,) = convert(tmp_path, *files)
    compare(read, system.select([0, 1, 3]), 1e-5)
    left_out = (tmp_path / "labelled/vasp/left_out.txt").read_text()
    assert left_out == f"{files[2]} frame 0: the self-consistent field did not converge\n"


def test_frames_that_did_not_converge_are_left_out_and_listed(tmp_path, file, system):
    file.write_text(made_up_outputs.outcar(system, unconverged=(1, 3)))
    (read,) = convert(tmp_path, file)
    compare(read, system.select([0, 2]), 2e-4)
    assert frame_numbers(read) == [0, 2]
    lines = (tmp_path / "labelled/vasp/left_out.txt").read_text().splitlines()
    assert [line.partition(": ")[0] for line in lines] == [f"{file} frame {i}" for i in (1, 3)]
    file.write_text(made_up_outputs.outcar(system, unconverged=(0, 1, 2, 3)))
    with pytest.raises(UserError, match=r"frame 0: the self-consistent field did not.*nothing is"):
        convert(tmp_path, file)


def test_compositions_are_apart_and_files_joined(tmp_path, file, system):
    other = labelled.system(frames=2, seed=5)
    # Hydrogen first, and one atom fewer.
    without = replace(
        other,
        types=other.types[:0:-1],
        coordinates=other.coordinates[:, :0:-1],
        forces=other.forces[:, :0:-1] - other.forces[:, :0:-1].mean(axis=1, keepdims=True),
    )
    backwards = replace(
        other,
        types=other.types[::-1],
        coordinates=other.coordinates[:, ::-1],
        forces=other.forces[:, ::-1],
    )
    second, third = tmp_path / "run/OUTCAR.2", tmp_path / "run/OUTCAR.3"
    second.write_text(made_up_outputs.outcar(backwards))
    third.write_text(made_up_outputs.outcar(without))
    read = {s.name: s for s in convert(tmp_path, file, second, third)}
    assert {name: len(s) for name, s in read.items()} == {"vasp/La1H10": 6, "vasp/La0H10": 2}
    assert frame_numbers(read["vasp/La1H10"]) == [0, 1, 2, 3, 0, 1]
    np.testing.assert_array_equal(read["vasp/La1H10"].types, [0] + 10 * [1])
    np.testing.assert_allclose(
        np.linalg.norm(read["vasp/La1H10"].forces[4:, 0], axis=1),
        np.linalg.norm(other.forces[:, 0], axis=1),
        atol=1e-5,
    )


def test_a_folder_is_searched(tmp_path, file, system):
    (tmp_path / "run/vasprun.xml").write_text(made_up_outputs.vasprun(system))
    (tmp_path / "other").mkdir()
    (tmp_path / "other/vasprun.xml").write_text(made_up_outputs.vasprun(system))
    (tmp_path / "other/slurm-1.out").write_text("hello\n")
    made_up_outputs.write_pwscf(system, 0, tmp_path / "other/pw.out")
    found = dft_outputs.find_outputs(tmp_path)
    names = [str(path.relative_to(tmp_path)) for path in found]
    assert names == ["other/pw.out", "other/vasprun.xml", "run/OUTCAR"]
    (tmp_path / "empty").mkdir()
    with pytest.raises(UserError, match="empty: no outputs there; expected OUTCAR"):
        dft_outputs.find_outputs(tmp_path / "empty")
    with pytest.raises(UserError, match="nowhere: no such file or folder"):
        dft_outputs.find_outputs(tmp_path / "nowhere")


# -------------------------------------------------------------------------------- bad outputs


def lines_from(text: str, pattern: str, occurrence: int) -> int:
    """Number of the line of the n-th match, from 0."""
    found = [i for i, line in enumerate(text.splitlines()) if re.search(pattern, line)]
    return found[occurrence]


def cut(pattern, occurrence, offset=0):
    def change(text):
        end = lines_from(text, pattern, occurrence) + offset
        return "\n".join(text.splitlines()[:end]) + "\n"

    return change


def replaced(pattern, occurrence, offset, function):
    def change(text):
        lines = text.splitlines()
        at = lines_from(text, pattern, occurrence) + offset
        lines[at] = function(lines[at])
        return "\n".join(lines) + "\n"

    return change


def without(pattern, occurrence, offset, count):
    def change(text):
        lines = text.splitlines()
        at = lines_from(text, pattern, occurrence) + offset
        return "\n".join(lines[:at] + lines[at + count :]) + "\n"

    return change


FORCES, ENERGY = "TOTAL-FORCE", "free  energy   TOTEN"
BAD_OUTCARS = {
    "empty": (lambda text: "", r"OUTCAR: empty"),
    "cut in the header": (cut("NELM", 0), r"OUTCAR frame 0: cut short before"),
    "cut in the first frame": (cut(FORCES, 0, 4), r"OUTCAR frame 0: cut short before"),
    "cut within forces": (cut(FORCES, 2, 5), r"OUTCAR frame 2: cut short.*head -n \d+ "),
    "cut within iterations": (cut("Iteration", -3), r"OUTCAR frame 3: cut short"),
    "packed": (lambda text: "\x1f\x00" + text, r"OUTCAR: no text; unpack it"),
    "another program": (lambda text: "Hello\n" * 3, r"OUTCAR frame 0: cut short before its"),
    "no elements": (
        lambda text: text.replace("TITEL", "TITLE").replace("POTCAR:", "POTCAR"),
        r"OUTCAR: cannot be read as OUTCAR of VASP \(cannot get atom names",
    ),
    "other elements": (
        lambda text: text.replace("PAW_PBE La", "PAW_PBE Y_sv"),
        r"OUTCAR frame 0: expected elements La, H, got Y",
    ),
    "a lost atom": (without(FORCES, 1, 4, 1), r"OUTCAR frame 1: forces or energy cannot be read"),
    "an empty frame": (without(FORCES, 2, 2, 11), r"OUTCAR frame 2: forces or energy cannot be"),
    "no forces": (without(FORCES, 2, 0, 13), r"OUTCAR frame 2: cannot be read .*cannot find for"),
    "overflow": (
        replaced(FORCES, 1, 3, lambda line: line[:-14] + "*" * 14),
        r"OUTCAR frame 1: forces or energy cannot be read",
    ),
    "NaN force": (
        replaced(FORCES, 1, 3, lambda line: line[:-14] + "           NaN"),
        r"OUTCAR frame 1: forces with NaN",
    ),
    "NaN energy": (
        replaced(ENERGY, 2, 0, lambda line: "  free  energy   TOTEN  =   NaN eV"),
        r"OUTCAR frame 2: energies with NaN",
    ),
    "no number": (
        replaced(ENERGY, 2, 0, lambda line: "  free  energy   TOTEN  = ********** eV"),
        r"OUTCAR frame 2: cannot be read as OUTCAR",
    ),
    "stress turned": (
        replaced("in kB", 3, 0, lambda line: "  in kB  -1500.0 -1500.0 -1500.0 0.0 0.0 0.0"),
        r"OUTCAR frame 3: expected a pressure .*, got -150 ",
    ),
}


@pytest.mark.parametrize("change, message", BAD_OUTCARS.values(), ids=BAD_OUTCARS)
def test_bad_outcars_are_named(tmp_path, file, change, message):
    text = file.read_text()
    assert change(text) != text
    file.write_text(change(text))
    with pytest.raises(UserError, match=message) as caught:
        convert(tmp_path, file)
    assert str(file) in str(caught.value) and "\n" not in str(caught.value)
    assert not (tmp_path / "labelled").exists()


def test_the_advice_for_an_outcar_cut_short_is_right(tmp_path, file, system):
    file.write_text(cut(FORCES, 2, 5)(file.read_text()))
    with pytest.raises(UserError, match="head -n") as caught:
        convert(tmp_path, file)
    count = int(re.search(r"head -n (\d+)", str(caught.value))[1])
    whole = tmp_path / "OUTCAR.whole"
    whole.write_text("\n".join(file.read_text().splitlines()[:count]) + "\n")
    (read,) = convert(tmp_path, whole)
    compare(read, system.select([0, 1]), 2e-4)


def test_an_outcar_without_stress_is_named(tmp_path, file, system):
    file.write_text(made_up_outputs.outcar(system, stress=False))
    with pytest.raises(UserError, match=r"OUTCAR frame 0: no stress; .*ISIF"):
        convert(tmp_path, file)


BAD_VASPRUNS = {
    "cut short": (cut('name="forces"', 2), r"vasprun.xml frame 2: cut short, or no XML"),
    "no forces": (
        replaced('name="forces"', 1, 0, lambda line: line.replace("forces", "farces")),
        r"vasprun.xml frame 1: cannot be read as vasprun.xml",
    ),
    "no number": (
        replaced('name="NELM"', 0, 0, lambda line: line.replace("60", "many")),
        r"vasprun.xml: cannot be read as vasprun.xml \(invalid literal",
    ),
    "NaN": (
        replaced('name="forces"', 3, 2, lambda line: "<v> NaN 0.0 0.0 </v>"),
        r"vasprun.xml frame 3: forces with NaN",
    ),
    "other elements": (
        lambda text: text.replace(">La<", ">Ce<"),
        r"vasprun.xml frame 0: expected elements La, H, got Ce",
    ),
}


@pytest.mark.parametrize("change, message", BAD_VASPRUNS.values(), ids=BAD_VASPRUNS)
def test_bad_vaspruns_are_named(tmp_path, system, change, message):
    file = tmp_path / "vasprun.xml"
    file.write_text(change(made_up_outputs.vasprun(system)))
    with pytest.raises(UserError, match=message) as caught:
        convert(tmp_path, file)
    assert "\n" not in str(caught.value)


BAD_PWSCF = {
    "cut short": (cut("JOB DONE", 0), r"pw.out frame 0: cut short"),
    "a run": (
        lambda text: text + "     Forces acting on atoms (cartesian axes, Ry/au):\n",
        r"pw.out: expected one frame with forces .*, got 2$",
    ),
    "no forces": (
        lambda text: text.replace("Forces acting", "F"),
        r"pw.out: expected one frame with forces .*, got 0$",
    ),
    "no stress": (lambda text: text.replace("total   stress", ""), r"pw.out frame 0: no stress"),
    "NaN": (
        replaced("atom    3 type", 0, 0, lambda line: line.partition("=")[0] + "= NaN NaN NaN"),
        r"pw.out frame 0: forces with NaN",
    ),
    "overflow": (
        replaced("atom    3 type", 0, 0, lambda line: line.partition("=")[0] + "= ** ** **"),
        r"pw.out frame 0: cannot be read as output of pw.x \(could not convert",
    ),
}


@pytest.mark.parametrize("change, message", BAD_PWSCF.values(), ids=BAD_PWSCF)
def test_bad_outputs_of_pw_x_are_named(tmp_path, system, change, message):
    file = tmp_path / "pw.out"
    made_up_outputs.write_pwscf(system, 1, file)
    file.write_text(change(file.read_text()))
    with pytest.raises(UserError, match=message):
        convert(tmp_path, file)


def test_the_input_of_pw_x_must_be_there(tmp_path, system):
    made_up_outputs.write_pwscf(system, 1, tmp_path / "pw.out")
    text = (tmp_path / "pw.in").read_text()
    assert "ibrav = 0" in text
    (tmp_path / "pw.in").unlink()
    with pytest.raises(UserError, match=r"pw.out: the input of pw.x is not beside it; pw.in"):
        convert(tmp_path, tmp_path / "pw.out")


# --------------------------------------------------------------- what programs really write


@pytest.mark.parametrize("unconverged", [(), (1,)])
def test_a_vasprun_that_names_nelm_twice_keeps_its_frames(tmp_path, system, unconverged):
    """60 in the electronic parameters, 1 in those of response functions: the first counts."""
    text = made_up_outputs.vasprun(system, unconverged)
    assert re.findall(r'name="NELM">(\d+)<', text) == ["60", "1"]
    (tmp_path / "vasprun.xml").write_text(text)
    (read,) = convert(tmp_path, tmp_path / "vasprun.xml")
    assert frame_numbers(read) == [i for i in range(4) if i not in unconverged]


def test_an_outcar_that_names_nelm_twice_keeps_its_frames(tmp_path, file, system):
    text = file.read_text()
    nelm = "   NELM   =     60;   NELMIN=  2; NELMDL= -5     # of ELM steps\n"
    assert text.count(nelm) == 1
    file.write_text(text.replace(nelm, nelm + "   NELM   =      1\n"))
    (read,) = convert(tmp_path, file)
    assert frame_numbers(read) == [0, 1, 2, 3]


@pytest.mark.parametrize("pstress", [0.0, 1480.0, 3480.0, -5.0, 0.3])
def test_a_vasprun_with_pstress_has_the_energy_and_not_the_enthalpy(tmp_path, system, pstress):
    (tmp_path / "vasprun.xml").write_text(made_up_outputs.vasprun(system, pstress=pstress))
    (read,) = convert(tmp_path, tmp_path / "vasprun.xml")
    compare(read, system, 1e-5)


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        ({"pstress": 1480.0, "electronic": None}, "the energy of its last electronic step is mis"),
        ({"pstress": 1480.0, "electronic": -0.5}, r"lies 31\.\d+ eV above .* PSTRESS times volume"),
        ({"electronic": -0.5}, r"lies 0\.5 eV above its last electronic step's;"),
    ],
)
def test_a_vasprun_whose_energies_contradict_each_other_is_refused(
    tmp_path, system, options, reason
):
    (tmp_path / "vasprun.xml").write_text(made_up_outputs.vasprun(system, **options))
    with pytest.raises(UserError, match=rf"vasprun.xml frame 0: .*{reason}.*use the OUTCAR of"):
        convert(tmp_path, tmp_path / "vasprun.xml")


def test_a_dispersion_correction_belongs_to_the_energy(tmp_path, system):
    """DFT-D is added after the last electronic step."""
    text = made_up_outputs.vasprun(system, electronic=0.5, more='<i type="int" name="IVDW"> 12</i>')
    (tmp_path / "vasprun.xml").write_text(text)
    (read,) = convert(tmp_path, tmp_path / "vasprun.xml")
    compare(read, system, 1e-5)


@pytest.mark.parametrize("terse", [(1,), (0, 2), (1, 2)])
def test_frames_without_forces_do_not_shift_the_others(tmp_path, file, system, terse):
    """NWRITE = 0; the unconverged frame 3 is the one that is left out."""
    file.write_text(made_up_outputs.outcar(system, terse=terse, unconverged=(3,)))
    (read,) = convert(tmp_path, file)
    kept = [i for i in range(3) if i not in terse]
    assert frame_numbers(read) == kept
    compare(read, system.select(kept), 2e-4)
    lines = (tmp_path / "labelled/vasp/left_out.txt").read_text().splitlines()
    assert lines == [
        f"{file} frame {i}: "
        + ("no forces or no cell were written (NWRITE = 0)" if i in terse else "the "
           "self-consistent field did not converge")
        for i in sorted({*terse, 3})
    ]  # fmt: skip


@pytest.mark.parametrize("stressless", [(0,), (2,), (1, 3)])
def test_a_frame_without_stress_does_not_take_that_of_another(tmp_path, file, system, stressless):
    file.write_text(made_up_outputs.outcar(system, stressless=stressless))
    with pytest.raises(UserError, match=rf"OUTCAR frame {stressless[0]}: no stress; .*ISIF"):
        convert(tmp_path, file)
    text = made_up_outputs.vasprun(system).split('<varray name="stress">')
    assert len(text) == 5
    joined = text[0]
    for i, part in enumerate(text[1:]):
        joined += f'<varray name="{"none" if i in stressless else "stress"}">{part}'
    (tmp_path / "vasprun.xml").write_text(joined)
    with pytest.raises(UserError, match=rf"vasprun.xml frame {stressless[0]}: no stress; .*ISIF"):
        convert(tmp_path, tmp_path / "vasprun.xml")


def written(system, frame, path, change, **units):
    """`made_up_outputs.write_pwscf` with another text of the input."""
    made_up_outputs.write_pwscf(system, frame, path, **units)
    text = change(path.with_suffix(".in").read_text())
    path.with_suffix(".in").write_text(text)
    return path


#: Ways to write one input; each of them gave another cell, or a parser's text.
INPUTS = {
    "several on a line": lambda text: text.replace(
        " ibrav = 0\n nat = 11\n ntyp = 2\n", " ibrav = 0, nat = 11, ntyp = 2, nspin = 1\n"
    ),
    "trailing commas": lambda text: text.replace("= 0\n", "= 0,\n").replace("= 11\n", "= 11,\n"),
    "comments": lambda text: text.replace("= 0\n", "= 0 ! none\n").replace(
        "\nH ", "\n! a comment\n# another\n\nH ", 4
    ),
    "no final newline": lambda text: text.replace("K_POINTS gamma\n", "").rstrip("\n"),
    "lower-case cards": lambda text: re.sub("[A-Z]{3,}_[A-Z]+", lambda one: one[0].lower(), text),
    "upper-case names": lambda text: text.replace("ibrav", "IBRAV").replace("&SYSTEM", "&system"),
    "braces": lambda text: text.replace(" angstrom", " {angstrom}"),
    "parentheses": lambda text: text.replace(" angstrom", "(angstrom)"),
    "other order": lambda text: text.replace("\nK_POINTS gamma\n", "").replace(
        "CELL_PARAMETERS", "K_POINTS gamma\nCELL_PARAMETERS"
    ),
    "fixed atoms": lambda text: re.sub(r"^(H .*)$", r"\1 0 0 1", text, flags=re.MULTILINE),
    "labels of species": lambda text: text.replace("La ", "La1 ").replace("H ", "H_a "),
    "exponents": lambda text: text.replace("0.000000000", "0.0d0"),
    "other names": lambda text: text.replace("/\n&SYSTEM", " title = 'nat = 3'\n/\n&SYSTEM"),
}


@pytest.mark.parametrize("change", INPUTS.values(), ids=INPUTS)
def test_inputs_of_pw_x_are_read_as_fortran_reads_them(tmp_path, system, change):
    path = written(system, 1, tmp_path / "pw.out", change)
    (read,) = convert(tmp_path, path)
    compare(read, system.select([1]), 1e-5)


@pytest.mark.parametrize("cell", ["angstrom", "bohr", "alat"])
@pytest.mark.parametrize("positions", ["angstrom", "bohr", "alat", "crystal"])
def test_units_of_cell_and_positions(tmp_path, system, cell, positions):
    made_up_outputs.write_pwscf(system, 2, tmp_path / "pw.out", cell=cell, positions=positions)
    (read,) = convert(tmp_path, tmp_path / "pw.out")
    compare(read, system.select([2]), 1e-5)


def test_units_that_are_left_out_are_those_of_pw_x(tmp_path, system):
    def bare(text):
        return text.replace("alat", "").replace("bohr", "")

    for units in (
        {"cell": "alat", "positions": "alat"},
        {"cell": "bohr", "positions": "crystal"},
    ):
        path = written(system, 1, tmp_path / "pw.out", bare, **units)
        (read,) = convert(tmp_path, path)
        compare(read, system.select([1]), 1e-5)
    # A in Å does the same as celldm(1) in bohr.
    path = written(
        system,
        1,
        tmp_path / "pw.out",
        lambda text: re.sub(r"celldm\(1\) = .*", "A = 5.0", text),
        cell="alat",
        positions="alat",
    )
    (read,) = convert(tmp_path, path)
    compare(read, system.select([1]), 1e-5)


def test_a_cell_by_ibrav_is_the_one_that_pw_x_prints(tmp_path, system):
    def by_ibrav(text):
        text = text.replace("ibrav = 0", "ibrav = 2\n celldm(1) = 9.6")
        return re.sub(r"CELL_PARAMETERS .*\n(.*\n){3}", "", text)

    path = written(system, 1, tmp_path / "pw.out", by_ibrav)
    (read,) = convert(tmp_path, path)
    expected = system.select([1])
    np.testing.assert_allclose(read.boxes, expected.boxes, atol=1e-5)
    np.testing.assert_allclose(read.forces, expected.forces, atol=1e-5)
    path.write_text(path.read_text().replace("crystal axes", "").replace("a(1) =", ""))
    with pytest.raises(
        UserError, match=r"pw.in: expected ibrav = 0 .*pw.out does not print the crys"
    ):
        convert(tmp_path, path)


BAD_INPUTS = {
    "another cell": (
        lambda text: re.sub(r"(CELL_PARAMETERS .*\n)\S+", r"\g<1>3.9", text),
        r"pw.out: expected the volume of pw.in, \d\d\.\d+ Å3, got 33\.\d+; is pw.in the inp",
    ),
    "a cell of the same volume": (
        lambda text: re.sub(
            r"(CELL_PARAMETERS .*\n)(.*\n)(.*\n)(.*\n)", r"\g<1>\g<3>\g<4>\g<2>", text
        ),
        r"pw.out: expected the crystal axes of pw.in, got others",
    ),
    "one atom fewer": (
        lambda text: re.sub(r"\nH \S+ \S+ \S+\n\nK", "\n\nK", text).replace("= 11", "= 10"),
        r"pw.out: expected the 10 atoms of pw.in, got 11",
    ),
    "a lost line": (
        lambda text: re.sub(r"\nH \S+ \S+ \S+\n\nK", "\n\nK", text),
        r"pw.in: expected 11 lines of ATOMIC_POSITIONS, got 10",
    ),
    "no nat": (
        lambda text: text.replace(" nat = 11\n", ""),
        r"pw.in: expected a whole number nat .*nothing",
    ),
    "nat in words": (
        lambda text: text.replace("= 11", "= many"),
        r"pw.in: expected a whole number nat .*many",
    ),
    "no namelist": (
        lambda text: text.replace("&SYSTEM", ""),
        r"pw.in: expected one namelist &SYSTEM",
    ),
    "cut short": (
        lambda text: text[:80],
        r"pw.in: (its namelists cannot be read|expected one namelist)",
    ),
    "no positions": (lambda text: text.replace("ATOMIC_POS", "X"), r"pw.in: no ATOMIC_POSITIONS"),
    "words for numbers": (
        lambda text: re.sub(r"\nLa \S+ \S+ \S+\n", "\nLa a b c\n", text, count=1),
        r"pw.in: ATOMIC_POSITIONS: expected three numbers, got 'a b c'",
    ),
    "alat of nothing": (
        lambda text: text.replace("CELL_PARAMETERS angstrom", "CELL_PARAMETERS alat"),
        r"pw.in: CELL_PARAMETERS in alat; expected celldm\(1\) or A",
    ),
    "crystal_sg": (
        lambda text: text.replace("POSITIONS angstrom", "POSITIONS crystal_sg"),
        r"pw.in: expected ATOMIC_POSITIONS in alat, bohr, angstrom or crystal, got crystal_sg",
    ),
    "deuterium": (
        lambda text: text.replace("\nH ", "\nD "),
        r"frame 0: expected elements La, H, got D",
    ),
}


@pytest.mark.parametrize("change, message", BAD_INPUTS.values(), ids=BAD_INPUTS)
def test_bad_inputs_of_pw_x_are_named(tmp_path, system, change, message):
    path = written(system, 1, tmp_path / "pw.out", change)
    assert path.with_suffix(".in").read_text() != made_up_outputs.pw_input(system, 1)
    with pytest.raises(UserError, match=message) as caught:
        convert(tmp_path, path)
    assert "\n" not in str(caught.value)


def test_other_files_are_refused(tmp_path):
    (tmp_path / "a.txt").write_text("neither\n")
    with pytest.raises(UserError, match=r"a.txt: neither of VASP nor of pw.x; expected OUTCAR"):
        convert(tmp_path, tmp_path / "a.txt")
