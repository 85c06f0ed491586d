"""One field of a template, with everything about it that can be checked without a scan."""

from collections.abc import Iterator
from datetime import date, datetime
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    StrictBool,
    StrictInt,
    StrictStr,
    ValidationInfo,
    field_validator,
    model_validator,
)

from hwtranscribe.constraint import ALPHABETS, Constraint, Lexicon, Pattern, Product, fold, shortest_length
from hwtranscribe.constraint.checks import CHECKS
from hwtranscribe.constraint.dates import DEFAULT_FORMAT, EARLIEST, LATEST, check_format, dates
from hwtranscribe.constraint.ranges import Range
from hwtranscribe.form.files import beside, read_lexicon, reason
from hwtranscribe.form.problems import shown
from hwtranscribe.types import Case, Kind

MAX_NAME_LENGTH = 200
MAX_CELLS = 200
MIN_CELL_PX = 3
MAX_NUMBER = 10**30

FORM_COLUMNS = ("document", "form", "pages", "review")
"""Columns that `forms.csv` has besides the fields."""

_ONLY_FOR_CHECKBOXES = ("group",)
_NOT_FOR_CHECKBOXES = ("cells", "pattern", "lexicon", "type", "check", "min", "max", "equals", "sum")
_ONLY_FOR_DIGITS = ("type", "min", "max", "sum")

# Fields often share a pattern or a long list of names.
_pattern = lru_cache(maxsize=256)(Pattern)
_lexicon = lru_cache(maxsize=8)(Lexicon)

Name = Annotated[StrictStr, Field(min_length=1, max_length=MAX_NAME_LENGTH)]


class Table(BaseModel):
    """A table of form.toml: no unknown keys, and frozen."""

    model_config = ConfigDict(frozen=True, extra="forbid", validate_by_name=True, validate_by_alias=True)


def file_beside(value: Any, info: ValidationInfo) -> Path | None:
    """The file a key names, or None when the template does not come from a file.

    Raises:
        ValueError: if there is no such file beside the template.
    """
    if info.context is None:
        return None
    if not isinstance(value, str):
        raise ValueError("must be the name of a file, in quotes")
    return beside(value, info.context["folder"])


