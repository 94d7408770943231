"""Interviews and their answers out of the database in one statement: a whole survey, or what changed since a snapshot.

One statement is one snapshot, so an interview never comes with half of its answers; it is streamed by COPY, because a
million interviews are ten million answers. Every change of an interview, or of its answers, marks the interview with
the number of its transaction (`interviews.changed`, set by triggers whoever writes): what is not visible in an earlier
snapshot is exactly what has changed since.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import psycopg
from psycopg.pq import ExecStatus
from sqlalchemy.orm import Session

if TYPE_CHECKING:
    import polars as pl
    from psycopg.pq.abc import PGresult

# Facts of the call that are kept for the results. No name, no phone: others of `interviews.hidden` stay behind.
FACTS = (
    "section", "section_kind", "municipality", "federal_district", "local_district", "state", "sex", "age", "campaign",
    "sponsor", "today",
)  # fmt: skip
FACT = "*"  # stands for an item in the rows that are interviews; no item can be called so
# What COPY's text format writes for a character that would end a field or a line:
# https://www.postgresql.org/docs/18/sql-copy.html
ESCAPES = {"\\\\": "\\", "\\b": "\b", "\\f": "\f", "\\n": "\n", "\\r": "\r", "\\t": "\t", "\\v": "\v"}

_STATEMENT = """
WITH these AS MATERIALIZED (
    SELECT row_number() OVER () AS n, interviews.*, questionnaires.version
    FROM interviews JOIN questionnaires ON questionnaires.id = interviews.questionnaire_id
    WHERE interviews.survey_id = %(survey)s {window}
)
SELECT 0 AS n, '*' AS item,
    pg_current_snapshot()::text || ' ' || coalesce(pg_current_xact_id_if_assigned()::text, '0') AS value,
    NULL::float AS seconds,
    (SELECT count(*)::text FROM interviews WHERE survey_id = %(survey)s) AS shown
UNION ALL
SELECT n, '*', json_build_object({facts})::text, NULL, NULL FROM these
UNION ALL
SELECT n, given.item, given.value, given.seconds,
    CASE WHEN given.item = ANY(%(rotating)s::text[]) THEN given.choice_order::text END
