import json
import logging
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Text, cast, func, select, text

from console.output import plain
from intake import privacy
from intake.recipients.digests import installation_key
from intake.recipients.identity import identify
from intake.recipients.validator import RecipientDraft
from models import (
    Approval,
    Base,
    Erasure,
    Mailing,
    Outcome,
    Proof,
    QuoteLine,
    Recipient,
    Recurrence,
    Suppression,
)
from worker.periodic.retention import run_once
from worker.recipients.policy import FrequencyCap, RecipientPolicy

ANN = "Ann,Lee,Acme,12 Oak Street Apt 4,Boston,MA,02108,ann@example.com,K-1\n"
BEN = "Ben,Kim,,9 Elm St,Reno,NV,89501,ben@example.com,C-2\n"
SECRETS = ("ann", "lee", "acme", "oak", "boston", "02108", "example.com", "k-1")
_ZIP = re.compile(r"(?<![0-9a-f.])02108(?![0-9a-f])")
YEAR = timedelta(days=365)


def secrets_in(said: str) -> list[str]:
    """Return what is told of Ann; her ZIP code only as a number of its own, for digests have any five digits."""
    return [word for word in SECRETS if (_ZIP.search(said) if word.isdigit() else word in said)]


def marks(post: Any, **cells: str) -> Any:
    with post.engine.connect() as connection:
        return identify(RecipientDraft(**cells), installation_key(connection)).marks


def erase(post: Any, **cells: str) -> privacy.Erased:
    with post.engine.begin() as connection:
        return privacy.erase(connection, marks(post, **cells), "test", post.at)


def everything(post: Any) -> str:
    """Return all that the database holds, proofs aside, as one text."""
    tables = [table for name, table in Base.metadata.tables.items() if name != "proof"]
    with post.engine.connect() as connection:
        return "\n".join(
            str(connection.scalars(select(cast(func.row_to_json(table.table_valued()), Text))).all())
            for table in tables
        ).lower()


def sums(post: Any) -> Any:
    with post.engine.connect() as connection:
        return connection.execute(
            select(
                func.sum(Mailing.charged),
                func.sum(Mailing.quoted),
                func.sum(Mailing.accepted),
                func.sum(Mailing.rejected),
                func.sum(Mailing.size),
                select(func.sum(QuoteLine.total)).scalar_subquery(),
                select(text("sum(amount)")).select_from(text("charge")).scalar_subquery(),
                select(func.count()).select_from(Recipient).scalar_subquery(),
            )
        ).one()


def pdfs(post: Any) -> list[bool]:
    with post.engine.connect() as connection:
        return [pdf is not None for pdf in connection.scalars(select(Proof.pdf))]


@pytest.mark.parametrize(
    "named",
    [
        {"email": "Ann@Example.com"},
        {"customer_id": "K-1"},
        {"full_name": "Ann Lee", "address1": "12 Oak St #4", "zip_code": "2108"},
    ],
)
def test_erasing_a_person_leaves_nothing_of_them_and_every_sum_as_it_was(
    post: Any, named: dict[str, str]
) -> None:
    post.job(post.submit(ANN + BEN))
    before = sums(post)

    done = erase(post, **named)

    assert (done.blanked, done.pending) == (1, 0)
    assert sums(post) == before
    left = everything(post)
    assert secrets_in(left) == ["example.com"]  # Ben's
    assert "ben@example.com" in left
    assert pdfs(post) == [False]  # it showed Ann


def test_the_proof_that_shows_somebody_else_stays(post: Any) -> None:
    post.job(post.submit(ANN + BEN))

    erase(post, email="ben@example.com")

    assert pdfs(post) == [True]


def test_who_was_erased_is_not_mailed_again_however_they_are_written(post: Any) -> None:
    post.job(post.submit(ANN))
    erase(post, email="ann@example.com")

    again = post.submit("ANN,LEE,,12 oak st #4,Boston,MA,02108,,\n" + BEN)
    post.job(again)

    assert post.outcomes(again) == ["suppressed", "accepted"]


def test_erased_while_a_mailing_waits_they_are_dropped_from_it_and_blanked_when_it_has_ended(
    post: Any, tmp_path: Path
) -> None:
    campaign = post.submit(ANN + BEN, approval=Approval.REQUIRED)
    post.job(campaign)

    done = erase(post, email="ann@example.com")
    assert (done.blanked, done.pending) == (0, 1)
    post.approve(campaign)
    post.job(campaign)
    post.approve(campaign)
    post.job(campaign)
    run_once(post.engine, post.at, YEAR, tmp_path)

    assert post.pieces() == {"ben": 1}
    assert post.people(campaign)[0].outcome is Outcome.SUPPRESSED
    assert "oak" not in everything(post)
    with post.engine.connect() as connection:
        assert connection.scalars(select(Erasure.mailing_id)).all() == []


