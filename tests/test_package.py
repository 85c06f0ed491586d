"""What `pip install` of the package gives: the command with its weights, without the clone."""

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", str(folder)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    (built,) = folder.glob("*.whl")
    return built


def test_the_wheel_holds_the_package_and_the_weights_and_nothing_else(wheel):
    names = zipfile.ZipFile(wheel).namelist()
    assert {"hwtranscribe/py.typed", "hwtranscribe/checkpoints/default/weights.safetensors"} <= set(names)
    assert {"hwtranscribe/checkpoints/default/metadata.json"} <= set(names)
    assert {"hwtranscribe/checkpoints/default/lines/weights.safetensors"} <= set(names)
    assert {name.split("/")[0].split("-")[0] for name in names} == {"hwtranscribe"}
    assert wheel.stat().st_size < 12 * 2**20


def test_the_installed_package_reads_from_any_folder(wheel, tmp_path):
    site = tmp_path / "site"
    zipfile.ZipFile(wheel).extractall(site)
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    sample = ROOT / "samples" / "note" / "note.jpg"
    done = subprocess.run(
        [sys.executable, "-m", "hwtranscribe", "transcribe", str(sample), "--out", "out", "--quiet"],
        cwd=elsewhere,
        env=os.environ | {"PYTHONPATH": str(site), "PYTHONSAFEPATH": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert (elsewhere / "out" / "fields.csv").read_text(encoding="utf-8").count("line00") >= 5
