"""Settings, fetching, the split, energy constants: from sources to what is trained on."""

import json
import subprocess
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import yaml

import labelled
from lah10.config import training as settings
from lah10.errors import UserError
from lah10.io.files import sha256
from lah10.potential.data import alignment, dataset, deepmd_folders, fetch, neighbours, preparation
from lah10.potential.evaluate import Prediction
from lah10.units import EV_PER_A3_IN_GPA

REPOSITORY = Path(__file__).resolve().parents[4]


def split_of(**held_out) -> settings.Split:
    about = {"citation": "nobody", "terms": "none"}
    return settings.Split.model_validate(
        {
            "sources": {
                name: {**about, "path": f"data/{name}", "held_out": held}
                for name, held in held_out.items()
            }
        }
    )


@pytest.fixture
def sources(tmp_path):
    """Two sources: `toy` with sets a, b/low and b/high, `other` with a set a."""
    for i, name in enumerate(("toy/a", "toy/b/low", "toy/b/high", "other/a")):
        deepmd_folders.write_deepmd(labelled.system(name, seed=i), tmp_path / name)
    second = labelled.system("toy/a", seed=10, sigma=0.05)
    deepmd_folders.write_deepmd(second, tmp_path / "aside")
    (tmp_path / "aside/set.000").rename(tmp_path / "toy/a/set.001")
    return {"toy": tmp_path / "toy", "other": tmp_path / "other"}


def test_whole_systems_and_single_sets_are_held_out(sources, tmp_path):
    split = split_of(toy=["b/low", "a/set.001"], other="all")
    index = preparation.prepare(split, sources, tmp_path / "prepared")
    frames = {
        part: {entry["name"]: entry["frames"] for entry in preparation.read_index(index)[part]}
        for part in ("train", "test")
    }
    assert frames == {
        "train": {"toy/a": 5, "toy/b/high": 5},
        "test": {"toy/a": 5, "toy/b/low": 5, "other/a": 5},
    }
    kept = {s.name: s for s in preparation.read_part(index, "train")}["toy/a"]
    expected = deepmd_folders.read_deepmd(tmp_path / "toy/a", "a").select(range(5))
    np.testing.assert_array_equal(kept.coordinates, expected.coordinates)


def test_a_held_out_set_that_is_not_there_is_named(sources, tmp_path):
    with pytest.raises(UserError, match=r"held_out: b/lwo is not.*there are a, b/high, b/low"):
        preparation.prepare(split_of(toy=["b/lwo"], other="all"), sources, tmp_path / "prepared")
    assert not (tmp_path / "prepared").exists()


@pytest.mark.parametrize(
    "key, entry",
    [
        ("held_out", "low"),  # the end of b/low, and of its folder's path
        ("held_out", "set.001"),
        ("held_out", "b"),
        ("held_out", "toy/a"),
        ("held_out", "a/set.00"),
        ("without_energies", "a/set.001"),
        ("without_energies", "low"),
    ],
)
def test_systems_and_sets_are_named_by_their_whole_path(sources, key, entry):
    about = split_of(toy=[]).sources["toy"].model_copy(update={key: (entry,)})
    systems = dataset.read(sources["toy"], "toy")
    with pytest.raises(UserError, match=rf"sources.toy.{key}: {entry} is not among .* are a, "):
        preparation.divide(systems, "toy", about)


def test_a_source_that_is_one_system_has_sets(sources):
    """There is no path below the source but that of its sets."""
    systems = dataset.read(sources["toy"] / "a", "toy")
    about = split_of(toy=["set.001"]).sources["toy"]
    parts = preparation.divide(systems, "toy", about)
    assert [frame.split("/")[-1][:7] for frame in parts["test"][0].frames] == 5 * ["set.001"]
    assert [len(parts[part][0]) for part in preparation.PARTS] == [5, 5]


def test_a_pulay_stress_is_added_to_what_is_trained_on_and_tested_with(sources):
    """W + c N 1, so that pressures rise by c over the volume an atom; nothing else changes."""
    systems = dataset.read(sources["toy"], "toy")
    source = split_of(toy=["b/low"]).sources["toy"]
    plain, lacking = (source.model_copy(update={"pulay_pv_per_atom": c}) for c in (0, 0.02))
    before, after = (preparation.divide(systems, "toy", about) for about in (plain, lacking))
    assert [s.name for s in after["test"]] == ["toy/b/low"] and len(after["train"]) == 2
    for part in preparation.PARTS:
        for old, new in zip(before[part], after[part], strict=True):
            rise = (new.pressures - old.pressures) / EV_PER_A3_IN_GPA
            np.testing.assert_allclose(rise, 0.02 * old.n_atoms / old.volumes)
            added = np.broadcast_to(0.02 * old.n_atoms * np.eye(3), old.virials.shape)
            np.testing.assert_allclose(new.virials - old.virials, added, atol=1e-12)
            for name in ("energies", "forces", "volumes"):
                np.testing.assert_array_equal(getattr(new, name), getattr(old, name))


