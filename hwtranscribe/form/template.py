"""The models of a template; they check everything that can be checked without a scan."""

import hashlib
import tomllib
from collections.abc import Iterator
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    StrictBool,
    StrictInt,
    StrictStr,
    ValidationError,
    ValidationInfo,
    field_validator,
    model_validator,
)

from hwtranscribe.constraint import ALPHABETS, Constraint, Lexicon, Pattern, Product, fold, shortest_length
from hwtranscribe.errors import TemplateError
from hwtranscribe.form.files import beside, read_lexicon, read_template, reason
from hwtranscribe.form.problems import explain, place, shown
from hwtranscribe.types import Case, Kind

MAX_NAME_LENGTH = 200
MAX_SIDE_PX = 30_000
MAX_PAGE_PX = 200_000_000
MAX_CELLS = 200
MIN_CELL_PX = 3

FORM_COLUMNS = ("document", "form", "pages", "review")
"""Columns that `forms.csv` has besides the fields."""

_Name = Annotated[StrictStr, Field(min_length=1, max_length=MAX_NAME_LENGTH)]
_Side = Annotated[StrictInt, Field(ge=1, le=MAX_SIDE_PX)]


class _Table(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", validate_by_name=True, validate_by_alias=True)


def _file_beside(value: Any, info: ValidationInfo) -> Path | None:
    """The file a key names, or None when the template does not come from a file."""
    if info.context is None:
        return None
    if not isinstance(value, str):
        raise ValueError("must be the name of a file, in quotes")
    return beside(value, info.context["folder"])


class FieldTemplate(_Table):
    """One field of a page.

    Attributes:
        name: The column in the CSV, unique over the form.
        kind: What it may hold.
        box: left, top, right, bottom in px of the page template; right and bottom exclusive.
        case: Case of its letters.
        cells: Number of cells of a comb, or None to find them.
        pattern: What the whole value looks like (see `constraint.pattern`), or None.
        lexicon: The values it may have, as the list writes them, or None.
        required: Whether a blank field is for review.
    """

    name: _Name
    kind: Kind
    box: tuple[StrictInt, StrictInt, StrictInt, StrictInt]
    case: Case = Case.ANY
    cells: Annotated[StrictInt, Field(ge=1, le=MAX_CELLS)] | None = None
    pattern: StrictStr | None = None
    lexicon: tuple[str, ...] | None = None
    required: StrictBool = False

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
        path = _file_beside(value, info)
        try:
            return value if path is None else read_lexicon(path)
        except OSError as error:
            raise ValueError(f"can't be read: {reason(error)}") from None

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
        if self.case is not Case.ANY and self.kind not in (Kind.LETTERS, Kind.ALPHANUMERIC):
            yield f'case = "{self.case}": only letters and alphanumeric fields have a case, this is {self.kind}'
        if self.kind is Kind.CHECKBOX:
            for key in ("cells", "pattern", "lexicon"):
                if getattr(self, key) is not None:
                    yield f"{key}: a checkbox has none; leave it out"

    def _constraint_problems(self) -> Iterator[str]:
        """Compiles the constraints once, so that what is wrong with them is found here and not in a worker."""
        alphabet = ALPHABETS[self.kind]
        if self.pattern is not None:
            try:
                Pattern(self.pattern, alphabet)
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
        if self.constraint is None:
            return
        shortest = shortest_length(self.constraint, alphabet)
        if shortest is None:
            yield f"no value satisfies all of: {self.constraint.name}"
        elif self.cells is not None and shortest > self.cells:
            yield f"cells = {self.cells}: too few, {self.constraint.name} needs at least {shortest}"

    @cached_property
    def constraint(self) -> Product | None:
        """All constraints on the value as one automaton, or None."""
        parts: list[Constraint] = []
        if self.pattern is not None:
            parts.append(Pattern(self.pattern, ALPHABETS[self.kind]))
        if self.values is not None:
            parts.append(self.values)
        return Product(parts) if parts else None

    @cached_property
    def values(self) -> Lexicon | None:
        """The lexicon as an automaton, which also gives values back in their own spelling; None without one."""
        return None if self.lexicon is None else Lexicon(self.lexicon)


class PageTemplate(_Table):
    """One page of a form.

    Attributes:
        size: Width and height of the frame of all boxes, px.
        reference: The empty form, an image or PDF, or None.
        reference_page: Its page in that file, 1-based.
        fields: In the order of the template.
    """

    size: tuple[_Side, _Side]
    reference: Path | None = None
    reference_page: Annotated[StrictInt, Field(ge=1)] = 1
    fields: Annotated[tuple[FieldTemplate, ...], Field(alias="field", min_length=1)]

    @field_validator("size")
    @classmethod
    def _is_bounded(cls, size: tuple[int, int]) -> tuple[int, int]:
        if size[0] * size[1] > MAX_PAGE_PX:
            raise ValueError(f"at most {MAX_PAGE_PX:,} px in all")
        return size

    @field_validator("reference", mode="before")
    @classmethod
    def _find_reference(cls, value: Any, info: ValidationInfo) -> Any:
        return _file_beside(value, info) or value


class _FormFile(_Table):
    """What `form.toml` holds."""

    schema_version: Annotated[Literal[1], Field(alias="schema")]
    name: _Name
    pages: Annotated[tuple[PageTemplate, ...], Field(alias="page", min_length=1)]

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        problems = list(self._problems())
        if problems:
            raise ValueError("\n".join(problems))
        return self

    def _problems(self) -> Iterator[str]:
        seen: dict[str, int] = {}
        for number, page in enumerate(self.pages):
            width, height = page.size
            for field in page.fields:
                where = place(number, field.name)
                left, top, right, bottom = field.box
                if left < 0 or top < 0 or right > width or bottom > height:
                    yield f"{where}: box = {list(field.box)}: lies outside the page, its size is {width} x {height}"
                if field.name in seen:
                    yield f'{where}: name = "{field.name}": used before, on page {seen[field.name] + 1}'
                seen.setdefault(field.name, number)


class FormTemplate(_FormFile):
    """A form: its pages and their fields.

    Attributes:
        name: Of the form.
        pages: In order.
        path: The file it was read from.
        hash: SHA-256 over that file and the references and lexicons it names.
    """

    path: Path
    hash: str

    @classmethod
    def load(cls, path: Path | str) -> Self:
        """Reads and checks a template and the files it refers to.

        Raises:
            TemplateError: naming file, page, field, key, value and what is allowed, one line for each problem.
        """
        path = Path(path)
        content = read_template(path)
        try:
            data = tomllib.loads(content.decode("utf-8-sig").replace("\r\n", "\n"))
        except UnicodeDecodeError as error:
            line = content.count(b"\n", 0, error.start) + 1
            raise TemplateError(f"{path}: line {line} is not UTF-8; save the file as UTF-8") from None
        except (tomllib.TOMLDecodeError, RecursionError) as error:
            raise TemplateError(f"{path}: not valid TOML: {error}") from None
        try:
            form = _FormFile.model_validate(data, context={"folder": path.parent}, by_alias=True, by_name=False)
        except ValidationError as error:
            problems = explain(error, data, _KEYS)
            raise TemplateError("\n".join(f"{path}: {problem}" for problem in problems)) from None
        return cls(
            schema_version=form.schema_version, name=form.name, pages=form.pages, path=path, hash=_hash(content, form)
        )


def _keys(model: type[BaseModel]) -> list[str]:
    return [field.alias or name for name, field in model.model_fields.items()]


_KEYS = {"form": _keys(_FormFile), "page": _keys(PageTemplate), "field": _keys(FieldTemplate)}


def _hash(content: bytes, form: _FormFile) -> str:
    digest = hashlib.sha256(content)
    for page in form.pages:
        if page.reference is not None:
            with page.reference.open("rb") as file:
                digest.update(hashlib.file_digest(file, "sha256").digest())
        for field in page.fields:
            digest.update("\n".join(field.lexicon or ()).encode())
    return digest.hexdigest()
