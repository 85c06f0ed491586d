"""The sample form: an application for membership of a rowing club, and people to fill it in."""

from pathlib import Path

import numpy as np

from sampling.fields import FormField
from sampling.hand import Hand
from sampling.sheet import A4_PX, Sheet


def _words(text: str, separator: str | None = None) -> tuple[str, ...]:
    return tuple(word.strip() for word in text.split(separator))


FIRST_NAMES = _words(
    """
Ada Agnes Albert Alice Amir Anna Anton Beatrice Bruno Carla Cecilia Charles Clara Daniel David Diana Edith
Elif Emil Emma Erik Eva Felix Fiona Frank Fred Gabriel George Grace Hanna Hugo Ida Igor Irene Iris Jack Jana
Jasmin Jonas José Julia Karl Katja Kim Lara Laura Leo Lina Louis Lucy Maria Mark Max Mia Mila Mohamed Moritz
Nadia Nina Noah Nora Oliver Olga Oscar Paul Petra Quentin Rachel Robert Rosa Ruth Samuel Sara Sofia Stefan
Susan Theo Thomas Tim Ulla Ursula Victor Wanda William Xenia Yann Yusuf Zoe
"""
)
SURNAMES = _words(
    """
ADAMS ANDERSEN BAKER BECKER BIANCHI BROWN CLARKE COHEN DIAZ DUBOIS EVANS FISCHER FOX GARCIA GREEN HANSEN
HUGHES IVANOV JACKSON JENSEN KELLER KHAN KLEIN KOWALSKI LAMBERT LARSEN LOPEZ MARTIN MEYER MOREAU NGUYEN
NOVAK OBRIEN PATEL PEREZ QUINN RICHTER ROSSI SCHMIDT SILVA SMITH TAYLOR UNGER VOGEL WAGNER WALKER WEBER
WRIGHT YILMAZ ZIMMER
"""
)
TOWNS = _words(
    """
AMBERFORD BRIXWELL CASTLEQUAY DUNMORE EASTVALE FENWICK GREYMOUTH HAZELTON INVERLEY JUNIPER KINGSBRIDGE
LONGFIELD MARLOWE NORTHAM OAKHURST PENZIL QUEENSFERRY RIVERTON SOUTHWOLD THORPE UPMINSTER VALEMONT WEXHAM
YARDLEY
"""
)
STREETS = _words(
    """
MILL LANE|HIGH STREET|STATION ROAD|CHURCH HILL|PARK AVENUE|QUAY STREET|OXFORD WAY|KINGS ROAD|BRIDGE END|
ELM GROVE|VICTORIA SQUARE|JUBILEE CLOSE|WHARF ROAD|FOXGLOVE DRIVE|ZION TERRACE
""",
    "|",
)
REMARKS = _words(
    """
|PLEASE CALL IN THE EVENING|VEGETARIAN|HAS A BOAT OF HER OWN|JOINED WITH A FRIEND|MOVING HOUSE IN JUNE|
NO POST PLEASE|EXPERT WITH QUAD SCULLS|ONLY AT WEEKENDS
""",
    "|",
)

FIELDS = (
    FormField(
        "member_no",
        "digits",
        "Member number",
        (420, 330, 804, 390),
        "comb",
        8,
        keys={"pattern": r"'\d{8}'", "check": '"luhn"'},
    ),
    FormField("surname", "letters", "Surname", (420, 450, 1380, 510), "comb", 20, keys={"case": '"upper"'}),
    FormField(
        "first_name",
        "letters",
        "First name",
        (420, 566, 1100, 636),
        "box",
        keys={"case": '"upper"', "lexicon": '"first_names.txt"', "required": "true"},
    ),
    FormField(
        "birth_date",
        "digits",
        "Date of birth",
        (420, 690, 804, 750),
        "comb",
        8,
        hints="DDMMYYYY",
        keys={"type": '"date"', "format": '"DDMMYYYY"', "max": "2026-12-31"},
    ),
    FormField(
        "street",
        "alphanumeric",
        "Street",
        (420, 806, 1480, 874),
        "line",
        keys={"case": '"upper"', "pattern": r"'\d{1,3} [A-Z ]+'"},
    ),
    FormField("postcode", "digits", "Postcode", (420, 930, 730, 990), "cells", 5, keys={"pattern": r"'\d{5}'"}),
    FormField("town", "letters", "Town", (420, 1050, 1188, 1110), "ticks", 16, keys={"case": '"upper"'}),
    FormField("phone", "digits", "Telephone", (420, 1170, 900, 1230), "comb", 10),
    FormField("fee", "digits", "Yearly fee, euro", (420, 1286, 700, 1356), "box", keys={"pattern": r"'\d{2,3}'"}),
    FormField("adult", "checkbox", "Adult", (420, 1420, 456, 1456), "checkbox", keys={"group": '"membership"'}),
    FormField("student", "checkbox", "Student", (640, 1420, 676, 1456), "checkbox", keys={"group": '"membership"'}),
    FormField("family", "checkbox", "Family", (880, 1420, 916, 1456), "checkbox", keys={"group": '"membership"'}),
    FormField("newsletter", "checkbox", "Send me the newsletter", (420, 1510, 456, 1546), "checkbox"),
    FormField("remarks", "letters", "Remarks", (420, 1596, 1500, 1664), "line", keys={"case": '"upper"'}),
    FormField("contact", "letters", "Emergency contact", (420, 1716, 1500, 1784), "line", keys={"case": '"upper"'}),
    FormField("contact_phone", "digits", "Their telephone", (420, 1840, 900, 1900), "ticks", 10),
)


