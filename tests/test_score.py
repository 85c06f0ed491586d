import json

import pytest

from hwtranscribe.cli import run
from hwtranscribe.errors import UsageError
from hwtranscribe.score import (
    align,
    calibration_error,
    figures,
    reject_curve,
    reliability,
    report_lines,
    score,
    threshold_for,
    wilson_interval,
)

FIELDS = "document,page,field,text,confidence,status,left,top,right,bottom\n"


@pytest.fixture
def compare(tmp_path):
    """A function that scores pairs of truth and reading with a confidence."""

    def scored(*rows: tuple[str, str, float]):
        truth = "document,page,field,kind,text\n"
        fields = FIELDS
        for i, (true, text, confidence) in enumerate(rows):
            truth += f"x.png,1,f{i},letters,{true}\n"
            fields += f"folder/x.png,1,f{i},{text},{confidence},ok,0,0,1,1\n"
        (tmp_path / "truth.csv").write_text(truth)
        (tmp_path / "fields.csv").write_text(fields)
        return score(tmp_path / "truth.csv", tmp_path)

    return scored


@pytest.mark.parametrize(
    ("truth", "text", "edits"),
    [("ABC", "ABC", 0), ("ABC", "ABD", 1), ("ABC", "AC", 1), ("", "AB", 2), ("AB", "", 2), ("KITTEN", "SITTING", 3)],
)
def test_alignment_has_the_fewest_edits(truth, text, edits):
    pairs = align(truth, text)
    assert "".join(wanted for wanted, _ in pairs) == truth and "".join(got for _, got in pairs) == text
    assert sum(wanted != got for wanted, got in pairs) == edits


def test_figures(compare):
    facts = figures(compare(("ABCD", "ABCD", 0.99), ("O'Neil", "ONEIL", 0.9), ("XY", "XV", 0.4)))
    assert facts["fields"] == 3 and facts["missing"] == 0
    assert facts["exact"] == pytest.approx(2 / 3) and facts["cer"] == pytest.approx(1 / 11)
    assert facts["confusions"] == [["Y", "V", 1]]
    assert json.dumps(facts)


def test_missing_fields_count_as_wrong(compare, tmp_path):
    compare(("A", "A", 0.9))
    with (tmp_path / "truth.csv").open("a") as file:
        file.write("other.png,1,f0,letters,B\n")
    scored = score(tmp_path / "truth.csv", tmp_path / "fields.csv")
    assert [one.missing for one in scored] == [False, True] and not scored[1].right


def test_documents_of_the_same_name_are_told_apart(tmp_path):
    def scored(truth: str, *read: str) -> list[str]:
        lines = "".join(f"{name},1,f,{name[0].upper()},0.9,ok,0,0,1,1\n" for name in read)
        (tmp_path / "fields.csv").write_text(FIELDS + lines)
        rows = "".join(f"{name},1,f,X\n" for name in truth.split())
        (tmp_path / "truth.csv").write_text("document,page,field,text\n" + rows)
        return [one.text for one in score(tmp_path / "truth.csv", tmp_path)]

    assert scored("april/1.png may/1.png", "may/1.png", "april/1.png") == ["A", "M"]
    assert scored("april/1.png may/1.png 2.png", "may/1.png", "scans/2.png") == ["", "M", "S"]
    assert scored("june\\1.png", "june/1.png", "may/1.png") == ["J"]
    with pytest.raises(UsageError, match=r"line 2: document '1\.png': the readings have 'april/1\.png', 'may/1\.png'"):
        scored("1.png", "may/1.png", "april/1.png")
    with pytest.raises(UsageError, match=r"line 2: document 'may/1\.png': the truth has 'april/1\.png', 'may/1\.png'"):
        scored("may/1.png april/1.png", "1.png")


def test_lines_are_joined_in_page_mode(tmp_path):
    (tmp_path / "truth.csv").write_text("document,page,field,text\nx.png,1,name,DA VEIGA\n")
    (tmp_path / "fields.csv").write_text(
        FIELDS + "x.png,1,line002,VEIGA,0.8,ok,0,0,1,1\nx.png,1,line001,DA,0.9,ok,0,0,1,1\n"
    )
    (one,) = score(tmp_path / "truth.csv", tmp_path)
    assert one.right and one.text == "DA VEIGA" and one.confidence == 0.8


def test_reject_curve_and_reliability(compare):
    scored = compare(*[("A", "A", 0.99)] * 9, ("A", "B", 0.3))
    assert dict(reject_curve(scored)) == {0.5: 0, 0.8: 0, 0.9: 0, 0.95: 0.1, 0.98: 0.1, 0.99: 0.1, 1.0: 0.1}
    low, high = reliability(scored)
    assert low == (0.0, 0.5, 1, pytest.approx(0.3), 0.0)
    assert high == (0.99, 1.0, 9, pytest.approx(0.99), 1.0)
    assert calibration_error(scored) == pytest.approx(0.9 * 0.01 + 0.1 * 0.3)


def test_threshold(compare):
    scored = compare(*[("A", "A", 0.99)] * 9, ("A", "B", 0.95), *[("A", "A", 0.9)] * 10, ("A", "B", 0.9))
    strict = threshold_for(scored, 5)
    assert (strict.confidence, strict.accepted, strict.wrong) == (0.99, 9, 0)
    assert strict.review_share == pytest.approx(12 / 21)
    assert strict.wrong_per_1000[0] == 0 and strict.wrong_per_1000[2] > 200
    loose = threshold_for(scored, 100)
    assert (loose.confidence, loose.accepted, loose.wrong) == (0.9, 21, 2)
    assert threshold_for(compare(("A", "B", 0.9)), 5) is None


