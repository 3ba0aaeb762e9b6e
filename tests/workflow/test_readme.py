"""README and the other texts: short enough, and true of the files, rules and numbers they name."""

import re
import shlex

import pytest

import lah10.config.reading
from campaigns import REPOSITORY
from lah10.campaign.plan import Plan, read_rates

README = REPOSITORY / "README.md"
REFERENCE = REPOSITORY / "results/reference/phase_diagram.md"
MOST_WORDS = 900
TEXTS = [
    *(REPOSITORY / name for name in ("README.md", "CONTRIBUTING.md", "CHANGELOG.md")),
    *(REPOSITORY / name for name in ("LICENSE-DATA.md", "results/reference/README.md")),
    *sorted((REPOSITORY / "docs").rglob("*.md")),
    *sorted((REPOSITORY / "benchmarks").rglob("RESULTS.md")),
    *sorted((REPOSITORY / "resources/dataset").rglob("README.md")),
]
#: Options of Snakemake that take values.
VALUES = {"--cores", "--configfile", "--profile", "--report", "--forcerun", "--sdm", "--config"}
ids = [str(path.relative_to(REPOSITORY)) for path in TEXTS]
each_text = pytest.mark.parametrize("path", TEXTS, ids=ids)


def tables(text: str) -> list[list[dict[str, str]]]:
    """Markdown tables as rows by column name."""
    found = []
    for block in re.findall(r"(?:^\|.*\|\n)+", text, flags=re.MULTILINE):
        lines = [[cell.strip() for cell in line[1:-1].split("|")] for line in block.splitlines()]
        found.append([dict(zip(lines[0], row, strict=True)) for row in lines[2:]])
    return found


def test_it_is_read_in_one_sitting():
    words = re.findall(r"\S*\w\S*", README.read_text(encoding="utf-8"))
    assert len(words) <= MOST_WORDS


def test_its_rows_are_those_of_the_reference():
    (reference,) = tables(REFERENCE.read_text(encoding="utf-8"))
    (rows,) = (rows for rows in tables(README.read_text(encoding="utf-8")) if "bath" in rows[0])
    assert len({tuple(row.values()) for row in rows}) == len(rows) == 3
    for row in rows:
        assert row in [{name: full[name] for name in row} for full in reference]


def test_it_has_five_figures_and_two_warnings():
    text = README.read_text(encoding="utf-8")
    assert len(re.findall(r"!\[.+?\]\(docs/figures/\w+\.png\)", text)) == 5
    warnings = text.partition("## Two warnings")[2].partition("\n## ")[0]
    assert len(re.findall(r"^\d\. \*\*", warnings, flags=re.MULTILINE)) == 2
    assert "250 K and 150 GPa" in warnings


def test_its_times_are_those_of_the_plan():
    """The demo's minutes on two cores and its disk, as `snakemake plan` computes them."""
    config = lah10.config.reading.load([REPOSITORY / "config/demo.yaml"])
    plan = Plan(config, read_rates(REPOSITORY / "resources/rates.yaml"))
    costs = plan.costs()
    minutes = sum(cost.core_hours for cost in costs) * 60 / 2
    megabytes = sum(cost.kept_bytes for cost in costs) / 1e6
    text = README.read_text(encoding="utf-8")
    told = float(re.search(r"make demo +# about (\d+) minutes on two cores", text)[1])
    assert told == pytest.approx(minutes, abs=3)
    assert float(re.search(r"results take (\d+) MB", text)[1]) == pytest.approx(megabytes, abs=5)


def anchors(path) -> set[str]:
    """Anchors of a text's headings, as GitHub makes them."""
    heads = re.findall(r"^#+ (.*)$", path.read_text(encoding="utf-8"), flags=re.MULTILINE)
    plain = (re.sub(r"\[(.*?)\]\(.*?\)", r"\1", head) for head in heads)
    return {re.sub(r"[^\w\- ]", "", head.lower()).strip().replace(" ", "-") for head in plain}


@each_text
def test_links_lead_somewhere(path):
    for link in re.findall(r"\]\(([^)\s]+)\)", path.read_text(encoding="utf-8")):
        if link.startswith("http"):
            continue
        name, _, anchor = link.partition("#")
        target = (path.parent / name).resolve() if name else path
        assert target.exists(), link
        assert target.is_relative_to(REPOSITORY.resolve()), link
        if anchor:
            assert anchor in anchors(target), link