def test_of_what_is_tested_with_a_pulay_stress_is_put_on_and_the_pressure_taken_off(
    sources, tmp_path
):
    split = split_of(toy=["b/low"])
    lacking = split.sources["toy"].model_copy(update={"pulay_pv_per_atom": 0.02})
    offsets = alignment.Alignment({"toy": 0.5}, {"toy": 2.0}, {})
    plain = preparation.prepare(split, sources, tmp_path / "plain")
    both = preparation.prepare(
        settings.Split(sources={"toy": lacking}), sources, tmp_path / "both", offsets
    )
    for part in preparation.PARTS:
        pairs = zip(
            preparation.read_part(plain, part), preparation.read_part(both, part), strict=True
        )
        for before, after in pairs:
            pulay = 0.02 * before.n_atoms / before.volumes * EV_PER_A3_IN_GPA
            np.testing.assert_allclose(after.pressures, before.pressures + pulay - 2.0, atol=1e-6)


@pytest.mark.parametrize("held", [[], "all"], ids=["trained on", "held out"])
def test_a_source_may_share_anothers_scale(sources, tmp_path, held):
    plain = split_of(toy=["b/low"], other=held)
    split = settings.Split(
        sources=plain.sources
        | {"other": plain.sources["other"].model_copy(update={"same_reference_as": "toy"})}
    )
    offsets = alignment.Alignment({"toy": 0.5}, {"toy": 2.0}, {})
    before = preparation.prepare(plain, sources, tmp_path / "plain")
    after = preparation.prepare(split, sources, tmp_path / "shared", offsets)
    part = "test" if held else "train"
    pairs = [
        pair
        for pair in zip(
            preparation.read_part(before, part), preparation.read_part(after, part), strict=True
        )
        if pair[0].name.startswith("other")
    ]
    assert pairs
    for one, other in pairs:
        np.testing.assert_allclose(other.pressures, one.pressures - 2.0, atol=1e-6)
        work = 2.0 / EV_PER_A3_IN_GPA * one.volumes
        constant = 0.0 if held else 0.5 * one.n_atoms
        np.testing.assert_allclose(other.energies, one.energies + work - constant, atol=1e-6)


def test_energies_that_are_not_to_be_learnt_are_not_there(sources, tmp_path):
    """Of what is trained on; what is tested with has them."""
    split = split_of(toy=["b/low", "a/set.001"], other="all")
    about = split.sources["toy"].model_copy(update={"without_energies": ("a",)})
    split = split.model_copy(update={"sources": split.sources | {"toy": about}})
    index = preparation.prepare(split, sources, tmp_path / "p")
    known = {
        part: {
            s.name: bool(np.isfinite(s.energies).all()) for s in preparation.read_part(index, part)
        }
        for part in preparation.PARTS
    }
    assert known["train"] == {"toy/a": False, "toy/b/high": True}
    assert known["test"] == {"toy/a": True, "toy/b/low": True, "other/a": True}
    assert not list(tmp_path.glob("p/train/toy/a/set.000/energy.npy"))


def test_everything_held_out_is_refused(sources, tmp_path):
    with pytest.raises(UserError, match="nothing is left to train on"):
        preparation.prepare(split_of(toy="all", other="all"), sources, tmp_path / "prepared")


def test_a_bad_frame_leaves_nothing_to_train_on(sources, tmp_path):
    split = split_of(toy=["b/low"], other="all")
    index = preparation.prepare(split, sources, tmp_path / "prepared")
    file = sources["other"] / "a/set.000/force.npy"
    np.save(file, np.load(file) * np.nan)
    with pytest.raises(UserError, match=r"other/a/set.000 frame 0: forces with NaN"):
        preparation.prepare(split, sources, tmp_path / "prepared")
    # What was prepared before is whole, and of the old data.
    assert preparation.read_index(index)


def test_changed_data_are_noticed(sources, tmp_path):
    index = preparation.prepare(split_of(toy=["b/low"], other="all"), sources, tmp_path / "p")
    file = next(tmp_path.glob("p/train/toy/a/set.000/energy.npy"))
    np.save(file, np.load(file) + 1e-9)
    with pytest.raises(UserError, match=r"energy.npy: missing or changed"):
        preparation.read_index(index)


@pytest.mark.parametrize("name", ["type.raw", "type_map.raw"])
def test_changed_elements_are_noticed(sources, tmp_path, name):
    index = preparation.prepare(split_of(toy=["b/low"], other="all"), sources, tmp_path / "p")
    file = tmp_path / "p/train/toy/a" / name
    file.write_text("\n".join(reversed(file.read_text().split())) + "\n")
    with pytest.raises(UserError, match=rf"{name}: missing or changed"):
        preparation.read_index(index)


