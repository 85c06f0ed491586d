"""Imports point one way (design.md), and what needs no JAX, OpenCV or TensorFlow does not load them."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import hwtranscribe

PACKAGE = Path(hwtranscribe.__file__).parent

FOUNDATION = {"errors", "types", "files"}
STAGES = {"render", "register", "segment", "glyph", "strip", "classify", "line_reader", "decode", "marks", "export"}
MAY_IMPORT = {
    "errors": set(),
    "types": set(),
    "files": {"errors"},
    "imaging": FOUNDATION,
    "constraint": FOUNDATION,
    "form": FOUNDATION | {"constraint"},
    "winograd": set(),
    "model": FOUNDATION | {"winograd"},
    "crop": FOUNDATION,
    "glyph": FOUNDATION | {"imaging"},
    "strip": FOUNDATION,
    "checkpoint": FOUNDATION | {"model", "glyph", "strip"},
    "class_scores": {"model"},
    "classify": FOUNDATION | {"checkpoint", "crop", "glyph", "model", "class_scores"},
    "line_reader": FOUNDATION | {"checkpoint", "model", "strip"},
    "render": FOUNDATION,
    "register": FOUNDATION | {"imaging"},
    "segment": FOUNDATION | {"imaging", "strip"},
    "marks": FOUNDATION | {"imaging"},
    "language": set(),
    "decode": FOUNDATION | {"constraint", "language"},
    "export": FOUNDATION,
    "overlay": FOUNDATION | {"imaging", "form"},
    "assembly": FOUNDATION | {"form"},
    "pipeline": FOUNDATION | STAGES | {"class_scores", "assembly", "language", "form", "overlay", "imaging"},
    "form_check": FOUNDATION | {"pipeline", "form", "render", "register", "segment", "export", "overlay"},
    "journal": FOUNDATION,
    "score": FOUNDATION | {"constraint", "score_tables"},
    "score_tables": FOUNDATION,
    "batch": FOUNDATION | {"assembly", "pipeline", "form", "render", "export", "journal", "overlay", "checkpoint"},
    "training": FOUNDATION
    | {"checkpoint", "classify", "crop", "glyph", "imaging", "model", "class_scores", "segment", "strip"},
}
"""Which parts of the package each part may import. `cli` may import everything, `__init__` inside functions."""


def part_of(module: str) -> str:
    """`hwtranscribe.form.template` belongs to `form`."""
    return module.split(".")[1] if "." in module else "__init__"


def imports() -> list[tuple[str, str, bool]]:
    """Importing part, imported part, and whether the import runs when the module is loaded."""
    found = []
    for path in sorted(PACKAGE.rglob("*.py")):
        part = path.relative_to(PACKAGE).parts[0].removesuffix(".py")
        tree = ast.parse(path.read_text(encoding="utf-8"))
        at_load = {id(node) for node in ast.walk(tree)} - {
            id(inner)
            for node in ast.walk(tree)
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) or _is_type_checking(node)
            for inner in ast.walk(node)
        }
        for node in ast.walk(tree):
            names: list[str] = []
            if isinstance(node, ast.ImportFrom):
                assert node.level == 0, f"{path}: imports are absolute"
                names = [
                    f"{node.module}.{name.name}" if node.module == "hwtranscribe" else str(node.module)
                    for name in node.names
                ]
            elif isinstance(node, ast.Import):
                names = [name.name for name in node.names]
            for name in names:
                if (
                    name.split(".")[0] == "hwtranscribe"
                    and name != "hwtranscribe.__version__"
                    and part_of(name) != part
                ):
                    found.append((part, part_of(name), id(node) in at_load))
    return found


def _is_type_checking(node: ast.AST) -> bool:
    return isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING"


def test_every_part_has_its_layer():
    parts = {path.name.removesuffix(".py") for path in PACKAGE.iterdir() if path.suffix == ".py" or path.is_dir()}
    parts -= {"__init__", "__main__", "__pycache__", "cli", "checkpoints"}
    assert parts - set(MAY_IMPORT) == set(), "say in MAY_IMPORT what the new part may import"


def test_imports_point_one_way():
    wrong = {
        f"{part} imports {other}"
        for part, other, _ in imports()
        if part in MAY_IMPORT and other not in MAY_IMPORT[part]
    }
    assert wrong == set()


def test_stages_do_not_import_one_another():
    # glyph and strip are shared with training and therefore below the stages that use them
    pairs = {(part, other) for part, other, _ in imports() if part in STAGES and other in STAGES}
    assert pairs - {("classify", "glyph"), ("segment", "strip"), ("line_reader", "strip")} == set()


def test_the_top_level_loads_nothing_until_it_is_used():
    assert {other for part, other, at_load in imports() if part == "__init__" and at_load} == set()


def test_training_is_loaded_only_by_its_commands():
    assert {part for part, other, at_load in imports() if other == "training" and at_load} == set()


HEAVY = (
    "jax",
    "jaxlib",
    "flax",
    "cv2",
    "tensorflow",
    "tensorflow_datasets",
    "optax",
    "matplotlib",
    "scipy",
    "distributed",
)
SAY_WHAT_IS_LOADED = f"import sys; loaded = sorted(set({HEAVY!r}) & set(sys.modules)); assert not loaded, loaded"


@pytest.mark.parametrize(
    "code",
    [
        "import hwtranscribe",
        "from hwtranscribe import FormTemplate",
        "from hwtranscribe.cli import run; assert run(['--help']) == 0",
        "from hwtranscribe.cli import run; assert run(['transcribe', '--help']) == 0",
        "from hwtranscribe.cli import run; assert run(['transcribe', '--no-such-option']) == 2",
    ],
)
def test_what_needs_no_network_loads_none(code):
    done = subprocess.run(
        [sys.executable, "-c", f"{code}\n{SAY_WHAT_IS_LOADED}"], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr
