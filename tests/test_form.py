"""Templates: what is read, and what is said about those that are wrong."""

import os
import pickle
import textwrap
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hwtranscribe.errors import ExitCode, TemplateError
from hwtranscribe.form import FormTemplate
from hwtranscribe.types import Case, Kind

HEAD = """
schema = 1
name = "membership"
[[page]]
size = [1000, 500]
"""
FIELD = """
[[page.field]]
name = "member_no"
kind = "digits"
box = [10, 20, 410, 60]
"""


def write(folder: Path, text: str) -> Path:
    path = folder / "form.toml"
    path.write_text(textwrap.dedent(text), encoding="utf-8")
    return path


def test_what_is_no_file_is_no_template(tmp_path):
    (tmp_path / "folder").mkdir()
    os.mkfifo(tmp_path / "pipe")
    for name in ("folder", "pipe"):
        with pytest.raises(TemplateError) as caught:
            FormTemplate.load(tmp_path / name)
        assert str(caught.value) == f"{tmp_path / name}: a folder, pipe or device, not a file; give a form.toml"


@pytest.mark.parametrize("number", ["9" * 5000, "0x" + "f" * 5000])
def test_a_number_of_very_many_digits(tmp_path, number):
    assert "digits" in problem_with(tmp_path, f'schema = {number}\nname = "x"\n')


def problem_with(folder: Path, text: str) -> str:
    with pytest.raises(TemplateError) as caught:
        FormTemplate.load(write(folder, text))
    assert caught.value.exit_code is ExitCode.TEMPLATE_OR_CHECKPOINT
    message = str(caught.value)
    prefix = f"{folder / 'form.toml'}: "
    assert all(line.startswith(prefix) for line in message.splitlines())
    return message.replace(prefix, "")


def test_a_whole_template(tmp_path):
    (tmp_path / "blank.pdf").write_bytes(b"%PDF-1.4")
    (tmp_path / "names.txt").write_text("\ufeffMüller\r\n\r\nO'Brien\n", encoding="utf-8")
    text = (
        HEAD
        + 'reference = "blank.pdf"\nreference_page = 2\n'
        + FIELD
        + "cells = 8\npattern = '\\d{8}'\nrequired = true\n"
    )
    text += '[[page.field]]\nname = "name"\nkind = "letters"\nbox = [10, 80, 410, 120]\n'
    text += 'case = "upper"\nlexicon = "names.txt"\n'
    form = FormTemplate.load(write(tmp_path, text))
    page = form.pages[0]
    assert (form.name, page.size, page.reference_page) == ("membership", (1000, 500), 2)
    assert page.reference == (tmp_path / "blank.pdf").resolve()
    number, name = page.fields
    assert (number.name, number.kind, number.box, number.cells) == ("member_no", Kind.DIGITS, (10, 20, 410, 60), 8)
    assert number.pattern == r"\d{8}" and number.required and number.case is Case.ANY
    assert name.lexicon == ("Müller", "O'Brien") and name.case is Case.UPPER and not name.required
    assert name.values.value_of("OBRIEN") == "O'Brien"
    assert name.constraint.broken_by("MILLER") == ("lexicon",)
    assert pickle.loads(pickle.dumps(form)) == form


def test_a_field_without_constraints_has_none(tmp_path):
    form = FormTemplate.load(write(tmp_path, HEAD + FIELD))
    assert form.pages[0].fields[0].constraint is None


def test_hash_follows_the_files_that_the_template_names(tmp_path):
    (tmp_path / "blank.png").write_bytes(b"one")
    (tmp_path / "values.txt").write_text("12\n")
    path = write(tmp_path, HEAD + 'reference = "blank.png"\n' + FIELD + 'lexicon = "values.txt"\n')
    hashes = {FormTemplate.load(path).hash, FormTemplate.load(path).hash}
    (tmp_path / "blank.png").write_bytes(b"two")
    hashes.add(FormTemplate.load(path).hash)
    (tmp_path / "values.txt").write_text("13\n")
    hashes.add(FormTemplate.load(path).hash)
    path.write_text(path.read_text() + "# changed\n")
    hashes.add(FormTemplate.load(path).hash)
    assert len(hashes) == 4