def test_near_copies_are_told_and_copies_refused(sources, tmp_path, caplog):
    split = split_of(toy=["b/low"], other="all")
    quiet = preparation.prepare(split, sources, tmp_path / "p")
    assert preparation.read_index(quiet)["near_copies"] == []
    assert not caplog.records
    trained = labelled.system("toy/a", seed=0)
    step = np.array([0.02, 0, 0])[None, None] * (np.arange(trained.n_atoms) == 3)[:, None]
    deepmd_folders.write_deepmd(
        replace(trained, coordinates=trained.coordinates + step), tmp_path / "toy/b/low"
    )
    index = preparation.prepare(split, sources, tmp_path / "p")
    told = preparation.read_index(index)["near_copies"]
    low, a = (f"{tmp_path}/toy/{name}/set.000 frame " for name in ("b/low", "a"))
    assert [(one["frame"], one["of"]) for one in told] == [
        (f"{low}{i}", f"{a}{i}") for i in range(5)
    ]
    assert all(0.005 < one["distance"] <= 0.02 for one in told)
    assert caplog.messages[0].startswith(f"{low}0 is held out, and within 0.0")
    deepmd_folders.write_deepmd(trained, tmp_path / "toy/b/low")
    with pytest.raises(UserError, match=r"b/low/set.000 frame 0: the same structure as .*/a/"):
        preparation.prepare(split, sources, tmp_path / "p")


def test_the_closest_pair_is_singled_out(sources, tmp_path):
    index = preparation.prepare(split_of(toy=["b/low"], other="all"), sources, tmp_path / "p")
    closest = deepmd_folders.read_deepmd(tmp_path / "p/closest", "closest")
    everything = preparation.read_part(index, "train") + preparation.read_part(index, "test")
    shortest = min(neighbours.shortest_distances(s, 2.0).min() for s in everything)
    assert len(closest) == 1
    assert neighbours.shortest_distances(closest, 2.0)[0] == shortest


def test_what_is_trained_on_is_aligned_and_of_the_rest_the_pressure(sources, tmp_path):
    split = split_of(toy=["b/low"], other="all")
    about = split.sources["toy"].model_copy(update={"without_energies": ("b/high",)})
    split = split.model_copy(update={"sources": split.sources | {"toy": about}})
    plain = preparation.prepare(split, sources, tmp_path / "plain")
    offsets = alignment.Alignment({"toy/a": 0.5}, {"toy": 2.0}, {})
    aligned = preparation.prepare(split, sources, tmp_path / "aligned", offsets)
    assert preparation.read_index(aligned)["aligned"]
    for part in ("train", "test"):
        pairs = zip(
            preparation.read_part(plain, part), preparation.read_part(aligned, part), strict=True
        )
        for before, after in pairs:
            pressure = 2.0 if before.name.startswith("toy/") else 0.0
            np.testing.assert_allclose(before.pressures - after.pressures, pressure, atol=1e-9)
            energy = before.energies - after.energies + pressure / 160.21766 * before.volumes
            if part == "test":
                np.testing.assert_allclose(energy, 0, atol=1e-6)
            elif before.name == "toy/a":
                np.testing.assert_allclose(energy / before.n_atoms, 0.5, atol=1e-6)
            else:
                assert np.isnan(after.energies).all()
    assert not list(tmp_path.glob("aligned/train/toy/b/high/set.000/energy.npy"))
    with pytest.raises(UserError, match="no energy constant for toy/a"):
        unknown = alignment.Alignment({"toy/b": 0.5}, {}, {})
        preparation.prepare(split, sources, tmp_path / "p", unknown)


def test_labels_are_compared_with_a_potential(sources, tmp_path, monkeypatch):
    """Those that are held out as well, and before anything is written."""
    asked = []

    def evaluate(model, systems):
        asked.append((model, [s.name for s in systems]))
        return [prediction_of(s) for s in systems]

    monkeypatch.setattr(preparation, "evaluate", evaluate)
    split = split_of(toy=["b/low"], other="all")
    preparation.prepare(split, sources, tmp_path / "p", model="known.pb")
    assert asked == [("known.pb", ["toy/a", "toy/b/high", "toy/b/low", "other/a"])]
    turned = lambda systems: [prediction_of(replace(s, forces=-s.forces)) for s in systems]  # noqa: E731
    monkeypatch.setattr(preparation, "evaluate", lambda model, systems: turned(systems))
    with pytest.raises(
        UserError, match=r"toy/a/set.000 frame 0: forces .*-1 times .*known.pb .* label_check in"
    ):
        preparation.prepare(split, sources, tmp_path / "q", model="known.pb")
    assert not (tmp_path / "q").exists()


# ------------------------------------------------------------------------------ alignment


