"""The notebook runs from top to bottom, on small data."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
NOTEBOOK = ROOT / "samples" / "walkthrough.ipynb"


@pytest.mark.parametrize("data", ["drawn", "mnist"])
def test_the_notebook_runs(data, tmp_path):
    environment = os.environ | {"MPLBACKEND": "agg", "HWTRANSCRIBE_COUNT": "900"}
    environment.pop("HWTRANSCRIBE_DATA", None)
    if data == "mnist":
        folder = ROOT.parent / "shared" / "tfds"
        if not folder.is_dir():
            pytest.skip(f"{folder} is not here")
        environment["HWTRANSCRIBE_DATA"] = str(folder)
    cells = json.loads(NOTEBOOK.read_text(encoding="utf-8"))["cells"]
    code = "\n\n".join("".join(cell["source"]) for cell in cells if cell["cell_type"] == "code")
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=NOTEBOOK.parent,
        env=environment,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    assert "digits right" in done.stdout
    assert "member_no" in done.stdout


def test_the_notebook_is_committed_without_outputs():
    cells = json.loads(NOTEBOOK.read_text(encoding="utf-8"))["cells"]
    assert all(not cell["outputs"] for cell in cells if cell["cell_type"] == "code")