WRONG = [
    (HEAD, "page 1: there is no [[page.field]]; at least one is needed"),
    ('schema = 1\nname = "x"\n', "there is no [[page]]; at least one is needed"),
    (
        'schema = 1\nname = "x"\npage = 3\n',
        "page must be a table written [[page]], with double brackets, and not empty",
    ),
    (HEAD.replace("schema = 1", "schema = 2") + FIELD, "schema = 2: must be 1"),
    (HEAD.replace("schema = 1", "") + FIELD, 'key "schema" is missing'),
    (HEAD.replace('name = "membership"', "name = 7") + FIELD, "name = 7: must be text in quotes"),
    (
        HEAD.replace("[1000, 500]", "[1000]") + FIELD,
        "page 1: size = [1000]: must be two whole numbers",
    ),
    (HEAD.replace("[1000, 500]", "[1000, 0]") + FIELD, "page 1: size = 0: must be greater than or equal to 1"),
    (HEAD.replace("[1000, 500]", "[30000, 30000]") + FIELD, "page 1: size = [30000, 30000]: at most 200,000"),
    (HEAD + FIELD.replace("kind", "kidn"), 'page 1, field "member_no": unknown key "kidn"; did you mean "kind"?'),
    (
        HEAD + FIELD.replace('"digits"', '"digit"'),
        'kind = "digit": must be one of digits, letters,',
    ),
    (HEAD + FIELD.replace('"digits"', '"digit"'), 'did you mean "digits"?'),
    (HEAD + FIELD.replace('kind = "digits"\n', ""), 'page 1, field "member_no": key "kind" is missing'),
    (HEAD + FIELD.replace('"member_no"', '""'), "page 1, field number 1: name ="),
    (HEAD + FIELD.replace('"member_no"', '" a"'), 'name = " a": must be printable, without spaces around it'),
    (HEAD + FIELD.replace('"member_no"', '"review"'), 'name = "review": forms.csv has a column of that name already'),
    (
        HEAD + FIELD.replace("410, 60", "410"),
        "box = [10, 20, 410]: must be four whole numbers: left,",
    ),
    (HEAD + FIELD.replace("410, 60", "410, 60.5"), "box = [10, 20, 410, 60.5]: must be four whole numbers"),
    (
        HEAD + FIELD.replace("410, 60", "5, 60"),
        "box = [10, 20, 5, 60]: must be left, top,",
    ),
    (
        HEAD + FIELD.replace("410, 60", "1410, 60"),
        "lies outside the page, its size is 1000 x 500",
    ),
    (HEAD + FIELD + FIELD, 'page 1, field "member_no": name = "member_no": used before, on page 1'),
    (HEAD + FIELD + "cells = 0\n", "cells = 0: must be greater than or equal to 1"),
    (HEAD + FIELD + 'cells = "8"\n', 'cells = "8": must be a whole number'),
    (HEAD + FIELD + "cells = 150\n", "cells = 150: too many for a box 400 px wide"),
    (
        HEAD + FIELD + 'case = "upper"\n',
        'case = "upper": only letters and alphanumeric fields',
    ),
    (HEAD + FIELD + "required = 1\n", "required = 1: must be true or false"),
    (HEAD + FIELD + "pattern = '\\d{8'\n", "pattern = '\\d{8': position 3: { } needs counts"),
    (HEAD + FIELD + "pattern = '[A-Z]'\n", "no value of this kind of field can match it"),
    (HEAD + FIELD + "cells = 6\npattern = '\\d{8}'\n", "cells = 6: too few, pattern \\d{8} needs at least 8"),
    (HEAD + FIELD.replace("digits", "checkbox") + "pattern = 'A'\n", "pattern: a checkbox has none; leave it out"),
    (HEAD + FIELD + 'lexicon = "no.txt"\n', 'lexicon = "no.txt": no such file beside the template'),
    (HEAD + FIELD + 'lexicon = "../x.txt"\n', 'lexicon = "../x.txt": lies outside the folder of the template'),
    (HEAD + FIELD + 'lexicon = "/etc/passwd"\n', "lies outside the folder of the template"),
    (HEAD + FIELD + "lexicon = 3\n", "lexicon = 3: must be the name of a file, in quotes"),
    (HEAD + FIELD + 'lexicon = "a\\u0000b"\n', "lexicon = 'a\\x00b': holds a NUL character"),
    (HEAD + 'reference = "."\n' + FIELD, 'reference = ".": a folder, pipe or device, not a file'),
    (HEAD + FIELD + "sum = []\n", "sum = []: must be a list that is not empty\n"),
    (HEAD.replace('"membership"', '""') + FIELD, 'name = "": must be text that is not empty\n'),
    (HEAD + FIELD.replace("member_no", "a" * 201), "...: must be at most 200 characters long"),
    (HEAD + FIELD.replace("digits", "checkbox") + 'group = "g"\n', 'group = "g": has no other checkbox\n'),
    (HEAD + FIELD + f'lexicon = "{300 * "x"}"\n', "can't be read: File name too long"),
    (HEAD + 'reference = "blnak.pdf"\n' + FIELD, 'page 1: reference = "blnak.pdf": no such file'),
    (HEAD + "reference_page = 0\n" + FIELD, "page 1: reference_page = 0: must be greater than or equal to 1"),
    (HEAD + FIELD + "box = [1, 2, 3, 4]\n", "not valid TOML: Cannot overwrite a value (at line 11"),
    (HEAD + "[[page.field]]\n" * 5_001, "5,001 fields, at most 5,000 are allowed"),
    ("schema = \n", "not valid TOML: Invalid value (at line 1"),
    ("[" * 5000, "not valid TOML"),
    ("page = [[[]]]\n", "page 1: must be a table, written [[page]]"),
]


