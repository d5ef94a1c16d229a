"""People of a list who got its template lately, or will get it from a mailing that is under way.

The decision belongs to the transaction that submits a campaign: it holds the template's lock until its commit, so of
two submissions at once the second sees the people of the first. Triggers and single mailings take no lock; their
pieces count here, and their own frequency caps hold for them.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Final, NamedTuple

from sqlalchemy import Connection, text

from intake.errors import ErrorCode, IntakeError

REPEAT_WINDOW: Final = timedelta(days=30)
"""For how long a person who got a template does not get it from another campaign unasked."""

_LOCK: Final = text("SELECT pg_advisory_xact_lock(hashtextextended('mailrun: template ' || :template, 0))")

# A piece that was refused or spared reached no one, and neither did an unpaid mailing that has ended.
_PIECES: Final = text("""
    SELECT DISTINCT ON (r.person_digest)
           r.person_digest, m.id, m.campaign_id, m.trigger_id, m.paid_at, m.created_at, m.send_at,
           m.campaign_id = ANY(:campaigns) IS TRUE AS corrected
      FROM recipient AS r
      JOIN mailing AS m ON m.id = r.mailing_id
     WHERE r.person_digest = ANY(:people)
       AND r.outcome IN ('waiting', 'submitted', 'accepted')
       AND m.campaign_id IS DISTINCT FROM :own
       AND (m.paid_at IS NOT NULL OR m.state NOT IN ('failed', 'cancelled'))
       AND (:any_template AND m.template_id = :template AND coalesce(m.paid_at > :since, true)
            OR m.campaign_id = ANY(:campaigns))
     ORDER BY r.person_digest, m.campaign_id = ANY(:campaigns) IS TRUE DESC, m.id DESC
""")


class Again(StrEnum):
    """Which people get a campaign whose template some of them got lately."""

    EVERYBODY = "everybody"
    NEW = "new"


class Piece(NamedTuple):
    """A piece that a person got, or will get. `corrected` says that the list corrects rows of its campaign."""

    mailing_id: int
    campaign_id: int | None
    trigger_id: int | None
    paid_at: datetime | None
    created_at: datetime
    send_at: datetime | None
    corrected: bool = False

    @property
    def sender(self) -> str:
        """Return the name of what the piece is from, such as `campaign 3`."""
        kind, number = _sender(self)
        return f"{kind} {number}"


@dataclass(frozen=True, slots=True)
class Sender:
    """A campaign, trigger or single mailing, how many people got the template from it, and when last."""

    kind: str
    id: int
    people: int
    at: datetime
    paid: bool
    send_at: datetime | None = None

    def describe(self, now: datetime) -> str:
        """Return the sender and the age of its last piece, such as `campaign 3, 40 seconds ago`."""
        words = f"{self.kind} {self.id}, {_age(now - self.at)} ago"
        if self.paid:
            return words
        if self.send_at is not None and self.send_at > now:
            return f"{words} (scheduled for {self.send_at:%Y-%m-%d %H:%M %Z}, not paid yet)"
        return f"{words} (queued, not paid yet)"


@dataclass(slots=True)
class RecentSenders:
    """How many of a list's people got the template lately, by whom they got it from last."""

    template_id: int
    people: int = 0
    repeated: int = 0
    _counts: Counter[tuple[str, int]] = field(default_factory=Counter)
    _last: dict[tuple[str, int], Piece] = field(default_factory=dict)

    def count(self, people: int, pieces: Iterable[Piece]) -> None:
        """Count people of the list and the pieces that some of them got."""
        self.people += people
        for piece in pieces:
            self.repeated += 1
            sender = _sender(piece)
            self._counts[sender] += 1
            last = self._last.setdefault(sender, piece)
            if _time(piece) > _time(last):
                self._last[sender] = piece

    def senders(self) -> list[Sender]:
        """Return the senders, the one with the most people first."""
        return [
            self._as_sender(kind, number, people) for (kind, number), people in self._counts.most_common()
        ]

    def _as_sender(self, kind: str, number: int, people: int) -> Sender:
        last = self._last[kind, number]
        return Sender(kind, number, people, _time(last), last.paid_at is not None, last.send_at)

    def to_json(self) -> list[dict[str, Any]]:
        """Return the senders as members of a JSON document."""
        return [
            {one.kind: one.id, "people": one.people, "at": one.at.isoformat(), "paid": one.paid}
            for one in self.senders()
        ]

    def describe(self, now: datetime) -> str:
        """Return a sentence without its period: how many people got the template from whom and when."""
        senders = self.senders()
        begin = f"{self.repeated:,} of these {self.people:,} people got template {self.template_id}"
        if len(senders) == 1:
            return f"{begin} from {senders[0].describe(now)}"
        shown = "; ".join(f"{one.people:,} from {one.describe(now)}" for one in senders[:_MOST_SENDERS])
        more = "; and others" if len(senders) > _MOST_SENDERS else ""
        return f"{begin} lately: {shown}{more}"