def prediction_of(system):
    """The system's own labels."""
    return Prediction(system.energies, system.forces, system.virials)


@pytest.fixture
def truth(monkeypatch):
    """Systems on one scale; the model that is asked knows them, but 7 eV/atom higher."""
    systems = {
        name: labelled.system(name, frames=9, seed=i, volume=volume)
        for i, (name, volume) in enumerate(
            [("toy/a", 33.2), ("toy/b", 36.0), ("other/c", 34.0), ("other/d", 35.0)]
        )
    }
    monkeypatch.setattr(
        alignment,
        "evaluate",
        lambda model, asked, threads: [
            prediction_of(alignment.Alignment({s.name: -7.0}, {}, {}).apply(systems[s.name]))
            for s in asked
        ],
    )
    return systems


def test_offsets_of_sets_and_sources_are_found_and_taken_off(truth):
    put_in = alignment.Alignment(
        {"toy/a": -0.004, "toy/b": 0.004, "other/c": -160.0, "other/d": -160.0},
        {"other": -2.5},
        {},
    )
    labels = [put_in.apply(system) for system in truth.values()]
    split = split_of(toy=[], other=[])
    found = alignment.estimate("model.pb", labels, split)
    for name, value in put_in.energies.items():
        assert found.energies[name] == pytest.approx(-value, abs=1e-9)
    assert found.pressures == pytest.approx({"other": 2.5})
    for label, true in zip(labels, truth.values(), strict=True):
        aligned = found.apply(label)
        np.testing.assert_allclose(aligned.energies, true.energies, atol=1e-9)
        np.testing.assert_allclose(aligned.virials, true.virials, atol=1e-9)


def test_the_pressure_of_an_alignment_has_the_pulay_stress(truth):
    """Labels on the potential's scale: what it finds off them is what was added to pressures."""
    lacking = split_of(other=[]).sources["other"].model_copy(update={"pulay_pv_per_atom": 0.02})
    others = [truth[name] for name in ("other/c", "other/d")]
    labels = [
        truth["toy/a"],
        truth["toy/b"],
        *preparation.divide(others, "other", lacking)["train"],
    ]
    found = alignment.estimate("model.pb", labels, split_of(toy=[], other=[]))
    pulay = np.concatenate([0.02 * s.n_atoms / s.volumes * EV_PER_A3_IN_GPA for s in others])
    assert pulay.min() > 0.5
    assert found.pressures == pytest.approx({"other": np.median(pulay)}, rel=0.05)


def test_sets_of_one_source_may_share_their_zero(truth):
    put_in = alignment.Alignment(
        dict.fromkeys(truth, 0.0) | {"other/c": -160.0, "other/d": -160.002}, {}, {}
    )
    labels = [put_in.apply(system) for system in truth.values()]
    split = split_of(toy=[], other=[])
    shared = split.model_copy(
        update={
            "sources": split.sources
            | {"other": split.sources["other"].model_copy(update={"shared_energy_reference": True})}
        }
    )
    found = alignment.estimate("model.pb", labels, shared)
    assert list(found.energies) == ["toy/a", "toy/b", "other"]
    assert found.energies["other"] == pytest.approx(160.001, abs=0.002)
    # Further sets of the source are on the same scale.
    further = replace(truth["other/d"], name="other/e")
    np.testing.assert_allclose(
        found.apply(further).energies,
        truth["other/d"].energies - found.energies["other"] * further.n_atoms,
    )


def test_a_source_that_shares_a_scale_has_no_say_in_the_offsets(truth):
    split = split_of(toy=[], other=[])
    shared = split.model_copy(
        update={
            "sources": split.sources
            | {"other": split.sources["other"].model_copy(update={"same_reference_as": "toy"})}
        }
    )
    found = alignment.estimate("model.pb", list(truth.values()), shared)
    assert list(found.energies) == ["toy/a", "toy/b"] and not found.pressures


def test_energies_that_are_not_to_be_learnt_have_no_constant_and_no_say(truth):
    """Neither do they move the zero; the set's pressures count as any other's."""
    put_in = alignment.Alignment({"toy/a": -3.0, "toy/b": 0.0, "other": 0.0}, {"other": -2.5}, {})
    labels = [put_in.apply(system) for system in truth.values()]
    labels[0] = replace(labels[0], energies=np.full(len(labels[0]), np.nan))
    found = alignment.estimate("model.pb", labels, split_of(toy=[], other=[]))
    assert set(found.energies) == set(found.errors) == {"toy/b", "other/c", "other/d"}
    assert found.energies["toy/b"] == pytest.approx(0, abs=1e-9)
    assert found.pressures == pytest.approx({"other": 2.5})
    unknown = [replace(one, energies=np.full(len(one), np.nan)) for one in labels[:2]]
    with pytest.raises(UserError, match="no energies of toy are learnt"):
        alignment.estimate("model.pb", [*unknown, *labels[2:]], split_of(toy=[], other=[]))