@pytest.mark.parametrize(("text", "problem"), WRONG)
def test_what_is_wrong_is_said_in_one_line(tmp_path, text, problem):
    assert problem in problem_with(tmp_path, text) + "\n"


DATE = FIELD + 'type = "date"\n'
CHECKBOX = FIELD.replace("digits", "checkbox")
PAIR = FIELD + FIELD.replace("member_no", "again")


@pytest.mark.parametrize(
    ("keys", "good", "bad", "name"),
    [
        ('type = "date"', "31121999", "31112999", "date DDMMYYYY"),
        (
            'type = "date"\nformat = "YYMMDD"\nmin = 1990-01-01\nmax = 2010-01-01',
            "991231",
            "891231",
            "date YYMMDD from 1990-01-01",
        ),
        ("min = 18\nmax = 99", "42", "17", "number at least 18, at most 99"),
        ('check = "luhn"', "79927398713", "79927398710", "check digit luhn"),
    ],
)
def test_dates_limits_and_check_digits_are_constraints(tmp_path, keys, good, bad, name):
    field = FormTemplate.load(write(tmp_path, HEAD + FIELD + keys)).pages[0].fields[0]
    assert field.constraint.broken_by(good) == ()
    (broken,) = field.constraint.broken_by(bad)
    assert broken.startswith(name)


