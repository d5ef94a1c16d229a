import gzip
import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select, text

from intake.errors import ConflictError
from models import Approval, Charge, Mailing, Recipient, State, StateChange, VendorCall
from worker.audit import archive
from worker.audit.archive import Archived, ArchiveError, archive_old_entries

ANN = "Ann,Lee,,12 Oak St,Boston,MA,02108,ann@example.com,\n"
BEN = "Ben,Kim,,9 Elm St,Reno,NV,89501,ben@example.com,\n"
LONG = timedelta(days=90)


def evidence(post: Any) -> tuple[int, int]:
    with post.engine.connect() as connection:
        return (
            connection.scalar(select(func.count()).select_from(VendorCall)),
            connection.scalar(select(func.count()).select_from(StateChange)),
        )


def kept(post: Any) -> Any:
    with post.engine.connect() as connection:
        return (
            connection.execute(select(*Mailing.__table__.columns).order_by(Mailing.id)).all(),
            connection.execute(select(*Recipient.__table__.columns).order_by(Recipient.mailing_id)).all(),
            connection.scalar(select(func.sum(Charge.amount))),
            connection.execute(text("SELECT count(*), sum(total) FROM quote_line")).one(),
        )


def read(path: Path) -> list[dict[str, Any]]:
    with gzip.open(path, "rt") as lines:
        return [json.loads(line) for line in lines]


def test_old_evidence_goes_to_the_file_and_all_else_stays(post: Any, tmp_path: Path) -> None:
    campaign = post.submit(ANN + BEN, batch_size=1)
    post.job(campaign)
    there, before = evidence(post), kept(post)
    path = tmp_path / "old.gz"

    done = archive_old_entries(post.engine, post.at + LONG - timedelta(days=40), path, post.at + LONG)

    assert done == Archived(mailings=2, rows=sum(there))
    assert evidence(post) == (0, 0)
    assert kept(post) == before
    tables = [one["table"] for one in read(path)]
    assert (tables.count("vendor_call"), tables.count("event_log")) == there
    assert path.stat().st_mode & 0o777 == 0o600


def test_the_file_holds_every_row_as_it_was_and_nobodys_name(post: Any, tmp_path: Path) -> None:
    post.job(post.submit(ANN))
    with post.engine.connect() as connection:
        ids = set(connection.scalars(select(VendorCall.id)))

    archive_old_entries(post.engine, post.at + timedelta(days=1), tmp_path / "old.gz", post.at + LONG)

    rows = read(tmp_path / "old.gz")
    assert {one["row"]["id"] for one in rows if one["table"] == "vendor_call"} == ids
    assert not {"ann", "oak", "boston"} & set(json.dumps(rows).lower().replace('"', " ").split())


def test_a_list_whose_evidence_is_archived_is_still_not_sent_twice(post: Any, tmp_path: Path) -> None:
    campaign = post.submit(ANN)
    post.job(campaign)
    archive_old_entries(post.engine, post.at + timedelta(days=1), tmp_path / "old.gz", post.at + LONG)

    post.submitted -= 1
    assert post.submit(ANN) == campaign
    post.submitted -= 1
    with pytest.raises(ConflictError):
        post.submit(BEN)
    assert post.pieces() == {"ann": 1}


def test_what_has_not_ended_or_ended_lately_keeps_its_evidence(post: Any, tmp_path: Path) -> None:
    waits = post.submit(ANN, approval=Approval.REQUIRED)
    assert post.job(waits)[0].state is State.APPROVAL
    late = post.submit(BEN)
    post.job(late)
    there = evidence(post)
    with post.engine.begin() as connection:
        lately = {"at": post.at + LONG - timedelta(days=35), "campaign": late}
        connection.execute(text("UPDATE mailing SET updated_at = :at WHERE campaign_id = :campaign"), lately)

    done = archive_old_entries(
        post.engine, post.at + LONG - timedelta(days=40), tmp_path / "old.gz", post.at + LONG
    )

    assert done == Archived()
    assert evidence(post) == there
    assert not (tmp_path / "old.gz").exists()


def test_archived_again_there_is_nothing_left_and_no_file(post: Any, tmp_path: Path) -> None:
    post.job(post.submit(ANN))
    archive_old_entries(post.engine, post.at + timedelta(days=1), tmp_path / "old.gz", post.at + LONG)

    again = archive_old_entries(post.engine, post.at + timedelta(days=1), tmp_path / "new.gz", post.at + LONG)

    assert again.rows == 0
    assert not (tmp_path / "new.gz").exists()


def test_a_file_that_is_there_is_not_written_over(post: Any, tmp_path: Path) -> None:
    post.job(post.submit(ANN))
    there = evidence(post)
    path = tmp_path / "old.gz"
    path.write_bytes(b"mine")

    with pytest.raises(FileExistsError):
        archive_old_entries(post.engine, post.at + timedelta(days=1), path, post.at + LONG)

    assert path.read_bytes() == b"mine"
    assert evidence(post) == there


def test_what_is_not_on_the_disk_is_not_deleted(
    post: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(archive, "ARCHIVE_BATCH_SIZE", 1)
    post.job(post.submit(ANN + BEN, batch_size=1))
    there, path = evidence(post), tmp_path / "old.gz"
    write = archive._write

    def full_after_the_first(file: Any, lines: list[str]) -> None:
        if file.tell():
            raise OSError(28, "No space left on device")
        write(file, lines)

    monkeypatch.setattr(archive, "_write", full_after_the_first)
    with pytest.raises(OSError, match="No space left"):
        archive_old_entries(post.engine, post.at + timedelta(days=1), path, post.at + LONG)

    assert len(read(path)) + sum(evidence(post)) == sum(there)
    assert len(read(path)) > 0


def test_evidence_of_this_month_is_not_archived(post: Any, tmp_path: Path) -> None:
    with pytest.raises(ArchiveError, match="30 days"):
        archive_old_entries(post.engine, post.at - timedelta(days=29), tmp_path / "old.gz", post.at)

    assert not (tmp_path / "old.gz").exists()