def test_a_set_beyond_the_first_sources_pressures_cannot_be_aligned(truth):
    far = truth["other/c"] = labelled.system("other/c", frames=9, volume=27.0)
    with pytest.raises(UserError, match="other/c: no frame between 108 and 148 GPa"):
        alignment.estimate(
            "model.pb", [truth["toy/a"], truth["toy/b"], far], split_of(toy=[], other=[])
        )


def test_energies_in_hartree_are_told_by_their_slope(monkeypatch):
    system = labelled.system("toy/a", frames=20, sigma=0.12)
    monkeypatch.setattr(alignment, "evaluate", lambda *_: [prediction_of(system)])
    hartree = replace(system, energies=system.energies / 27.2114)
    with pytest.raises(UserError, match=r"energies vary 0.0367 times the potential's"):
        alignment.estimate("model.pb", [hartree], split_of(toy=[]))


def test_an_alignment_survives_its_file(tmp_path):
    model = tmp_path / "model.pb"
    model.write_bytes(b"graph")
    one = alignment.Alignment({"toy/a": 0.0123456}, {"toy": 2.5}, {"toy/a": 1e-4})
    path = tmp_path / "a.yaml"
    alignment.write(one, model, path)
    read = alignment.read(path)
    assert read == alignment.Alignment({"toy/a": 0.012346}, {"toy": 2.5}, {"toy/a": 1e-4})
    assert yaml.safe_load(path.read_text())["estimated_with"]["sha256"] == sha256(model)
    path.write_text("energies_eV_per_atom: {toy/a: 1.0, toy/b: }\npressures_GPa: {}\n")
    with pytest.raises(UserError, match=r"toy/b: expected a number, got None"):
        alignment.read(path)
    path.write_text("energies_eV_per_atom: {toy/a: 1.0}\n")
    with pytest.raises(UserError, match="pressures_GPa: missing"):
        alignment.read(path)
    path.write_text("energies_eV_per_atom: {toy/a: high}\npressures_GPa: {}\n")
    with pytest.raises(UserError, match=r"per_atom.toy/a: expected a number, got 'high'"):
        alignment.read(path)


# ------------------------------------------------------------------------------- fetching


def git(folder, *arguments):
    settings_of_git = ["-c", "user.name=a", "-c", "user.email=a@b", "-c", "commit.gpgsign=false"]
    subprocess.run(["git", "-C", folder, *settings_of_git, *arguments], check=True)


@pytest.fixture
def published(tmp_path):
    """A repository with files at an old commit, and the source that pins it."""
    repository = tmp_path / "published"
    files = repository / "data/full"
    (files / "a/set.000").mkdir(parents=True)
    (files / "a/type.raw").write_text("0 1\n")
    (files / "a/set.000/energy.npy").write_bytes(b"labels")
    (files / "unlisted.npy").write_bytes(b"of no use")
    git(tmp_path, "init", "--quiet", str(repository))
    git(repository, "add", ".")
    git(repository, "commit", "--quiet", "-m", "first")
    commit = subprocess.run(
        ["git", "-C", repository, "rev-parse", "--short", "HEAD"],
        check=True,
        capture_output=True,
        text=True,
    ).stdout.strip()
    names = ("a/type.raw", "a/set.000/energy.npy")
    manifest = tmp_path / "manifest.sha256"
    manifest.write_text("".join(f"{sha256(files / name)}  {name}\n" for name in names))
    (files / "a/type.raw").write_text("1 0\n")
    git(repository, "commit", "--quiet", "--all", "-m", "second")
    source = settings.Source(
        citation="nobody",
        terms="none",
        repository=repository.as_uri(),
        commit=commit,
        folder="data/full",
        manifest=str(manifest),
        held_out=(),
    )
    return source, manifest, repository


def test_the_pinned_commit_is_fetched(published, tmp_path):
    source, manifest, _ = published
    fetch.fetch(source, manifest, tmp_path / "got/toy")
    got = {str(p.relative_to(tmp_path / "got")) for p in tmp_path.rglob("got/**/*") if p.is_file()}
    assert got == {"toy/a/type.raw", "toy/a/set.000/energy.npy"}
    assert (tmp_path / "got/toy/a/type.raw").read_text() == "0 1\n"


def test_without_network_the_way_out_is_told(published, tmp_path):
    source, manifest, repository = published
    repository.rename(tmp_path / "gone")
    with pytest.raises(
        UserError, match=r"cannot be fetched .*on a machine with network: git clone"
    ):
        fetch.fetch(source, manifest, tmp_path / "got")
    assert not (tmp_path / "got").exists()


def test_a_local_copy_is_verified(published, tmp_path):
    source, manifest, repository = published
    with pytest.raises(UserError, match=r"type.raw: its content is not the published one"):
        fetch.fetch(source, manifest, tmp_path / "got", local=repository / "data/full")
    git(repository, "checkout", "--quiet", "HEAD~1")
    fetch.fetch(source, manifest, tmp_path / "got", local=repository / "data/full")
    assert (tmp_path / "got/a/type.raw").read_text() == "0 1\n"
    (repository / "data/full/a/type.raw").unlink()
    with pytest.raises(UserError, match=r"type.raw: missing; is .* the right folder"):
        fetch.fetch(source, manifest, tmp_path / "got", local=repository / "data/full")
    # What was fetched before is untouched.
    assert (tmp_path / "got/a/type.raw").read_text() == "0 1\n"


@pytest.mark.parametrize("line", ["abc  a.npy", "0" * 64 + "  ../a.npy", "0" * 64 + "  /a", ""])
def test_a_bad_manifest_is_named(tmp_path, line):
    (tmp_path / "m").write_text(line)
    with pytest.raises(UserError, match=r"/m: (line 1|expected lines)"):
        fetch.read_manifest(tmp_path / "m")


# ------------------------------------------------------------------------------- settings


def test_the_shipped_settings_are_valid(monkeypatch):
    training, split = settings.load(REPOSITORY / "config/training.yaml", root=REPOSITORY)
    assert training.alignment_file
    source = split.sources["ly-ceperley"]
    manifest = fetch.read_manifest(REPOSITORY / source.manifest)
    # Every held-out set is among the published files.
    for entry in (*source.held_out, *source.without_energies):
        assert any(name.startswith(f"{entry}/") for name in manifest), entry


def test_the_shipped_alignment_is_of_what_is_trained_on():
    """One constant for each set of the published source that is learnt with its energies."""
    folder = REPOSITORY / "resources/potentials/lah10"
    split = settings.load_split(folder / "split.yaml")
    known = alignment.read(folder / "alignment.yaml")
    source = split.sources["ly-ceperley"]
    systems = {
        name.removesuffix("/type.raw")
        for name in fetch.read_manifest(REPOSITORY / source.manifest)
        if name.endswith("/type.raw")
    }
    learnt = systems - set(source.held_out) - set(source.without_energies)
    zeros = {split.zero_of("lah10-gpaw-pbe/snapshots/La4H40"), "lah10-gpaw-pbe"}
    assert set(known.energies) == {f"ly-ceperley/{name}" for name in learnt} | zeros
    assert set(known.pressures) == {"lah10-gpaw-pbe"}


SHIPPED = "resources/potentials/lah10"
#: Learning that may begin, but for what is changed.
LEARN = {"models": "trained"}
EXPLORED = {"equilibrate": "1 ps", "produce": "1 ps"}

