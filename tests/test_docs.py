"""The documentation names everything that there is: commands, options, exit codes, keys, columns."""

import re
import tomllib
from pathlib import Path
from typing import Any

import pytest
import typer

import hwtranscribe
from hwtranscribe.cli import app
from hwtranscribe.errors import ExitCode
from hwtranscribe.export import ERROR_COLUMNS, FIELD_COLUMNS, form_columns
from hwtranscribe.form import FormTemplate
from hwtranscribe.form.template import _KEYS
from hwtranscribe.types import Case, Kind, Status

ROOT = Path(__file__).parents[1]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]


def page(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def commands(command: Any, path: tuple[str, ...] = ()) -> list[tuple[str, Any]]:
    if hasattr(command, "commands"):
        return [item for name, inner in command.commands.items() for item in commands(inner, (*path, name))]
    return [(" ".join(path), command)]


COMMANDS = commands(typer.main.get_command(app))


def section(text: str, heading: str) -> str:
    """What stands under a heading, up to the next of the same level."""
    level = heading.split()[0]
    found = re.search(rf"^{re.escape(heading)}$(.*?)(?=^{level} |\Z)", text, re.MULTILINE | re.DOTALL)
    assert found, f"no section {heading!r}"
    return found[1]


@pytest.mark.parametrize(("name", "command"), COMMANDS, ids=[name for name, _ in COMMANDS])
def test_every_option_of_every_command_is_described(name, command):
    described = section(page("docs/commands.md"), f"## hwtranscribe {name}")
    for parameter in command.params:
        for option in parameter.opts:
            if option.startswith("--"):
                assert f"`{option}" in described, f"docs/commands.md does not describe {option} of {name}"


def test_no_option_is_described_that_does_not_exist():
    for name, command in COMMANDS:
        described = section(page("docs/commands.md"), f"## hwtranscribe {name}")
        options = {option for parameter in command.params for option in (*parameter.opts, *parameter.secondary_opts)}
        assert set(re.findall(r"`(--[a-z-]+)", described)) - options == set()


def test_every_exit_code_is_described():
    codes = [str(int(code)) for code in ExitCode]
    assert re.findall(r"^\| (\d+) \|", section(page("docs/outputs.md"), "## Exit codes"), re.MULTILINE) == codes
    listed = page("README.md").split("Exit codes: ")[1].split("\n\n")[0]
    assert re.findall(r"(?<![\d.])(\d+) ", listed) == codes


def test_every_column_is_described():
    text = page("docs/outputs.md")
    for name, columns in (
        ("fields.csv", FIELD_COLUMNS),
        ("forms.csv", form_columns([])),
        ("errors.csv", ERROR_COLUMNS),
    ):
        described = section(text, f"## {name}")
        assert [column for column in columns if f"`{column}`" not in described] == []


def test_every_status_is_described():
    described = section(page("docs/outputs.md"), "## fields.csv")
    assert [status for status in Status if f"| `{status}` |" not in described] == []


def test_every_key_of_the_template_is_described():
    text = page("docs/template.md")
    for level, heading in (("form", "## The form"), ("page", "## A page"), ("field", "## A field")):
        described = section(text, heading)
        assert [key for key in _KEYS[level] if f"`{key}`" not in described] == []
        named = {
            key for cell in re.findall(r"^\| (`.*?) \|", described, re.MULTILINE) for key in re.findall("`(.*?)`", cell)
        }
        assert named & set(_KEYS[level]) == set(_KEYS[level])
    for word in [*Kind, *Case, "luhn", "mod11", "mod97", "ean"]:
        assert f"`{word}`" in text


@pytest.mark.parametrize("name", ["README.md", "docs/template.md"])
def test_templates_in_the_documentation_are_valid(name, tmp_path):
    (tmp_path / "blank.pdf").write_bytes(b"%PDF-1.4")
    examples = re.findall(r"```toml\n(.*?)```", page(name), re.DOTALL)
    assert examples
    for example in examples:
        (tmp_path / "form.toml").write_text(example, encoding="utf-8")
        assert FormTemplate.load(tmp_path / "form.toml").pages


@pytest.mark.parametrize("path", PAGES, ids=[path.name for path in PAGES])
def test_links_lead_somewhere(path):
    for target in re.findall(r"\]\(([^)#]+)", path.read_text(encoding="utf-8")):
        assert re.match("https?://", target) or (path.parent / target).exists(), f"{path.name}: {target}"


def test_nothing_is_left_to_do_in_the_documentation():
    for path in PAGES:
        assert "TODO" not in path.read_text(encoding="utf-8"), path.name


def test_the_changelog_begins_with_this_version():
    released = re.findall(r"^## \[(\d+\.\d+\.\d+)\] - \d{4}-\d{2}-\d{2}$", page("CHANGELOG.md"), re.MULTILINE)
    assert released[0] == hwtranscribe.__version__


def test_the_version_is_written_down_once():
    project = tomllib.loads(page("pyproject.toml"))["project"]
    assert "version" in project["dynamic"]
    assert project["license"] == "MIT" and (ROOT / "LICENSE").read_text(encoding="utf-8").startswith("MIT License")
    assert (Path(hwtranscribe.__file__).parent / "py.typed").exists()


def test_exported_names_exist():
    for name in hwtranscribe.__all__:
        assert getattr(hwtranscribe, name)
