"""The count of a list's people who got a template lately: for looking only, it decides nothing."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Engine

from intake.campaigns.recent_pieces import RecentPieces, RecentSenders
from intake.recipients.digests import installation_key
from intake.recipients.rows import PERSON_DIGEST, RecipientRow


class RecentPeople:
    """Counts people by the block; `key` is the key under which their digests must be made."""

    def __init__(self, engine: Engine, template: int, since: datetime) -> None:
        """Keep the template and the time since which a piece of it is a recent one."""
        with engine.connect() as connection:
            self.key = installation_key(connection)
        self.senders = RecentSenders(template)
        self._engine = engine
        self._template = template
        self._since = since

    def count(self, people: Sequence[RecipientRow]) -> None:
        """Count a block's people, and those of them who got the template."""
        if not people:
            return
        digests = [person[PERSON_DIGEST] for person in people]
        with self._engine.connect() as connection:
            found = RecentPieces(connection, self._template, self._since).find(digests)
        self.senders.count(len(digests), [found[one] for one in digests if one in found])