BAD_SETTINGS = {
    "unknown key": ({"stage": []}, "stage: unknown key; did you mean stages"),
    "missing": ({"stages": ...}, "stages: missing"),
    "no stage": ({"stages": []}, r"stages: expected a list of at least 1, got \[\]"),
    "steps beyond the last checkpoint": (
        {"stages": [{"input": "Makefile", "steps": 2500}], "checkpoint_steps": 2000},
        r"stages\[0\].steps: expected a multiple of checkpoint_steps \(2000\), got 2500",
    ),
    "no steps": (
        {"stages": [{"input": "Makefile", "steps": 0}]},
        r"stages\[0\].steps: expected a number >= 1, got 0",
    ),
    "unknown key of a stage": (
        {"stages": [{"input": "Makefile", "step": 1, "steps": 1}]},
        r"stages\[0\].step: unknown key; did you mean steps\? known keys: input, steps, shares",
    ),
    "share of more than all": (
        {"shares": {"toy": 1.5}},
        "shares.toy: expected a number <= 1, got 1.5",
    ),
    "shares of more than all": (
        {"shares": {"a": 0.6, "b": 0.6}},
        "shares: expected at most 1 in all, got 1.2",
    ),
    "a stage's": (
        {"stages": [{"input": "Makefile", "steps": 2000, "shares": {"a": 0.6, "b": 0.6}}]},
        r"stages\[0\].shares: expected at most 1 in all, got 1.2",
    ),
    "seed twice": ({"seeds": [1, 2, 1]}, r"seeds: expected every value once, got 1 twice"),
    "device": ({"device": "tpu"}, "device: expected 'auto', 'cpu' or 'gpu', got \"tpu\""),
    "no such file": (
        {"stages": [{"input": "nowhere.json", "steps": 1}]},
        r"stages\[0\].input: expected the path of a file, got nowhere.json",
    ),
    "no such model to check by": (
        {"label_check": "nowhere.pb"},
        r"label_check: expected the path of a file, got nowhere.pb",
    ),
    "no such source": (
        {"data": {"ly": "."}},
        r"data.ly: expected a source of .*ly-ceperley.*, got ly$",
    ),
    "no such folder": (
        {"data": {"ly-ceperley": "nowhere"}},
        "data.ly-ceperley: expected the path of a folder, got nowhere",
    ),
    "no such model": (
        {"compare": {"peer": "nowhere.pb"}},
        r"compare.peer: expected the path of a frozen graph .*, got nowhere.pb",
    ),
    "no such structures": (
        {"labels": {"structures": "nowhere.xyz"}},
        r"labels.structures: expected the path of a file with structures.*, got nowhere.xyz",
    ),
    "no such outputs": (
        {"labels": {"outputs": {"vasp": "nowhere"}}},
        r"labels.outputs.vasp: expected the path of an output of VASP .*, got nowhere",
    ),
    "outputs' name taken": (
        {"labels": {"outputs": {"gpaw": "config"}}},
        r"labels.outputs.gpaw: the name of the labels made here",
    ),
    "cut-off without unit": (
        {"labels": {"gpaw": {"cutoff": 600}}},
        r"labels.gpaw.cutoff: expected a number with the unit eV, .*, got 600",
    ),
    "unknown key of GPAW": (
        {"labels": {"gpaw": {"cutof": "600 eV"}}},
        r"labels.gpaw.cutof: unknown key; did you mean cutoff\?",
    ),
    "smearing": ({"labels": {"gpaw": {"smearing": "gauss"}}}, r"labels.gpaw.smearing: "),
    "learning without models": (
        {"learn": {"models": ["a.pb"]}},
        r"learn.models: expected none, trained, or a list of at least two .*, got \[\"a.pb\"\]",
    ),
    "learning with a model twice": (
        {"learn": {"models": ["a.pb", "a.pb"]}},
        r"learn.models: expected every value once, got a.pb twice",
    ),
    "learning with models that are not there": (
        {"learn": {"models": ["a.pb", "b.pb"]}},
        r"learn.models\[0\]: a.pb: cannot be read",
    ),
    "learning with a compressed model": (
        {"learn": {"models": [f"{SHIPPED}/frozen.pb", f"{SHIPPED}/lah10.pb"]}},
        r"learn.models\[1\]: expected a graph as `dp freeze` writes it, .* is compressed",
    ),
    "learning with one trained model": (
        {"learn": {"models": "trained"}, "seeds": [3]},
        r"learn.models: expected at least two seeds with trained models, got one",
    ),
    "learning between bounds upside down": (
        {"learn": {"lower": "1 eV/Å", "upper": "0.5 eV/Å"}},
        r"learn.lower: expected less than upper \(0.5 eV/Å\), got 1 eV/Å",
    ),
    "learning's bound without unit": (
        {"learn": {"lower": 0.2}},
        r"learn.lower: expected a number with the unit eV/Å, .*, got 0.2",
    ),
    "learning's share": (
        {"learn": {"share": 1.5}},
        r"learn.share: expected a number < 1, got 1.5",
    ),
    "learning's rounds": ({"learn": {"rounds": 0}}, r"learn.rounds: expected a number >= 1, g"),
    "learning's unknown key": (
        {"learn": {"round": 2}},
        r"learn.round: unknown key; did you mean rounds\?",
    ),
    "learning's unknown bath": (
        {"learn": {"explore": {"baths": ["nose"]}}},
        r"learn.explore.baths\[0\]: expected 'classical', 'qtb' or 'adqtb', got \"nose\"",
    ),
    "learning's frames between records": (
        {"learn": {"explore": {"dynamics": EXPLORED | {"frame_interval": "7 fs"}}}},
        r"learn.explore.dynamics.frame_interval: expected a whole multiple .*, got 7 fs",
    ),
    "learning without frames": (
        {"learn": {"explore": {"dynamics": EXPLORED | {"frame_interval": "2000 fs"}}}},
        r"learn.explore.dynamics.frame_interval: expected at most produce \(1 ps\)",
    ),
    "learning at 0 K without quantum nuclei": (
        {"learn": {"explore": {"temperature": {"values": [0]}}}},
        r"learn.explore.temperature.values\[0\]: expected a number > 0 with .*, got 0",
    ),
    "learning's crystal": (
        {"learn": LEARN | {"explore": {"structure": {"file": "a.cif", "repeat": [1, 1, 1]}}}},
        r"learn.explore.structure.file: expected the path of a file, got a.cif",
    ),
    "learning's input": (
        {"learn": LEARN | {"retrain": {"input": "nowhere.json", "steps": 2000}}},
        r"learn.retrain.input: expected the path of a file, got nowhere.json",
    ),
    "learning's steps": (
        {"learn": LEARN | {"retrain": {"steps": 2500}}},
        r"learn.retrain.steps: expected a multiple of checkpoint_steps \(2000\), got 2500",
    ),
    "learning's share of steps": (
        {"learn": LEARN | {"retrain": {"share": 0.9}}},
        r"learn.retrain.share: expected at most 1 in all with `shares`, got 1.35",
    ),
    "learning's reference": (
        {"learn": LEARN | {"same_reference_as": "ly-ceperley"}},
        r"same_reference_as: expected a source of \S* with shared_energy_reference \(lah10-",
    ),
    "learning's old key": (
        {"learn": {"scale": "lah10-gpaw-pbe"}},
        r"learn.scale: scale was renamed same_reference_as; use the new name$",
    ),
    "name taken": ({"compare": {"model1": "config"}}, "compare.model1: "),
    "bad name": ({"compare": {"a/b": "config"}}, "compare.a/b"),
}