def result(*details: str) -> str:
    """A line of `results.jsonl`."""
    fields = [{"page": 1, "field": f"f{i}", "detail": detail} for i, detail in enumerate(details)]
    return json.dumps({"document": "folder/x.png", "forms": [{"fields": fields}], "lines": []}) + "\n"


def test_what_is_for_review_for_another_reason_than_its_confidence_is_never_accepted(compare, tmp_path):
    compare(("A", "A", 0.99), ("B", "", 1.0), ("C", "D", 0.98), ("E", "E", 0.5), ("F", "F", 0.7), ("G", "G", 0.6))
    below = "confidence below 0.9"
    broken, mended = f"{below}; f2 does not equal f0", f"{below}; as first read, f5 does not equal f0"
    reasons = result("", "required, but blank", broken, "hardly legible", below, mended)
    (tmp_path / "results.jsonl").write_text(reasons)
    scored = score(tmp_path / "truth.csv", tmp_path)
    assert [one.always_reviewed for one in scored] == [False, True, True, True, False, False]
    chosen = threshold_for(scored, 5)
    assert (chosen.confidence, chosen.accepted, chosen.wrong, chosen.total) == (0.6, 3, 0, 6)
    assert dict(reject_curve(scored)) == {0.5: 0}
    text = "\n".join(report_lines(scored))
    assert "3 are for review for another reason" in text and "accepts 3 of 6 fields" in text
    (tmp_path / "results.jsonl").write_text("{}\n")
    with pytest.raises(UsageError, match=r"results\.jsonl: can't be read"):
        score(tmp_path / "truth.csv", tmp_path)


def test_without_reasons_a_field_for_review_that_is_as_sure_as_accepted_ones_is_not_accepted(compare, tmp_path):
    compare(("A", "A", 0.95), ("B", "", 1.0), ("C", "C", 0.8), ("D", "", 0.0))
    rows = (tmp_path / "fields.csv").read_text().splitlines()
    for line, status in ((2, "review"), (3, "review"), (4, "illegible")):
        rows[line] = rows[line].replace(",ok,", f",{status},")
    (tmp_path / "fields.csv").write_text("\n".join(rows))
    assert [one.always_reviewed for one in score(tmp_path / "truth.csv", tmp_path)] == [False, True, False, True]


@pytest.mark.parametrize(
    ("truth", "text", "alike"),
    [
        ("PARK AVENUE", "PARK AVENUE", True),
        ("PARK AVENUE", "PARKAVENUE", False),
        ("PARKER", "PARK ER", False),
        ("LOU-ANNE", "LOU ANNE", True),
        ("LOU-ANNE", "LOUANNE", True),
        ("D'HAU LE", "DHAU LE", True),
        ("DE LA MER", "DE LAMER", False),
    ],
)
def test_words_are_counted_by_themselves(compare, truth, text, alike):
    (one,) = compare((truth, text, "0.9"))
    assert one.right and one.same_words == alike
    known = figures([one])["words"]
    assert known == {"fields": int(one.words_apart), "divided_right": int(one.words_apart and alike)}


def test_wilson_interval():
    assert wilson_interval(0, 0) == (0, 1)
    low, high = wilson_interval(10, 100)
    assert (low, high) == (pytest.approx(0.0552, abs=1e-3), pytest.approx(0.1744, abs=1e-3))


def test_report(compare):
    text = "\n".join(report_lines(compare(("AB", "AB", 0.99), ("XY", "XV", 0.4)), worst=5))
    for part in ("2 fields", "right 50.0%", "Y>V 1", "--review-below 0.9900", "read 'XV', is 'XY'"):
        assert part in text


def test_command(compare, tmp_path, capsys):
    compare(("AB", "AB", 0.99))
    assert run(["score", str(tmp_path / "truth.csv"), str(tmp_path), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["exact"] == 1
    assert run(["score", str(tmp_path / "truth.csv"), str(tmp_path)]) == 0
    assert "whole field right 100.0%" in capsys.readouterr().out
    assert run(["score", str(tmp_path / "none.csv"), str(tmp_path)]) == 2
    assert "none.csv: can't be read" in capsys.readouterr().err


def test_what_is_no_truth_is_refused(compare, tmp_path):
    compare(("A", "A", 0.9))
    (tmp_path / "bad.csv").write_text("document,field\nx,y\n")
    with pytest.raises(UsageError, match="no column page, text"):
        score(tmp_path / "bad.csv", tmp_path)
    (tmp_path / "bad.csv").write_text("document,page,field,text\nx,one,y,A\n")
    with pytest.raises(UsageError, match="line 2: page is 'one'"):
        score(tmp_path / "bad.csv", tmp_path)
    (tmp_path / "bad.csv").write_text("document,page,field,text\nx,1,y,A\nx,1\n")
    with pytest.raises(UsageError, match=r"bad\.csv: line 3: has no field, text"):
        score(tmp_path / "bad.csv", tmp_path)
    (tmp_path / "bad.csv").write_text(f"document,page,field,text\nx,{'1' * 5000},y,A\n")
    with pytest.raises(UsageError, match=r"line 2: page is '1{40}\.\.\.', a whole number"):
        score(tmp_path / "bad.csv", tmp_path)
    for confidence in ("high", "nan", "inf", "2"):
        (tmp_path / "fields.csv").write_text(FIELDS + f"x.png,1,f0,A,{confidence},ok,0,0,1,1\n")
        with pytest.raises(UsageError, match=rf"fields\.csv: line 2: confidence is '{confidence}', a number from"):
            score(tmp_path / "truth.csv", tmp_path)
    (tmp_path / "fields.csv").write_text(FIELDS)
    with pytest.raises(UsageError, match="of kind 'digits'"):
        score(tmp_path / "truth.csv", tmp_path, "digits")
