"""The modules that a script imports, found without running it."""

import subprocess
import sys

import pytest

from campaigns import REPOSITORY
from lah10.io import imports

SCRIPTS = REPOSITORY / "workflow/scripts"

#: What a script loads from the package when it is imported, besides the log that starts before.
LOADED = """
import ast, sys
sys.path.insert(0, {root!r})
tree = ast.parse(open({script!r}).read())
for node in tree.body:
    if isinstance(node, (ast.Import, ast.ImportFrom)):
        exec(compile(ast.Module([node], []), {script!r}, "exec"))
print(*sorted(m.__file__ for name, m in sys.modules.items() if name.split(".")[0] == "lah10"))
"""


@pytest.mark.parametrize(
    "name",
    [
        "analysis/analyse",
        "campaign/phase_diagram",
        "campaign/table",
        "figures/draw",
        "pimd/pimd_compare",
    ],
)
def test_nothing_that_is_loaded_is_missing(name):
    script = SCRIPTS / f"{name}.py"
    run = subprocess.run(
        [sys.executable, "-c", LOADED.format(root=str(SCRIPTS), script=str(script))],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert set(run.stdout.split()) <= {str(file) for file in imports.modules(script)}


def test_imports_of_imports_and_within_functions_count(tmp_path, monkeypatch):
    package = tmp_path / "lah10"
    (package / "inner").mkdir(parents=True)
    for name, text in {
        "__init__.py": "",
        "one.py": "import numpy\nfrom lah10.inner import two\n",
        "inner/__init__.py": "",
        "inner/two.py": "def f():\n    from lah10.three import g\n    return g()\n",
        "three.py": "g = int\n",
        "four.py": "",
    }.items():
        (package / name).write_text(text)
    script = tmp_path / "script.py"
    script.write_text("from lah10 import one\n")
    monkeypatch.setattr(imports, "ROOT", tmp_path)
    found = [str(file.relative_to(package)) for file in imports.modules(script)]
    assert found == ["__init__.py", "inner/__init__.py", "inner/two.py", "one.py", "three.py"]

    before = imports.digest(script)
    imports._sha256.cache_clear()
    (package / "four.py").write_text("unrelated = 1\n")
    (package / "three.py").touch()
    assert imports.digest(script) == before
    imports._sha256.cache_clear()
    (package / "three.py").write_text("g = float\n")
    assert imports.digest(script) != before


def test_other_files_count(tmp_path):
    script, style = tmp_path / "script.py", tmp_path / "style"
    script.write_text("import sys\n")
    style.write_text("one")
    before = imports.digest(script, [style])
    imports._sha256.cache_clear()
    style.write_text("two")
    assert imports.digest(script, [style]) != before
