"""Forgetting: personal data that has served is blanked; digests, counts, money and the hashes of proofs stay.

Copies elsewhere are out of reach: LettrLabs keeps what it was sent, and backups what they saved. A campaign that is
the original of a rule still in force keeps its people, for the next occurrence is copied from them.
"""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final

from sqlalchemy import Connection, Engine, text

log = logging.getLogger(__name__)

ERASURE_BATCH_SIZE: Final = 100
_A_DAY: Final = timedelta(days=1)

_ENDED: Final = text("""
    UPDATE mailing
       SET forgotten_at = :now
     WHERE id = ANY (ARRAY(
                  SELECT id
                    FROM mailing
                   WHERE state IN ('sent', 'failed', 'cancelled')
                     AND forgotten_at IS NULL
                     AND updated_at < :before
                     AND (campaign_id IS NULL OR campaign_id NOT IN
                          (SELECT min(c.id)
                             FROM campaign AS c
                             JOIN recurrence AS r ON r.id = c.recurrence_id
                            WHERE r.ended_at IS NULL
                            GROUP BY r.id))
                   ORDER BY updated_at
                   LIMIT :at_once
                     FOR UPDATE SKIP LOCKED))
    RETURNING id
""")

_BLANK: Final = """
    UPDATE recipient
       SET first_name = NULL, last_name = NULL, organization = NULL, salutation = NULL,
           address1 = '', address2 = NULL, city = '', state = '', zip_code = '', country = NULL,
           email = NULL, phone = NULL, customer_id = NULL, merge = '{}'
"""
_BLANK_MAILINGS: Final = text(f"{_BLANK} WHERE mailing_id = ANY(:mailings)")
_BLANK_PEOPLE: Final = text(f"""
    {_BLANK}
      FROM unnest(CAST(:mailings AS bigint[]), CAST(:positions AS integer[])) AS one (mailing_id, position)
     WHERE recipient.mailing_id = one.mailing_id
       AND recipient.position = one.position
""")

# A proof is kept once for all mailings that look alike: it goes when none of them may show it any more.
_BLANK_PROOFS: Final = text("""
    UPDATE proof
       SET pdf = NULL
     WHERE pdf IS NOT NULL
       AND sha256 IN (SELECT proof_sha256 FROM mailing WHERE id = ANY(:mailings)
                      UNION SELECT proof_sha256 FROM approval WHERE mailing_id = ANY(:mailings))
       AND NOT EXISTS (SELECT 1 FROM mailing AS other
                        WHERE other.proof_sha256 = proof.sha256
                          AND other.forgotten_at IS NULL
                          AND other.id <> ALL(:mailings))
""")

_BLANK_PROOFS_OF: Final = text("""
    UPDATE proof
       SET pdf = NULL
     WHERE pdf IS NOT NULL
       AND sha256 IN (SELECT proof_sha256 FROM mailing WHERE id = ANY(:mailings)
                      UNION SELECT proof_sha256 FROM approval WHERE mailing_id = ANY(:mailings))
""")
# Left behind when people were taken off a draft: whom it shows may be one of them.
_BLANK_LOOSE_PROOFS: Final = text("""
    UPDATE proof
       SET pdf = NULL
     WHERE pdf IS NOT NULL
       AND first_seen < :before
       AND NOT EXISTS (SELECT 1 FROM mailing WHERE proof_sha256 = sha256)
       AND NOT EXISTS (SELECT 1 FROM approval WHERE proof_sha256 = sha256)
""")

_BLANK_THEIR_EVENTS: Final = text("""
    UPDATE event
       SET body = NULL
      FROM firing AS f
      JOIN unnest(CAST(:mailings AS bigint[]), CAST(:positions AS integer[])) AS one (mailing_id, position)
        ON f.mailing_id = one.mailing_id AND (one.position IS NULL OR f.position = one.position)
     WHERE event.id = f.event_id
       AND event.body IS NOT NULL
""")
_BLANK_OLD_EVENTS: Final = text("""
    UPDATE event
       SET body = NULL
     WHERE body IS NOT NULL
       AND received_at < :before
       AND outcome <> 'received'
       AND NOT EXISTS (SELECT 1
                         FROM firing AS f
                         LEFT JOIN mailing AS m ON m.id = f.mailing_id
                        WHERE f.event_id = event.id
                          AND (f.outcome = 'gathering' OR m.forgotten_at IS NULL AND m.id IS NOT NULL))
""")