_MOST_SENDERS: Final = 3


class RecentPiecesError(IntakeError):
    """People of the list got the template lately, and the submission does not say what to do about them."""

    def __init__(self, recent: RecentSenders, now: datetime) -> None:
        sentence = (
            f"{recent.describe(now)}: nothing was queued. Say again=new to mail only the other "
            f"{recent.people - recent.repeated:,}, or again=everybody to mail all of them."
        )
        super().__init__(ErrorCode.MAILED_LATELY, sentence)
        self.recent = recent


class RecentPieces:
    """Finds the pieces of a template that people got since a time, or that mailings under way hold for them."""

    def __init__(
        self,
        connection: Connection,
        template_id: int,
        since: datetime,
        *,
        own: int | None = None,
        corrected: Sequence[int] = (),
        any_template_piece: bool = True,
    ) -> None:
        """Keep the question: the template, the time, the campaigns that the list corrects.

        The pieces of the submission's `own` campaign do not count. Without `any_template_piece` only the pieces
        of corrected campaigns are found.
        """
        self._connection = connection
        self._question = {
            "template": template_id,
            "since": since,
            "own": own,
            "campaigns": list(corrected),
            "any_template": any_template_piece,
        }

    def find(self, people: Iterable[bytes | None]) -> dict[bytes, Piece]:
        """Return the newest such piece of each person, by the person's digest, for those who have one."""
        wanted = sorted({one for one in people if one is not None})
        rows = self._connection.execute(_PIECES, {"people": wanted, **self._question})
        return {row[0]: Piece._make(row[1:]) for row in rows}


def lock_template(connection: Connection, template_id: int) -> None:
    """Wait for other submissions of this template, and keep the later ones waiting until the transaction ends."""
    connection.execute(_LOCK, {"template": str(template_id)})


def find_recent_pieces(
    connection: Connection,
    template_id: int,
    people: Iterable[bytes | None],
    now: datetime,
    window: timedelta = REPEAT_WINDOW,
) -> RecentSenders:
    """Return how many of these people (by `person_digest`) got a template within the window, and from whom.

    For looking only: a submission decides under the template's lock.
    """
    digests = list(people)
    recent = RecentSenders(template_id)
    found = RecentPieces(connection, template_id, now - window).find(digests)
    recent.count(len(digests), [found[one] for one in digests if one in found])
    return recent


def _sender(piece: Piece) -> tuple[str, int]:
    if piece.campaign_id is not None:
        return "campaign", piece.campaign_id
    if piece.trigger_id is not None:
        return "trigger", piece.trigger_id
    return "mailing", piece.mailing_id


def _time(piece: Piece) -> datetime:
    return piece.paid_at or piece.created_at


_UNITS: Final[tuple[tuple[str, int], ...]] = (("day", 86_400), ("hour", 3600), ("minute", 60), ("second", 1))


def _age(age: timedelta) -> str:
    seconds = max(int(age.total_seconds()), 0)
    unit, length = next(((unit, length) for unit, length in _UNITS if seconds >= 2 * length), _UNITS[-1])
    count = seconds // length
    return f"{count} {unit}{'' if count == 1 else 's'}"