def blank() -> Sheet:
    """The empty form."""
    sheet = Sheet()
    sheet.text(120, 170, "Riverside Rowing Club", 60, bold=True)
    sheet.text(120, 230, "Application for membership", 38)
    sheet.text(120, 280, "Please print in CAPITALS, one character in each box. Mark boxes with a cross or a tick.", 24)
    sheet.line(120, 300, 1534, 300, 3)
    sheet.text(120, 1447, "Membership", 26)
    for field in FIELDS:
        field.print_on(sheet)
    sheet.line(120, 1990, 1534, 1990, 3)
    sheet.text(120, 2040, "Data is used for the administration of the club only. Form RRC-7, page 1 of 1.", 22)
    for x, y in ((60, 60), (1574, 60), (60, 2259), (1574, 2259)):
        sheet.line(x, y, x + 20, y, 4)
        sheet.line(x, y, x, y + 20, 4)
    return sheet


def template(reference: str = "blank.pdf") -> str:
    """The text of form.toml."""
    width, height = A4_PX
    head = f'schema = 1\nname = "membership"\n\n[[page]]\nsize = [{width}, {height}]\nreference = "{reference}"\n'
    return "\n".join([head, *(field.toml() for field in FIELDS)])


def person(rng: np.random.Generator) -> dict[str, str]:
    """What one person fills in, by field; nobody fills in everything."""
    digits = "".join(str(digit) for digit in rng.integers(10, size=7))
    kind = rng.choice(["adult", "student", "family"])
    date = f"{rng.integers(1, 29):02d}{rng.integers(1, 13):02d}{rng.integers(1940, 2012)}"
    return {
        "member_no": digits + luhn_digit(digits),
        "surname": str(rng.choice(SURNAMES)),
        "first_name": str(rng.choice([name for name in FIRST_NAMES if name.isascii()])).upper(),
        "birth_date": date,
        "street": f"{rng.integers(1, 200)} {rng.choice(STREETS)}",
        "postcode": f"{rng.integers(0, 100000):05d}",
        "town": str(rng.choice(TOWNS)),
        "phone": f"0{rng.integers(10**8, 10**9)}" if rng.random() < 0.8 else "",
        "fee": str(rng.integers(40, 400)),
        "adult": str(int(kind == "adult")),
        "student": str(int(kind == "student")),
        "family": str(int(kind == "family")),
        "newsletter": str(rng.integers(2)),
        "remarks": str(rng.choice(REMARKS)),
        "contact": f"{rng.choice(FIRST_NAMES)} {rng.choice(SURNAMES)}".upper().replace("É", "E"),
        "contact_phone": f"0{rng.integers(10**8, 10**9)}",
    }


def luhn_digit(digits: str) -> str:
    """The check digit that makes a number satisfy Luhn's formula (ISO/IEC 7812-1)."""
    doubled = [int(digit) * (2 - index % 2) for index, digit in enumerate(reversed(digits))]
    return str(-sum(value // 10 + value % 10 for value in doubled) % 10)


def fill(values: dict[str, str], hand: Hand) -> np.ndarray:
    """Ink of a filled form (uint8, 255 full ink), in the frame of the sheet."""
    width, height = A4_PX
    ink = np.zeros((height, width), np.uint8)
    for field in FIELDS:
        field.fill(ink, values[field.name], hand)
    return ink


def write_template(folder: Path) -> None:
    """Writes form.toml, the blank form and the lexicon."""
    folder.mkdir(parents=True, exist_ok=True)
    blank().save(folder / "blank.pdf")
    (folder / "first_names.txt").write_text("\n".join(FIRST_NAMES) + "\n", encoding="utf-8")
    (folder / "form.toml").write_text(template(), encoding="utf-8")
