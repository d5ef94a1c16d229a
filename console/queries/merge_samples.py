"""What the pieces of mailings print: two values of each merge field that is filled."""

from collections.abc import Sequence

from sqlalchemy import Connection, text

_SAMPLES = text("""
    SELECT merged.key, min(merged.value) AS first, max(merged.value) AS last
      FROM recipient AS r
     CROSS JOIN LATERAL jsonb_each_text(r.merge) AS merged
     WHERE r.mailing_id = ANY(:mailings) AND r.merge <> '{}'
     GROUP BY merged.key
     ORDER BY merged.key
""")


def merge_samples(connection: Connection, mailing_ids: Sequence[int]) -> list[tuple[str, tuple[str, ...]]]:
    """Return each filled merge field of these mailings with one or two of its values."""
    rows = connection.execute(_SAMPLES, {"mailings": list(mailing_ids)})
    return [(row.key, tuple(dict.fromkeys((row.first, row.last)))) for row in rows]