def test_rules_across_fields(tmp_path):
    text = (
        HEAD + PAIR + 'equals = "member_no"\n' + FIELD.replace("member_no", "total") + 'sum = ["member_no", "again"]\n'
    )
    fields = FormTemplate.load(write(tmp_path, text)).pages[0].fields
    assert fields[1].equals == "member_no"
    assert fields[2].sum_of == ("member_no", "again")
    text = HEAD + (CHECKBOX + 'group = "sex"\n') + (CHECKBOX + 'group = "sex"\n').replace("member_no", "f")
    fields = FormTemplate.load(write(tmp_path, text)).pages[0].fields
    assert [field.group for field in fields] == ["sex", "sex"]


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (FIELD + 'type = "number"\n', 'type = "number": must be date'),
        (DATE + 'format = "DMY"\n', 'format = "DMY": must be made of DD, MM and YYYY or YY'),
        (FIELD + 'format = "DDMMYY"\n', 'format = "DDMMYY": only with type = "date"'),
        (DATE + "min = 18\n", "min = 18: must be a date such as 1950-01-31 here"),
        (FIELD + "max = 1999-01-01\n", "max = 1999-01-01: must be a whole number here"),
        (FIELD + "min = -1\n", "min = -1: must be a whole number from 0"),
        (FIELD + 'min = "3"\n', 'min = "3": must be a whole number from 0'),
        (FIELD + "min = true\n", "min = true: must be a whole number from 0"),
        (FIELD + "min = 1999-01-01T10:00:00\n", "must be a whole number from 0"),
        (FIELD + "min = 5\nmax = 4\n", "min, max: no number that can be written in digits lies between 5 and 4"),
        (DATE + "min = 2030-01-01\nmax = 2020-01-01\n", "min, max: no date lies between 2030-01-01 and 2020-01-01"),
        (DATE + "cells = 6\n", "cells = 6: too few, date DDMMYYYY needs at least 8"),
        (FIELD.replace("digits", "letters") + "min = 5\n", "min: only digits fields have one, this is letters"),
        (FIELD.replace("digits", "letters") + 'check = "luhn"\n', "only digits and alphanumeric fields have one"),
        (FIELD + 'check = "lunh"\n', 'check = "lunh": must be one of luhn, mod11, mod97, ean; did you mean "luhn"?'),
        (
            FIELD + 'pattern = "0"\nmax = 9\nmin = 1\n',
            "no value satisfies all of: pattern 0, number at least 1",
        ),
        (FIELD + 'group = "a"\n', "group: only checkboxes have one"),
        (CHECKBOX + 'group = "a"\n', 'group = "a": has no other checkbox'),
        (CHECKBOX + 'check = "luhn"\n', "check: a checkbox has none"),
        (CHECKBOX + "required = true\n", "required = true: an empty checkbox is a value, 0; of boxes of which one"),
        (FIELD + 'equals = "member_no"\n', 'equals = "member_no": is the field itself'),
        (PAIR + 'equals = "membr_no"\n', 'equals = "membr_no": there is no such field; did you mean "member_no"?'),
        (PAIR + 'sum = ["x"]\n', 'sum = "x": there is no such field'),
        (PAIR + "sum = []\n", "sum = []:"),
        (PAIR + 'sum = "member_no"\n', 'sum = "member_no": must be'),
        (CHECKBOX + FIELD.replace("member_no", "b") + 'equals = "member_no"\n', "is a checkbox field, this is digits"),
    ],
)
def test_rules_that_make_no_sense(tmp_path, text, problem):
    assert problem in problem_with(tmp_path, HEAD + text)


def test_every_problem_is_a_line_of_its_own(tmp_path):
    text = HEAD + FIELD.replace("kind", "kidn") + "cells = 0\n"
    lines = problem_with(tmp_path, text).splitlines()
    assert len(lines) == 3


def test_misspelt_file_names_are_suggested(tmp_path):
    (tmp_path / "blank.pdf").write_bytes(b"%PDF-1.4")
    assert 'did you mean "blank.pdf"?' in problem_with(tmp_path, HEAD + 'reference = "blnak.pdf"\n' + FIELD)


def test_fields_share_a_lexicon(tmp_path):
    (tmp_path / "values.txt").write_text("12\n")
    again = FIELD.replace("member_no", "other") + 'lexicon = "values.txt"\n'
    one, other = FormTemplate.load(write(tmp_path, HEAD + FIELD + 'lexicon = "values.txt"\n' + again)).pages[0].fields
    assert one.values is other.values