_DUE_ERASURES: Final = text("""
    SELECT e.mailing_id, e.position
      FROM erasure AS e
      JOIN mailing AS m ON m.id = e.mailing_id
     WHERE m.state IN ('sent', 'failed', 'cancelled')
       FOR UPDATE OF e SKIP LOCKED
""")
_DONE: Final = text("""
    DELETE FROM erasure AS e
     USING unnest(CAST(:mailings AS bigint[]), CAST(:positions AS integer[])) AS one (mailing_id, position)
     WHERE e.mailing_id = one.mailing_id AND e.position = one.position
""")
_SHOWN: Final = text("""
    SELECT DISTINCT one.mailing_id
      FROM unnest(CAST(:mailings AS bigint[]), CAST(:positions AS integer[])) AS one (mailing_id, position)
     WHERE NOT EXISTS (SELECT 1
                         FROM recipient AS r
                        WHERE r.mailing_id = one.mailing_id
                          AND r.position < one.position
                          AND r.outcome = 'accepted')
""")


@dataclass(frozen=True, slots=True)
class RecipientKey:
    """One recipient: their mailing and their place in it."""

    mailing_id: int
    position: int


def run_once(engine: Engine, now: datetime, keep: timedelta, data_dir: Path) -> int:
    """Blank the mailings that ended longer ago than ``keep``, and who asked to be; returns how many mailings.

    Each commit does a bounded part, so that an interruption loses nothing and locks little.
    """
    done = 0
    while mailings := _forget_some(engine, now, now - keep):
        delete_saved_proofs(data_dir, mailings)
        done += len(mailings)
    with engine.begin() as connection:
        connection.execute(_BLANK_OLD_EVENTS, {"before": now - keep})
        connection.execute(_BLANK_LOOSE_PROOFS, {"before": now - _A_DAY})
        ripe = [RecipientKey(row.mailing_id, row.position) for row in connection.execute(_DUE_ERASURES)]
        shown = blank_recipients(connection, ripe)
        connection.execute(_DONE, _arrays(ripe))
    delete_saved_proofs(data_dir, shown)
    if done or ripe:
        log.info("forgotten: %d mailings, %d people who asked for it", done, len(ripe))
    return done


def blank_recipients(connection: Connection, people: Sequence[RecipientKey]) -> list[int]:
    """Blank these recipients of ended mailings, their events, and the proofs that may show them.

    Returns the mailings whose proofs went: those where nobody on the order comes before the person.
    """
    if not people:
        return []
    arrays = _arrays(people)
    shown = list(connection.scalars(_SHOWN, arrays))
    connection.execute(_BLANK_THEIR_EVENTS, arrays)
    connection.execute(_BLANK_PEOPLE, arrays)
    connection.execute(_BLANK_PROOFS_OF, {"mailings": shown})
    return shown


def delete_saved_proofs(data_dir: Path, mailings: Sequence[int]) -> None:
    """Delete the proofs of these mailings that were saved on this machine for looking at."""
    for mailing_id in mailings:
        (data_dir / "proofs" / f"mailing-{mailing_id}.pdf").unlink(missing_ok=True)


def _forget_some(engine: Engine, now: datetime, before: datetime) -> list[int]:
    with engine.begin() as connection:
        bounds = {"now": now, "before": before, "at_once": ERASURE_BATCH_SIZE}
        mailings = list(connection.scalars(_ENDED, bounds))
        if mailings:
            connection.execute(
                _BLANK_THEIR_EVENTS, {"mailings": mailings, "positions": [None] * len(mailings)}
            )
            connection.execute(_BLANK_MAILINGS, {"mailings": mailings})
            connection.execute(_BLANK_PROOFS, {"mailings": mailings})
    return mailings


def _arrays(people: Sequence[RecipientKey]) -> dict[str, Any]:
    return {
        "mailings": [one.mailing_id for one in people],
        "positions": [one.position for one in people],
    }