def test_a_mailing_is_forgotten_after_its_days_and_its_sums_stay(post: Any, tmp_path: Path) -> None:
    campaign = post.submit(ANN + BEN)
    (row,) = post.job(campaign)
    saved = tmp_path / "proofs" / f"mailing-{row.id}.pdf"
    saved.parent.mkdir()
    saved.write_bytes(b"%PDF")
    before = sums(post)

    early = run_once(post.engine, post.at + YEAR - timedelta(days=1), YEAR, tmp_path)
    kept = everything(post)
    late = run_once(post.engine, post.at + YEAR + timedelta(days=1), YEAR, tmp_path)

    assert (early, late) == (0, 1)
    assert "oak" in kept
    assert secrets_in(everything(post)) == []
    assert sums(post) == before
    assert (pdfs(post), saved.exists()) == ([False], False)


def test_what_is_open_is_not_forgotten_however_old(post: Any, tmp_path: Path) -> None:
    campaign = post.submit(ANN, approval=Approval.REQUIRED)
    post.job(campaign)

    assert run_once(post.engine, post.at + 9 * YEAR, YEAR, tmp_path) == 0
    assert post.people(campaign)[0].address1


def test_the_original_of_a_rule_in_force_is_not_forgotten(post: Any, tmp_path: Path) -> None:
    campaign = post.submit(ANN)
    post.job(campaign)
    with post.engine.begin() as connection:
        rule = connection.execute(
            Recurrence.__table__.insert()
            .values(
                cron="0 9 1 * *", zone="UTC", catch_up="last", last_at=post.at, if_late="ask", late_after=1
            )
            .returning(Recurrence.id)
        ).scalar_one()
        connection.execute(
            text("UPDATE campaign SET recurrence_id = :rule, occurrence_at = now() WHERE id = :id"),
            {"rule": rule, "id": campaign},
        )

    assert run_once(post.engine, post.at + 2 * YEAR, YEAR, tmp_path) == 0
    with post.engine.begin() as connection:
        connection.execute(text("UPDATE recurrence SET ended_at = now()"))
    assert run_once(post.engine, post.at + 2 * YEAR, YEAR, tmp_path) == 1


def test_a_piece_counts_for_the_cap_after_its_person_was_forgotten(post: Any, tmp_path: Path) -> None:
    post.job(post.submit(ANN))
    run_once(post.engine, post.at + timedelta(days=2), timedelta(days=1), tmp_path)

    again = post.submit(ANN, sparing=RecipientPolicy(cap=FrequencyCap(1, 30)))
    post.job(again)

    assert post.outcomes(again) == ["capped"]


def test_a_person_is_handed_all_that_is_kept_about_them_and_nothing_of_others(post: Any) -> None:
    post.job(post.submit(ANN + BEN))
    post.suppress(email="ann@example.com")

    with post.engine.connect() as connection:
        found = privacy.export(connection, marks(post, email="ann@example.com"))

    (piece,) = found["pieces"]
    assert (piece["first_name"], piece["outcome"], piece["customer_id"]) == ("Ann", "accepted", "K-1")
    assert [(one["list"], one["by"]) for one in found["suppressions"]] == [("do-not-mail", "email")]
    assert "ben" not in json.dumps(found, default=plain).lower()


def test_an_address_alone_is_nobody_to_export_or_erase(post: Any) -> None:
    somewhere = marks(post, address1="12 Oak St", zip_code="02108")

    with post.engine.connect() as connection, pytest.raises(LookupError):
        privacy.export(connection, somewhere)


def test_erasing_twice_changes_nothing_more(post: Any) -> None:
    post.job(post.submit(ANN))

    first, second = erase(post, customer_id="K-1"), erase(post, customer_id="K-1")

    assert (first.suppressed, second.suppressed) == (3, 0)
    with post.engine.connect() as connection:
        assert connection.scalar(select(func.count()).select_from(Suppression)) == 3


def test_names_and_addresses_stand_in_no_log_line(
    post: Any, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.DEBUG):
        post.suppress(email="ben@example.com")
        post.job(
            post.submit(ANN + BEN, sparing=RecipientPolicy(cap=FrequencyCap(1, 30), one_per_household=True))
        )
        erase(post, email="ann@example.com")
        run_once(post.engine, datetime.now(UTC) + YEAR * 2, YEAR, tmp_path)

    said = caplog.text.lower()
    assert "forgotten: 1 mailings" in said
    assert not [
        word
        for word in ("ann", " lee", "acme", "oak", "boston", "02108", "elm", "example.com")
        if word in said
    ]
