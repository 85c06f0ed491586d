import os
from pathlib import Path

import pytest

from hwtranscribe.batch.discover import discover, natural_key
from hwtranscribe.errors import NoInputError, UsageError


def touch(folder: Path, *names: str) -> None:
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()


def names(inputs, **options) -> list[str]:
    return [item.document for item in discover([str(text) for text in inputs], **options).documents]


def test_a_folder_is_walked_in_natural_order(tmp_path):
    touch(tmp_path, "page10.png", "page2.png", "Page3.PNG", "b/1.pdf", "a/x.tiff", "notes.txt", "a/table.csv")
    found = discover([str(tmp_path)])
    assert [item.document for item in found.documents] == [
        "a/x.tiff",
        "b/1.pdf",
        "page2.png",
        "Page3.PNG",
        "page10.png",
    ]
    assert found.skipped == 2
    assert found.documents[0].path == str(tmp_path / "a/x.tiff")


def test_hidden_files_and_folders_are_skipped(tmp_path):
    touch(tmp_path, "a.png", "._a.png", ".cache/b.png")
    found = discover([str(tmp_path)])
    assert [item.document for item in found.documents] == ["a.png"] and found.skipped == 1


def test_a_file_is_its_base_name_whatever_its_ending(tmp_path):
    touch(tmp_path, "a/b/scan.dat")
    assert names([tmp_path / "a/b/scan.dat"]) == ["scan.dat"]


def test_relative_inputs(tmp_path, monkeypatch):
    touch(tmp_path, "scans/a.png", "here/x")
    monkeypatch.chdir(tmp_path / "here")
    found = discover(["../scans"])
    assert [(item.document, item.path) for item in found.documents] == [("a.png", str(tmp_path / "scans/a.png"))]


def test_globs(tmp_path):
    touch(tmp_path, "2024/a.png", "2025/b.png", "2025/sub/c.png", "2025/d.txt", "other/e.png")
    assert names([tmp_path / "20*"]) == ["2024/a.png", "2025/b.png", "2025/sub/c.png"]
    assert names([tmp_path / "**/*.png"]) == ["2024/a.png", "2025/b.png", "2025/sub/c.png", "other/e.png"]
    assert names([tmp_path / "2025/*"]) == ["b.png", "sub/c.png"]


def test_a_name_with_glob_characters_is_a_name_first(tmp_path):
    touch(tmp_path, "scan[1].png", "scan1.png")
    assert names([tmp_path / "scan[1].png"]) == ["scan[1].png"]


def test_loops_of_links_end(tmp_path):
    touch(tmp_path, "a/x.png")
    (tmp_path / "a/loop").symlink_to(tmp_path)
    (tmp_path / "a/self.png").symlink_to(tmp_path / "a/self.png")
    assert names([tmp_path]) == ["a/self.png", "a/x.png"]
    assert names([tmp_path / "a/self.png"], output=tmp_path / "a") == ["self.png"]


def test_a_linked_folder_can_be_the_input(tmp_path):
    touch(tmp_path, "real/x.png")
    (tmp_path / "link").symlink_to(tmp_path / "real")
    assert names([tmp_path / "link"]) == ["x.png"]


def test_the_output_folder_is_left_out(tmp_path):
    touch(tmp_path, "x.png", "out/overlay/x.png.page0001.jpg")
    assert names([tmp_path], output=tmp_path / "out") == ["x.png"]


@pytest.mark.parametrize("way", ["spelled", "linked input", "linked output", "glob", "folders", "files"])
def test_the_output_folder_is_left_out_however_it_is_written(tmp_path, way):
    touch(tmp_path, "in/x.png", "in/out/overlay/x.png.page0001.jpg")
    (tmp_path / "link").symlink_to(tmp_path / "in")
    folder, out = tmp_path / "in", tmp_path / "in/out"
    inputs = {
        "linked input": tmp_path / "link",
        "glob": folder / "*",
        "folders": folder / "**",
        "files": folder / "**/*.*",
    }
    output = {"spelled": folder / "../in/out", "linked output": tmp_path / "link/out"}
    assert names([inputs.get(way, folder)], output=output.get(way, out)) == ["x.png"]


def test_a_file_that_is_skipped_twice_counts_once(tmp_path):
    touch(tmp_path, "a.png", "notes.txt", "sub/more.txt")
    for inputs in ([tmp_path, tmp_path], [tmp_path / "**", tmp_path / "sub"], [tmp_path / "**", tmp_path]):
        assert discover([str(text) for text in inputs]).skipped == 2


def test_inputs_that_cannot_be_meant_are_usage_errors(tmp_path):
    touch(tmp_path, "a.png")
    with pytest.raises(UsageError, match="INPUT '' is empty"):
        discover([str(tmp_path), ""])
    with pytest.raises(UsageError, match=r"\*\*\.png': no pattern that can be used"):
        discover([str(tmp_path / "**.png")])


def test_a_path_that_cannot_be_looked_at_is_unreadable(tmp_path):
    touch(tmp_path, "a.png")
    long = tmp_path / ("x" * 300 + ".png")
    found = {item.path: item.error for item in discover([str(tmp_path / "a.png"), str(long)]).documents}
    assert found[str(long)].error == "unreadable" and "too long" in found[str(long)].detail


def test_a_document_given_twice_is_read_once(tmp_path):
    touch(tmp_path, "a.png", "b.png")
    assert names([tmp_path, tmp_path / "a.png", tmp_path / "*.png"]) == ["a.png", "b.png"]


def test_equal_names_of_several_inputs_get_their_folders(tmp_path):
    touch(tmp_path, "march/x.png", "march/y.png", "april/x.png")
    assert names([tmp_path / "march", tmp_path / "april"]) == ["april/x.png", "march/x.png", "y.png"]
    assert names([tmp_path / "march/x.png", tmp_path / "april/x.png"]) == ["april/x.png", "march/x.png"]


def test_nothing_to_read(tmp_path):
    touch(tmp_path, "notes.txt")
    with pytest.raises(NoInputError, match=r"no PDF or image in .* \(1 other files skipped\)"):
        discover([str(tmp_path)])
    with pytest.raises(NoInputError, match="missing: no such file or folder"):
        discover([str(tmp_path / "missing")])


def test_a_missing_input_among_others_does_not_stop_them(tmp_path):
    touch(tmp_path, "a.png")
    a, b = discover([str(tmp_path / "a.png"), str(tmp_path / "b.png")]).documents
    assert a.error is None
    assert b.error is not None and b.error.error == "not_found"


def test_names_that_are_not_utf8(tmp_path):
    path = os.fsdecode(os.fsencode(tmp_path) + b"/caf\xe9.png")
    Path(path).touch()
    touch(tmp_path, "quo'te\n.png", "\U0001f58a.png", "=1.png")
    found = {item.document: item.path for item in discover([str(tmp_path)]).documents}
    assert found["caf\\udce9.png"] == path
    assert len(found) == 4
    assert all(name.encode() for name in found)


def test_natural_order():
    ordered = ["1/2", "1/10", "2", "2a", "10", "a", "A", "b1", "b01", "b2", "b10", "\u00e9"]
    assert sorted(reversed(ordered), key=natural_key)[:6] == ["1/2", "1/10", "2", "2a", "10", "A"]
    assert len({natural_key(name) for name in ordered}) == len(ordered)
    assert natural_key("9" * 300) > natural_key("1")
