"""A form and its pages."""

import hashlib
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, Field, StrictInt, ValidationError, ValidationInfo, field_validator, model_validator

from hwtranscribe.errors import TemplateError
from hwtranscribe.form.field import FieldTemplate, Name, Table, file_beside
from hwtranscribe.form.files import read_template, reason, suggestion
from hwtranscribe.form.problems import explain, place

MAX_SIDE_PX = 30_000
MAX_PAGE_PX = 200_000_000
MAX_FIELDS = 5_000

_Side = Annotated[StrictInt, Field(ge=1, le=MAX_SIDE_PX)]


class PageTemplate(Table):
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
        return file_beside(value, info) or value


class _FormFile(Table):
    """What `form.toml` holds."""

    schema_version: Annotated[Literal[1], Field(alias="schema")]
    name: Name
    pages: Annotated[tuple[PageTemplate, ...], Field(alias="page", min_length=1)]

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        problems = [*self._box_and_name_problems(), *self._cross_field_problems()]
        if problems:
            raise ValueError("\n".join(problems))
        return self

    def _box_and_name_problems(self) -> Iterator[str]:
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

    def _cross_field_problems(self) -> Iterator[str]:
        fields = {field.name: field for page in self.pages for field in page.fields}
        groups = [field.group for field in fields.values() if field.group is not None]
        for number, page in enumerate(self.pages):
            for field in page.fields:
                where = place(number, field.name)
                if field.group is not None and groups.count(field.group) == 1:
                    yield f'{where}: group = "{field.group}": has no other checkbox{suggestion(field.group, groups)}'
                others = [("equals", name) for name in (field.equals,) if name is not None]
                for key, name in [*others, *(("sum", name) for name in field.sum_of or ())]:
                    if name == field.name:
                        yield f'{where}: {key} = "{name}": is the field itself'
                    elif name not in fields:
                        yield f'{where}: {key} = "{name}": there is no such field{suggestion(name, list(fields))}'
                    elif fields[name].kind is not field.kind:
                        yield f'{where}: {key} = "{name}": is a {fields[name].kind} field, this is {field.kind}'


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
        except ValueError:  # of int(), which refuses what would take it long
            digits = sys.get_int_max_str_digits()
            raise TemplateError(f"{path}: a whole number has more than {digits:,} digits") from None
        if (count := _field_count(data)) > MAX_FIELDS:
            raise TemplateError(f"{path}: {count:,} fields, at most {MAX_FIELDS:,} are allowed")
        context = {"folder": path.parent, "lexicons": {}}
        try:
            form = _FormFile.model_validate(data, context=context, by_alias=True, by_name=False)
        except ValidationError as error:
            problems = explain(error, data, _KEYS)
            raise TemplateError("\n".join(f"{path}: {problem}" for problem in problems)) from None
        try:
            digest = _hash(content, form)
        except OSError as error:
            raise TemplateError(f"{path}: {error.filename}: can't be read: {reason(error)}") from None
        return cls(schema_version=1, name=form.name, pages=form.pages, path=path, hash=digest)


def _keys(model: type[BaseModel]) -> list[str]:
    return [field.alias or name for name, field in model.model_fields.items()]


_KEYS = {"form": _keys(_FormFile), "page": _keys(PageTemplate), "field": _keys(FieldTemplate)}


def _field_count(data: dict[str, Any]) -> int:
    pages = data.get("page")
    fields = [page.get("field") for page in pages if isinstance(page, dict)] if isinstance(pages, list) else []
    return sum(len(one) for one in fields if isinstance(one, list))


def _hash(content: bytes, form: _FormFile) -> str:
    digest = hashlib.sha256(content)
    for page in form.pages:
        if page.reference is not None:
            with page.reference.open("rb") as file:
                digest.update(hashlib.file_digest(file, "sha256").digest())
        for field in page.fields:
            digest.update("\n".join(field.lexicon or ()).encode())
    return digest.hexdigest()