FROM these {join}
WHERE these.state <> 'void'
"""
_ALL_ANSWERS = """JOIN answers AS given
    ON given.interview_id = these.id AND given.superseded_at IS NULL AND given.counts"""
# OFFSET 0 keeps the planner at one walk along the index for each interview: it must not read ten million for ten.
_THEIR_ANSWERS = """CROSS JOIN LATERAL (
    SELECT item, value, seconds, choice_order FROM answers
    WHERE answers.interview_id = these.id AND superseded_at IS NULL AND counts OFFSET 0) AS given"""
# A transaction's own changes count as visible in its snapshots, also those that it makes later: they are read again.
# A restored database counts its transactions anew: numbers of its former life lie in the future and are no change.
_SINCE = """AND interviews.changed >= pg_snapshot_xmin(%(since)s::pg_snapshot)::text::bigint
    AND (NOT pg_visible_in_snapshot(interviews.changed::text::xid8, %(since)s::pg_snapshot)
        OR interviews.changed = %(own)s
        OR interviews.changed = pg_current_xact_id_if_assigned()::text::bigint)
    AND (interviews.changed < pg_snapshot_xmax(pg_current_snapshot())::text::bigint
        OR interviews.changed = pg_current_xact_id_if_assigned()::text::bigint)"""
# Column of the frame -> what it is in SQL. Times as microseconds since 1970.
_FACTS: dict[str, str] = {
    "interview_id": "id",
    "state": "state",
    "version": "version",
    "face": "face",
    "language": "language",
    "interviewer": "interviewer_id",
    "wave": "wave",
    "stratum": "stratum",
    "base_weight": "base_weight",
    "over_quota": "over_quota",
    "at": "(extract(epoch FROM these.at) * 1000000)::bigint",
    "started_at": "(extract(epoch FROM these.started_at) * 1000000)::bigint",
    **{f"h_{name}": f"hidden->>'{name}'" for name in FACTS},
}


@dataclass(frozen=True)
class Streamed:
    """`interviews`: one row an interview, void ones too: n, and the columns of the frame that are no answers.
    `answers`: n, item, value, seconds, shown (JSON, where `rotating`). `snapshot`: what was visible, and the number of
    the transaction that looked. `total`: how many interviews the survey has."""

    interviews: "pl.DataFrame"
    answers: "pl.DataFrame"
    snapshot: str
    total: int


def stream(session: Session, survey_id: int, rotating: Sequence[str], since: str | None = None) -> Streamed:
    """Every interview of the survey; with `since` (a `snapshot`) those that have changed after it.

    `rotating`: items of which the order of choices comes along."""
    statement = _STATEMENT.format(
        facts=", ".join(f"'{name}', {sql}" for name, sql in _FACTS.items()),
        window=_SINCE if since else "",
        join=_THEIR_ANSWERS if since else _ALL_ANSWERS,
    )
    snapshot, _space, own = (since or "").partition(" ")
    bound = {"survey": survey_id, "rotating": list(rotating), "since": snapshot, "own": int(own or 0)}
    return _parsed(_copied(session, statement, bound))


def _copied(session: Session, statement: str, bound: Mapping[str, Any]) -> bytes:
    """What COPY says, by libpq's own calls: the cursor's would take six times as long over a million rows."""
    connection: Any = session.connection().connection.driver_connection
    command = psycopg.ClientCursor(connection).mogrify(f"COPY ({statement}) TO STDOUT", bound)
    wire, rows = connection.pgconn, []
    _expect(wire.exec_(command.encode()), ExecStatus.COPY_OUT)
    while (got := wire.get_copy_data(0))[0] > 0:
        rows.append(bytes(got[1]))
    while (result := wire.get_result()) is not None:
        _expect(result, ExecStatus.COMMAND_OK)
    return b"".join(rows)


def _expect(result: "PGresult", status: ExecStatus) -> None:
    if result.status != status:
        raise psycopg.errors.error_from_result(result)


def _parsed(content: bytes) -> Streamed:
    import polars as pl

    schema = {"n": pl.Int64, "item": pl.Categorical, "value": pl.String, "seconds": pl.Float64, "shown": pl.String}
    rows = pl.read_csv(
        content, has_header=False, separator="\t", quote_char=None, null_values="\\N", schema=schema,
        empty_string_is_null=False,
    )  # fmt: skip
    rows = rows.with_columns(_plain("value"), _plain("shown"))
    snapshot, total = rows.filter(pl.col("n") == 0).select("value", "shown").row(0)
    is_interview = pl.col("item") == FACT
    facts = rows.filter(is_interview & (pl.col("n") > 0)).select("n", pl.col("value").str.json_decode(_dtype()))
    return Streamed(_typed(facts.unnest("value")), rows.filter(~is_interview), snapshot, int(total))


def _plain(column: str) -> "pl.Expr":
    import polars as pl

    text = pl.col(column)
    plain = text.str.replace_many(list(ESCAPES), list(ESCAPES.values()), leftmost=True)
    return pl.when(text.str.contains("\\", literal=True)).then(plain).otherwise(text).alias(column)


def _dtype() -> "pl.Struct":
    import polars as pl

    others: dict[str, Any] = {
        "version": pl.Int32, "interviewer": pl.Int64, "base_weight": pl.Float64, "over_quota": pl.Boolean,
        "at": pl.Int64, "started_at": pl.Int64,
    }  # fmt: skip
    return pl.Struct({name: others.get(name, pl.String) for name in _FACTS})


def _typed(interviews: "pl.DataFrame") -> "pl.DataFrame":
    import polars as pl

    times = [pl.from_epoch(name, time_unit="us").dt.replace_time_zone("UTC") for name in ("at", "started_at")]
    return interviews.with_columns(*times, pl.col("base_weight").fill_null(1.0))
