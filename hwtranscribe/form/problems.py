"""Turns what pydantic says about a template into lines that a person can act on."""

from collections.abc import Mapping
from typing import Any

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from hwtranscribe.form.files import suggestion

_LISTS = {"page": "[[page]]", "field": "[[page.field]]"}
_LENGTHS = {"size": "two whole numbers, width and height", "box": "four whole numbers: left, top, right, bottom"}
_TYPES = {
    "string_too_short": "text that is not empty",
    "too_short": "a list that is not empty",
    "int_type": "a whole number",
    "string_type": "text in quotes",
    "bool_type": "true or false",
    "date_type": "a date such as 1950-01-31, without quotes",
}


def explain(error: ValidationError, data: Mapping[str, Any], keys: Mapping[str, list[str]]) -> list[str]:
    """One line for each problem: place, key, value, what is allowed.

    Args:
        error: What pydantic found.
        data: The parsed file.
        keys: Allowed keys of a `form`, a `page` and a `field`.
    """
    lines: list[str] = []
    for details in error.errors(include_url=False):
        for line in _lines(details, data, keys):
            printable = "".join(character if character.isprintable() else repr(character)[1:-1] for character in line)
            if printable not in lines:
                lines.append(printable)
    return lines


def place(page: int, field: str | None = None) -> str:
    """How a page (0-based) or a field on it is called in messages."""
    return f"page {page + 1}" if field is None else f'page {page + 1}, field "{field}"'


def shown(value: Any) -> str:
    """A value as TOML writes it, cut when long."""
    match value:
        case bool():
            text = str(value).lower()
        case str():
            text = f'"{value}"' if value.isprintable() else repr(value)
        case _:
            try:
                text = repr(value)
            except ValueError:  # hexadecimal numbers may be longer than can be written in decimal
                text = "a number of very many digits"
    return text if len(text) <= 80 else text[:77] + "..."


def _lines(details: ErrorDetails, data: Mapping[str, Any], keys: Mapping[str, list[str]]) -> list[str]:
    where, level, path = _locate(details["loc"], data)
    own = details.get("ctx", {}).get("error")
    if not path:
        if own is None:
            return [f"{where}must be a table, written {_LISTS.get(level, '')}"]
        return [f"{where}{line}" for line in str(own).split("\n")]
    key, value = str(path[0]), details["input"]
    kind = details["type"]
    if kind == "extra_forbidden":
        return [f'{where}unknown key "{key}"{suggestion(key, keys[level])}; allowed are {", ".join(keys[level])}']
    if kind == "missing" and len(path) == 1:
        if key in _LISTS:
            return [f"{where}there is no {_LISTS[key]}; at least one is needed"]
        return [f'{where}key "{key}" is missing']
    if own is not None:
        return [f"{where}{key} = {shown(value)}: {own}"]
    if key in _LISTS:
        if isinstance(value, list) and value:
            return []  # what is wrong inside is said already
        return [f"{where}{key} must be a table written {_LISTS[key]}, with double brackets, and not empty"]
    if key in _LENGTHS and kind not in ("greater_than_equal", "less_than_equal"):
        return [f"{where}{key} = {shown(_whole(details['loc'], path, data))}: must be {_LENGTHS[key]}"]
    return [f"{where}{key} = {shown(value)}: must be {_wanted(details)}"]


def _wanted(details: ErrorDetails) -> str:
    expected = details.get("ctx", {}).get("expected")
    if expected is not None:
        choices = [choice.strip("' ") for choice in str(expected).replace(" or ", ", ").split(",")]
        hint = suggestion(details["input"], choices) if isinstance(details["input"], str) else ""
        return f"one of {', '.join(choices)}{hint}" if len(choices) > 1 else choices[0]
    if details["type"] == "string_too_long":
        return f"at most {details['ctx']['max_length']} characters long"
    return _TYPES.get(details["type"], details["msg"].removeprefix("Input should be "))


def _locate(loc: tuple[int | str, ...], data: Mapping[str, Any]) -> tuple[str, str, tuple[int | str, ...]]:
    """Words for the place, which level it is (form, page or field), and the rest of the location within it."""
    match loc:
        case ("page", int(page), "field", int(field), *rest):
            fields = data["page"][page]["field"]
            name = fields[field].get("name") if isinstance(fields[field], dict) else None
            named = f'"{name}"' if isinstance(name, str) and name else f"number {field + 1}"
            return f"page {page + 1}, field {named}: ", "field", tuple(rest)
        case ("page", int(page), *rest):
            return f"page {page + 1}: ", "page", tuple(rest)
    return "", "form", loc


def _whole(loc: tuple[int | str, ...], path: tuple[int | str, ...], data: Any) -> Any:
    """The whole value of a key, where the problem is in one of its parts."""
    for step in loc[: len(loc) - len(path) + 1]:
        data = data[step]
    return data