class FieldTemplate(Table):
    """One field of a page.

    Attributes:
        name: The column in the CSV, unique over the form.
        kind: What it may hold.
        box: left, top, right, bottom in px of the page template; right and bottom exclusive.
        case: Case of its letters.
        cells: Number of cells of a comb, or None to find them.
        pattern: What the whole value looks like (see `constraint.pattern_syntax`), or None.
        lexicon: The values it may have, as the list writes them, or None.
        required: Whether a blank field is for review.
        value_type: `date`, or None.
        date_format: Order of day, month and year; `DDMMYYYY` unless given.
        minimum: Least number or earliest date, or None.
        maximum: Largest number or latest date, or None.
        check: Name of the rule of its check digit, or None.
        group: Of checkboxes of which exactly one is ticked, or None.
        equals: Name of a field that holds the same value, or None.
        sum_of: Names of fields that add up to this one, or None.
    """

    name: Name
    kind: Kind
    box: tuple[StrictInt, StrictInt, StrictInt, StrictInt]
    case: Case = Case.ANY
    cells: Annotated[StrictInt, Field(ge=1, le=MAX_CELLS)] | None = None
    pattern: StrictStr | None = None
    lexicon: tuple[str, ...] | None = None
    required: StrictBool = False
    value_type: Annotated[Literal["date"] | None, Field(alias="type")] = None
    date_format: Annotated[StrictStr | None, Field(alias="format")] = None
    minimum: Annotated[Any, Field(alias="min")] = None
    maximum: Annotated[Any, Field(alias="max")] = None
    check: Literal["luhn", "mod11", "mod97", "ean"] | None = None
    group: Name | None = None
    equals: Name | None = None
    sum_of: Annotated[tuple[Name, ...] | None, Field(alias="sum", min_length=1)] = None

    @field_validator("name")
    @classmethod
    def _is_a_column(cls, name: str) -> str:
        if not name.isprintable() or name != name.strip():
            raise ValueError("must be printable, without spaces around it")
        if name in FORM_COLUMNS:
            raise ValueError("forms.csv has a column of that name already; choose another")
        return name

    @field_validator("lexicon", mode="before")
    @classmethod
    def _load_lexicon(cls, value: Any, info: ValidationInfo) -> Any:
        path = file_beside(value, info)
        if path is None or info.context is None:
            return value
        read = info.context["lexicons"]
        try:
            return read[path] if path in read else read.setdefault(path, read_lexicon(path))
        except OSError as error:
            raise ValueError(f"can't be read: {reason(error)}") from None

    @field_validator("date_format")
    @classmethod
    def _is_a_format(cls, text: str) -> str:
        check_format(text)
        return text

    @field_validator("minimum", "maximum")
    @classmethod
    def _is_a_limit(cls, value: Any) -> Any:
        whole = isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= MAX_NUMBER
        if not whole and (not isinstance(value, date) or isinstance(value, datetime)):
            raise ValueError("must be a whole number from 0, or for a date one such as 1950-01-31, without quotes")
        return value

    @model_validator(mode="after")
    def _keys_fit(self) -> Self:
        problems = list(self._problems()) or list(self._constraint_problems())
        if problems:
            raise ValueError("\n".join(problems))
        return self

    def _problems(self) -> Iterator[str]:
        left, top, right, bottom = self.box
        if left >= right or top >= bottom:
            yield f"box = {list(self.box)}: must be left, top, right, bottom with left < right and top < bottom"
        elif self.cells and right - left < MIN_CELL_PX * self.cells:
            yield f"cells = {self.cells}: too many for a box {right - left} px wide"
        if self.required and self.kind is Kind.CHECKBOX:
            yield "required = true: an empty checkbox is a value, 0; of boxes of which one must be ticked make a group"
        if self.case is not Case.ANY and self.kind not in (Kind.LETTERS, Kind.ALPHANUMERIC):
            yield f'case = "{self.case}": only letters and alphanumeric fields have a case, this is {self.kind}'
        given = {
            info.alias or name for name, info in FieldTemplate.model_fields.items() if getattr(self, name) is not None
        }
        for key in _NOT_FOR_CHECKBOXES if self.kind is Kind.CHECKBOX else _ONLY_FOR_CHECKBOXES:
            if key in given:
                rule = "a checkbox has none; leave it out" if self.kind is Kind.CHECKBOX else "only checkboxes have one"
                yield f"{key}: {rule}"
        for key in _ONLY_FOR_DIGITS:
            if key in given and self.kind not in (Kind.DIGITS, Kind.CHECKBOX):
                yield f"{key}: only digits fields have one, this is {self.kind}"
        if "check" in given and self.kind is Kind.LETTERS:
            yield f"check = {shown(self.check)}: only digits and alphanumeric fields have one, this is letters"
        if self.date_format is not None and self.value_type is None:
            yield f'format = {shown(self.date_format)}: only with type = "date"'
        for key, limit in (("min", self.minimum), ("max", self.maximum)):
            if limit is not None and isinstance(limit, date) != (self.value_type == "date"):
                wanted = "a date such as 1950-01-31" if self.value_type else "a whole number"
                yield f"{key} = {limit}: must be {wanted} here"

    def _constraint_problems(self) -> Iterator[str]:
        """Compiles the constraints once, so that what is wrong with them is found here and not in a worker."""
        alphabet = ALPHABETS[self.kind]
        if self.pattern is not None:
            try:
                _pattern(self.pattern, alphabet)
            except ValueError as error:
                yield f"pattern = '{self.pattern}': {error}"
                return
        for value in self.lexicon or ():
            folded = fold(value)
            wrong = "".join(dict.fromkeys(character for character in folded if character not in alphabet))
            if wrong or not folded:
                detail = f"holds {wrong}, a {self.kind} field can't" if wrong else "holds no letter or digit"
                yield f"lexicon: the value {shown(value)} {detail}"
                return
        try:
            constraint = self.constraint
        except ValueError as error:
            yield f"min, max: {error}"
            return
        if constraint is None:
            return
        shortest = shortest_length(constraint, alphabet)
        if shortest is None:
            yield f"no value satisfies all of: {constraint.name}"
        elif self.cells is not None and shortest > self.cells:
            yield f"cells = {self.cells}: too few, {constraint.name} needs at least {shortest}"

    @cached_property
    def constraint(self) -> Product | None:
        """All constraints on the value as one automaton, or None."""
        parts: list[Constraint] = []
        if self.pattern is not None:
            parts.append(_pattern(self.pattern, ALPHABETS[self.kind]))
        if self.values is not None:
            parts.append(self.values)
        if self.value_type == "date":
            parts.append(dates(self.date_format or DEFAULT_FORMAT, self.minimum or EARLIEST, self.maximum or LATEST))
        elif self.minimum is not None or self.maximum is not None:
            parts.append(Range(self.minimum, self.maximum))
        if self.check is not None:
            parts.append(CHECKS[self.check]())
        return Product(parts) if parts else None

    @cached_property
    def values(self) -> Lexicon | None:
        """The lexicon as an automaton, which also gives values back in their own spelling; None without one."""
        return None if self.lexicon is None else _lexicon(self.lexicon)
