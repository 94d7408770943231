"""Errors of the database: nothing of a row in them, whoever logs them."""

import traceback

import pytest
from sqlalchemy import Engine, text
from sqlalchemy.exc import DBAPIError, IntegrityError

PHONE = "+525512349876"


@pytest.mark.parametrize(
    "statement",
    [
        "INSERT INTO roles (name) VALUES (:value), (:value)",
        "SELECT CAST(:value AS date)",
        "SELECT no_such_column FROM roles WHERE name = :value",
    ],
)
def test_an_error_holds_neither_parameters_nor_the_row(engine: Engine, statement: str) -> None:
    with engine.connect() as connection, pytest.raises(DBAPIError) as raised:
        connection.execute(text(statement), {"value": f"{PHONE} x"})
    logged = "".join(traceback.format_exception(raised.value))
    assert PHONE not in logged
    assert type(raised.value.orig).__name__ in logged


def test_an_error_still_names_its_constraint(engine: Engine) -> None:
    twice = text("INSERT INTO roles (name) VALUES (:value), (:value)")
    with engine.connect() as connection, pytest.raises(IntegrityError) as raised:
        connection.execute(twice, {"value": PHONE})
    assert "uq_roles_name" in str(raised.value)
