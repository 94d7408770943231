"""Cells of workbooks as the text that a person sees: whole numbers without a tail, dates as YYYY-MM-DD."""

import re

_WHOLE = re.compile(r"-?\d{1,18}\Z")


def number(text: str) -> str:
    """`2281234567`, `2281234567.0`, `2.281234567E9` → `2281234567`; anything else as it is written."""
    if _WHOLE.match(text):
        return text
    try:
        value = float(text)
    except ValueError:
        return text
    return str(int(value)) if value.is_integer() and abs(value) < 1e18 else text


def place(reference: str) -> int:
    """`C7` → 2, the column from 0; -1 when it is no reference."""
    column = 0
    for char in reference:
        if not "A" <= char <= "Z":
            break
        column = column * 26 + ord(char) - 64
        if column > 20_000:
            return -1
    return column - 1