@pytest.mark.parametrize("changes, message", BAD_SETTINGS.values(), ids=BAD_SETTINGS)
def test_bad_settings_are_one_line(tmp_path, changes, message):
    content = yaml.safe_load((REPOSITORY / "config/training.yaml").read_text())
    content |= changes
    if "seeds" not in changes:  # two models may learn
        content["seeds"] = [1, 2]
    content = {key: value for key, value in content.items() if value is not ...}
    (tmp_path / "t.yaml").write_text(yaml.safe_dump(content))
    with pytest.raises(UserError, match=message) as caught:
        settings.load(tmp_path / "t.yaml", root=REPOSITORY)
    assert "\n" not in str(caught.value)
    assert str(caught.value).startswith(str(tmp_path / "t.yaml"))


@pytest.mark.parametrize("missing", ["commit", "manifest", "repository"])
def test_a_source_is_in_one_place(tmp_path, missing):
    content = yaml.safe_load((REPOSITORY / "resources/potentials/lah10/split.yaml").read_text())
    del content["sources"]["ly-ceperley"][missing]
    (tmp_path / "split.yaml").write_text(json.dumps(content))
    with pytest.raises(UserError, match=r"ly-ceperley: expected either path, or repository, "):
        settings.load_split(tmp_path / "split.yaml")


@pytest.mark.parametrize("other", ["own", "elsewhere", "ly-ceperley/ensemble1"])
def test_a_reference_is_that_of_another_source(tmp_path, other):
    content = yaml.safe_load((REPOSITORY / "resources/potentials/lah10/split.yaml").read_text())
    content["sources"]["own"] = content["sources"]["lah10-gpaw-pbe"] | {"same_reference_as": other}
    (tmp_path / "split.yaml").write_text(json.dumps(content))
    message = (
        r"yaml: sources.own.same_reference_as: expected a source with a reference of its own "
        rf"\(ly-ceperley, lah10-gpaw-pbe\), got {other}$"
    )
    with pytest.raises(UserError, match=message):
        settings.load_split(tmp_path / "split.yaml")


@pytest.mark.parametrize("pulay", [13.3, -0.0133, "0.0133", True], ids=str)
def test_a_pulay_stress_in_other_units_is_refused(tmp_path, pulay):
    content = yaml.safe_load((REPOSITORY / "resources/potentials/lah10/split.yaml").read_text())
    content["sources"]["lah10-gpaw-pbe"]["pulay_pv_per_atom"] = pulay
    (tmp_path / "split.yaml").write_text(json.dumps(content))
    with pytest.raises(UserError, match=r"gpaw-pbe.pulay_pv_per_atom: expected a number.*, got "):
        settings.load_split(tmp_path / "split.yaml")


@pytest.mark.parametrize(
    ("old", "value", "new"),
    [
        ("pulay", 0.0133, "pulay_pv_per_atom"),
        ("one_zero", True, "shared_energy_reference"),
        ("scale", "lah10-gpaw-pbe", "same_reference_as"),
    ],
)
def test_old_keys_of_a_source_name_the_new_one(tmp_path, old, value, new):
    content = yaml.safe_load((REPOSITORY / "resources/potentials/lah10/split.yaml").read_text())
    content["sources"]["lah10-gpaw-pbe-npt"] |= {old: value}
    (tmp_path / "split.yaml").write_text(json.dumps(content))
    with pytest.raises(UserError, match=rf"-npt.{old}: {old} was renamed {new}; use the new name$"):
        settings.load_split(tmp_path / "split.yaml")


def test_the_closest_frame_of_all_systems():
    usual, near = labelled.system("toy/a"), labelled.system("toy/b", seed=2)
    coordinates = near.coordinates.copy()
    coordinates[3, 5] = coordinates[3, 6] + [0.5, 0.0, 0.0]
    found = preparation.closest([usual, replace(near, coordinates=coordinates)])
    assert (found.name, len(found)) == ("toy/b", 1)
    assert (found.coordinates[0] == coordinates[3]).all()