def commands(text: str) -> list[list[str]]:
    """Calls of snakemake and make in blocks of code and between backticks."""
    joined = re.sub(r"\\\n\s*", " ", text)
    calls = re.findall(r"^(?: {4}|\d\. )?((?:snakemake|make)(?: .*)?)$", joined, re.MULTILINE)
    calls += re.findall(r"`((?:snakemake|make)(?: [^`]*)?)`", joined)
    return [shlex.split(call, comments=True) for call in calls]


def rules() -> set[str]:
    text = "\n".join(path.read_text() for path in (REPOSITORY / "workflow/rules").rglob("*.smk"))
    named = re.findall(r"^(?:rule|checkpoint) (\w+):$", text, flags=re.MULTILINE)
    return {*named, *re.findall(r"^use rule \w+ as (\w+) with", text, flags=re.MULTILINE), "all"}


def makefile_targets() -> set[str]:
    text = (REPOSITORY / "Makefile").read_text()
    return set(re.findall(r"^([a-z-]+):", text, flags=re.MULTILINE))


def snakemake_names(words: list[str]) -> tuple[list[str], list[str], list[str]]:
    """Targets, forced rules and configuration files of a call of Snakemake."""
    targets, forced, files, option = [], [], [], None
    for word in words[1:]:
        if word == "--":
            option = None
        elif word.startswith("-"):
            option = word if word in VALUES else None
        elif option == "--forcerun":
            forced.append(word)
        elif option == "--configfile":
            files.append(word)
            option = None
        elif option == "--config" and "=" in word:
            continue
        elif option in {"--cores", "--profile", "--report", "--sdm"}:
            option = None
        else:
            targets.append(word)
    return targets, forced, files


@each_text
def test_commands_name_what_there_is(path):
    known = rules()
    for words in commands(path.read_text(encoding="utf-8")):
        if words[0] == "make":
            named = [w for w in words[1:] if "=" not in w and not w.startswith(("-", "."))]
            assert set(named) <= makefile_targets(), words
            continue
        targets, forced, files = snakemake_names(words)
        assert {t for t in targets if "/" not in t} | set(forced) <= known, words
        for target in targets:
            if "/" in target:
                assert re.fullmatch(
                    r"results/(demo|mine)/points/(classical|qtb|adqtb)/P\d+_T\d+/summary\.nc",
                    target,
                )
        for file in files:
            # The one that the reader makes.
            assert file == "config/mine.yaml" or (REPOSITORY / file).is_file(), words


def test_commands_are_found():
    """The test above sees what it is to check."""
    found = [" ".join(words) for words in commands(README.read_text(encoding="utf-8"))]
    assert {"make demo", "make test", "snakemake merge", "snakemake -n"} <= set(found)


def test_lines_of_the_two_guess_test_are_where_it_says():
    text = (REPOSITORY / "docs/developing.md").read_text(encoding="utf-8")
    part = text.partition("## The two-guess test")[2].partition("\n## ")[0]
    (rows,) = tables(part)
    assert len(rows) == 14
    for row in rows:
        (file,) = re.findall(r"`(\S+?\.py)`", row["file in `workflow/scripts/lah10/`"])
        elsewhere = re.findall(r"`(\w+)` in `(\S+?\.py)`", row["name"])
        names = re.findall(r"`(\w+)`", re.sub(r"\(.*\)", "", row["name"]))
        assert names
        for name, where in [*((name, file) for name in names), *elsewhere]:
            source = (REPOSITORY / "workflow/scripts/lah10" / where).read_text(encoding="utf-8")
            assert re.search(rf"^ *(?:(?:def|class) {name}\b|{name} = )", source, re.MULTILINE), (
                f"{where} has no {name}"
            )


def test_the_methods_begin_with_fifteen_symbols():
    text = (REPOSITORY / "docs/methods/index.md").read_text(encoding="utf-8")
    glossary = tables(text)[0]
    assert text.index("## Glossary") < text.index("## Pages")
    assert len({row["symbol"] for row in glossary}) == len(glossary) == 15


def test_every_page_of_the_methods_is_listed():
    folder = REPOSITORY / "docs/methods"
    text = (folder / "index.md").read_text(encoding="utf-8")
    pages = {path.name for path in folder.glob("*.md")} - {"index.md"}
    assert pages <= set(re.findall(r"\]\(([\w-]+\.md)\)", text))
