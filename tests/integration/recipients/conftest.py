"""What the recipients' tests stand on: lists really submitted, and a desk at an emptied sandbox that works on them.

The sandbox's time stands still, as ours does: both are moved together.
"""

import io
import os
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from psycopg import sql
from sqlalchemy import Engine, Row, create_engine, select, text

from intake.campaigns.submit import submit_campaign
from intake.options import Options
from intake.recipients.digests import installation_key
from intake.recipients.identity import identify
from intake.recipients.validator import RecipientDraft
from intake.suppression import lists
from intake.suppression.lists import Origin
from lettrlabs import LettrLabs, RateLimit
from models import ENDED, Mailing, Recipient, Stage, State
from tests.proof.state_machine.vendor import Operator
from worker import transitions
from worker.context import WorkerContext
from worker.engine.pipeline import RunBudget, process
from worker.settings import SANDBOX_KEY, Settings

HEADINGS = "First name,Last name,Company,Address,City,State,ZIP,Email,Customer ID\n"
TEMPLATE = 1001
_EMPTY = """
    DELETE FROM firing; DELETE FROM event; DELETE FROM gathering; DELETE FROM trigger;
    DELETE FROM reservation; DELETE FROM mailing;
    DELETE FROM campaign; DELETE FROM recurrence; DELETE FROM webhook; DELETE FROM proof; DELETE FROM stray;
    DELETE FROM suppression; DELETE FROM suppression_list WHERE name <> 'do-not-mail';
    UPDATE create_gate SET holder = NULL, closed_until = '-infinity';
"""
_RESTS = frozenset({State.APPROVAL, State.ATTENTION, *ENDED})


@dataclass
class Post:
    """A desk at the sandbox, and what is done at it."""

    context: WorkerContext
    sandbox: Operator
    at: datetime = field(default_factory=lambda: datetime.now(UTC))
    submitted: int = 0

    @property
    def engine(self) -> Engine:
        return self.context.engine

    def clock(self) -> datetime:
        return self.at

    def forward(self, **span: float) -> None:
        """Let time pass here and at the vendor."""
        passed = timedelta(**span)
        self.at += passed
        self.sandbox.advance(passed.total_seconds())

    def submit(self, rows: str, *, batch_size: int = 1000, **options: Any) -> int:
        """Submit a list and return its campaign's id."""
        self.submitted += 1
        return submit_campaign(
            self.engine,
            io.BytesIO((HEADINGS + rows).encode()),
            Options(template_id=TEMPLATE, **options),
            key=f"list {self.submitted}",
            batch_size=batch_size,
            # Caps and lists are tested here, and so they alone decide.
            again="everybody",
            clock=self.clock,
        ).campaign_id

    def mailings(self, campaign_id: int) -> list[Row[Any]]:
        with self.engine.connect() as connection:
            columns = select(*Mailing.__table__.columns)
            found = columns.where(Mailing.campaign_id == campaign_id).order_by(Mailing.id)
            return list(connection.execute(found))

    def people(self, campaign_id: int) -> list[Row[Any]]:
        with self.engine.connect() as connection:
            return list(
                connection.execute(
                    select(*Recipient.__table__.columns)
                    .join(Mailing, Mailing.id == Recipient.mailing_id)
                    .where(Mailing.campaign_id == campaign_id)
                    .order_by(Recipient.mailing_id, Recipient.position)
                )
            )

    def outcomes(self, campaign_id: int) -> list[str]:
        return [one.outcome.value for one in self.people(campaign_id)]

    def job(self, campaign_id: int, rounds: int = 60) -> list[Row[Any]]:
        """Work on a campaign, as the due scan would, until all its mailings rest; return their rows."""
        for _ in range(rounds):
            rows = self.mailings(campaign_id)
            moving = [one for one in rows if one.state not in _RESTS]
            if not moving:
                return rows
            for row in moving:
                due = row.lease_until if row.state is State.WORKING else row.not_before
                if due > self.at:
                    self.forward(seconds=(due - self.at).total_seconds())
                process(self.context, [row.id], Stage(row.stage), RunBudget(seconds=60))
        raise AssertionError(f"campaign {campaign_id} does not come to rest: {moving}")

    def approve(self, campaign_id: int) -> None:
        """Agree to what the campaign's only mailing waits with."""
        (row,) = self.mailings(campaign_id)
        with self.engine.begin() as connection:
            assert transitions.approve(connection, row.id, "test", self.at)

    def suppress(self, name: str = lists.DO_NOT_MAIL, **cells: str) -> None:
        with self.engine.begin() as connection:
            found = identify(RecipientDraft(**cells), installation_key(connection))
            lists.open_list(connection, name)
            origin = Origin(list=name, source="test", who="test", now=self.at)
            lists.add(connection, [(digest, mark) for mark, digest in found.marks.items()], origin)

    def pieces(self) -> dict[str, int]:
        """Return how many pieces each first name has really got."""
        counts: Counter[str] = Counter()
        for person, pieces in self.sandbox.ledger()["people"].items():
            counts[person.partition("|")[0]] += pieces
        return dict(counts)

    def totals(self) -> dict[str, Any]:
        told: dict[str, Any] = self.sandbox.ledger()["totals"]
        return told


@pytest.fixture(scope="session")
def _engine(postgres: Any) -> Iterator[Engine]:
    name = f"recipients_{os.urandom(8).hex()}"
    statement = sql.SQL("CREATE DATABASE {} TEMPLATE migrated STRATEGY FILE_COPY")
    with postgres.connect() as connection:
        connection.execute(statement.format(sql.Identifier(name)))
    engine = create_engine(postgres.url(name), pool_size=20, hide_parameters=True)
    yield engine
    engine.dispose()


@pytest.fixture
def engine(_engine: Engine) -> Engine:
    """Return an engine on a migrated database with nothing in it."""
    with _engine.begin() as connection:
        connection.execute(text(_EMPTY))
    return _engine


@pytest.fixture
def post(engine: Engine, standing_sandbox: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Post]:
    # A read's second and third try would wait in real time.
    monkeypatch.setattr("lettrlabs.calls.sleep", lambda _: None)
    operator = Operator(standing_sandbox)
    operator.empty()
    settings = Settings(
        database_url=engine.url.render_as_string(hide_password=False),
        base_url=f"{standing_sandbox}/api",
        api_key=SANDBOX_KEY,
        settlement_window_seconds=60,
    )
    with LettrLabs(settings.base_url, settings.api_key, rate=RateLimit(None)) as vendor:
        post = Post(WorkerContext(engine, vendor, settings), operator)
        object.__setattr__(post.context, "clock", post.clock)
        yield post