def test_a_link_out_of_the_folder_is_refused(tmp_path):
    (tmp_path / "secret.txt").write_text("1\n")
    folder = tmp_path / "forms"
    folder.mkdir()
    (folder / "values.txt").symlink_to(tmp_path / "secret.txt")
    assert "lies outside the folder" in problem_with(folder, HEAD + FIELD + 'lexicon = "values.txt"\n')


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"", "the file holds no values"),
        (b"12\n\xe9\n", "line 2 is not UTF-8"),
        (b"12\nA1\n", 'lexicon: the value "A1" holds A, a digits field can\'t'),
        (b"--\n", 'lexicon: the value "--" holds no letter or digit'),
        (b"1" * 300, "has 300 characters, at most 200"),
        (b"1\n" * 500_001, "500,001 values, at most 500,000 are allowed"),
        (b"1" * (16 * 2**20 + 1), "larger than 16 MiB"),
    ],
)
def test_what_is_wrong_with_a_lexicon_is_said(tmp_path, content, problem):
    (tmp_path / "values.txt").write_bytes(content)
    assert problem in problem_with(tmp_path, HEAD + FIELD + 'lexicon = "values.txt"\n')


def test_pattern_and_lexicon_that_exclude_each_other_are_found(tmp_path):
    (tmp_path / "values.txt").write_text("12\n34\n")
    text = HEAD + FIELD + "lexicon = \"values.txt\"\npattern = '5\\d'\n"
    assert "no value satisfies all of: pattern 5\\d, lexicon" in problem_with(tmp_path, text)


def test_a_template_that_is_missing_or_no_text(tmp_path):
    with pytest.raises(TemplateError, match=r'form.toml: no such template file; did you mean "from.toml"\?'):
        (tmp_path / "from.toml").touch()
        FormTemplate.load(tmp_path / "form.toml")
    (tmp_path / "form.toml").write_bytes(b"name = '\xff'")
    with pytest.raises(TemplateError, match="line 1 is not UTF-8"):
        FormTemplate.load(tmp_path / "form.toml")
    with pytest.raises(TemplateError, match="a folder, pipe or device"):
        FormTemplate.load(tmp_path)


_VALUES = st.sampled_from(
    [
        "0",
        "-1",
        "8",
        "10" * 30,
        "1.5",
        "nan",
        "true",
        '""',
        '"digits"',
        '"checkbox"',
        '"date"',
        '"luhn"',
        '"upper"',
        "[]",
    ]
    + ["{}", "[1, 2, 3, 4]", "[0, 0, 100, 50]", '["member_no"]', "1999-01-01", "10:00:00", "[[1], [2]]", "{ a = 1 }"]
    + ['"\\u0000"', '"../x"', '"/"', '"."', '"member_no"', "'(a{200}){200}'", "'[^0-9]'", '"' + "x" * 300 + '"']
)
_KEYS = st.sampled_from(
    ["name", "kind", "box", "case", "cells", "pattern", "lexicon", "required", "type", "format", "min", "max", "check"]
    + ["group", "equals", "sum", "size", "reference", "reference_page", "schema", "page", "field", '"\\n"', "pages"]
)
_LINES = st.one_of(
    st.builds("{} = {}".format, _KEYS, _VALUES),
    st.sampled_from(["[[page]]", "[[page.field]]", "[page]", "[page.field]"]),
)


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(lines=st.lists(_LINES, max_size=6), whole=st.booleans(), cut=st.integers(0, 10_000))
def test_whatever_a_template_holds_it_is_read_or_explained(tmp_path, lines, whole, cut):
    text = (HEAD + FIELD if whole else "") + "\n".join(lines)
    path = write(tmp_path, text[:cut])
    try:
        FormTemplate.load(path)
    except TemplateError as error:
        assert all(line.startswith(str(path)) and line.isprintable() for line in str(error).split("\n"))
