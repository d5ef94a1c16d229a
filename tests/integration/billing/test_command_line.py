"""Money on the command line: what is no amount is one line and changes nothing; the rest is done and shown."""

import csv
import io
import json
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select

from console import main, output
from console.amounts import BudgetOptions, amount, changed_limits
from console.errors import UsageError
from console.views.budgets import terms_label
from models import Approval, Budget, Campaign, Stage, State
from tests.acceptance.cli.conftest import Ran

NO_AMOUNTS = ["-1", "NaN", "-NaN", "Infinity", "1e12", "0.00001", "ten", "", "1.2.3"]


class CommandLine:
    """`mailrun` within this process, on the database that the hands work on."""

    def __init__(
        self, directory: Path, patch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        self.directory, self._patch, self._capsys = directory, patch, capsys

    def run(self, *arguments: str, **env: str) -> Ran:
        output.stdout_console.cache_clear()
        output.stderr_console.cache_clear()
        self._capsys.readouterr()
        with self._patch.context() as patch:
            for name, value in env.items():
                patch.setenv(name, value)
            code = main.run(list(arguments))
        said = self._capsys.readouterr()
        return Ran(code, said.out, said.err)

    def write(self, name: str, content: str) -> None:
        (self.directory / name).write_text(content)


@pytest.fixture
def mailrun(
    hands: Any,
    people: Any,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> Iterator[CommandLine]:
    assert people.engine is hands.context.engine
    for name, value in hands.context.settings.environment().items():
        monkeypatch.setenv(name, value)
    monkeypatch.chdir(tmp_path)
    yield CommandLine(tmp_path, monkeypatch, capsys)
    # They write to what was captured here.
    output.stdout_console.cache_clear()
    output.stderr_console.cache_clear()


@pytest.mark.parametrize("given", NO_AMOUNTS)
def test_what_is_no_amount_of_money_is_refused(given: str) -> None:
    with pytest.raises(UsageError, match="must be an amount of money"):
        amount("--budget", given)
    with pytest.raises(UsageError, match="must be an amount of money"):
        BudgetOptions(approval=f"over:{given}").policy()
    with pytest.raises(UsageError, match="--per-day"):
        changed_limits(per_day=given)


def test_amounts_are_read_to_the_last_digit() -> None:
    assert amount("--budget", "$1,234.50") == Decimal("1234.50")
    assert changed_limits(total="none", per_piece=None) == {"total": None}


@pytest.mark.parametrize(
    ("approval", "yes", "policy"),
    [
        (None, False, (Approval.REQUIRED, None)),
        (None, True, (Approval.AUTO, None)),
        ("auto", True, (Approval.AUTO, None)),
        ("Required", False, (Approval.REQUIRED, None)),
        ("over:250", False, (Approval.OVER, Decimal(250))),
    ],
)
def test_who_must_agree_follows_from_yes_and_approval(approval: str | None, yes: bool, policy: Any) -> None:
    assert BudgetOptions(approval=approval, yes=yes).policy() == policy


@pytest.mark.parametrize(
    "asked", [{"approval": "sometimes"}, {"approval": ""}, {"approval": "required", "yes": True}]
)
def test_a_policy_that_is_none_or_two_is_refused(asked: dict[str, Any]) -> None:
    with pytest.raises(UsageError):
        BudgetOptions(**asked).policy()


def test_a_send_with_a_budget_that_is_none_is_one_line_and_leaves_nothing(
    mailrun: CommandLine, people: Any
) -> None:
    mailrun.write("list.csv", "Name,Address,City,State,ZIP\nAnn Lee,1 Oak Street,Springfield,IL,62701\n")

    ran = mailrun.run("campaign", "send", "list.csv", "--template", "1001", "--yes", "--budget", "NaN")

    assert ran.complaint.startswith('--budget "NaN": must be an amount of money such as 250.00; ')
    assert ran.complaint.endswith("see `mailrun campaign send --help`")
    assert ran.code == 2
    with people.engine.connect() as connection:
        assert connection.scalar(select(func.count()).select_from(Campaign)) == 0
        assert connection.scalar(select(func.count()).select_from(Budget)) == 0


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("account", "--per-day", "-1"), "must be an amount of money"),
        (("account",), "say at least one of"),
        (("somebody", "--total", "1"), "must be account, campaign:ID, trigger:ID or token:ID"),
        (("campaign:999999", "--total", "1"), "there is no campaign 999999"),
    ],
)
def test_a_budget_that_cannot_be_set_is_one_line_and_not_set(
    mailrun: CommandLine, people: Any, arguments: tuple[str, ...], words: str
) -> None:
    assert words in mailrun.run("budget", "set", *arguments).complaint
    with people.engine.connect() as connection:
        assert connection.scalar(select(func.count()).select_from(Budget)) == 0


def test_a_send_keeps_its_policy_its_budget_and_who_asked_for_it(mailrun: CommandLine, hands: Any) -> None:
    mailrun.write("list.csv", "Name,Address,City,State,ZIP\nAnn Lee,1 Oak Street,Springfield,IL,62701\n")
    money = ("--approval", "over:3.5", "--budget", "100", "--per-piece-max", "5", "--as", "Ada")

    ran = mailrun.run("campaign", "send", "list.csv", "--template", "1001", *money)

    assert ran.code == 0, ran.err
    with hands.context.engine.connect() as connection:
        budget = connection.execute(select(*Budget.__table__.columns)).one()
        campaign = connection.scalar(select(Campaign.id))
    (mailing_id,) = mailings(hands)
    row = hands.pen.mailing(mailing_id)
    assert (row.approval, row.approval_over, row.submitted_by) == (Approval.OVER, Decimal("3.5"), "Ada")
    assert (budget.subject, budget.total, budget.per_piece, budget.set_by) == (campaign, 100, 5, "Ada")
    assert hands.to_the_end(mailing_id).state is State.APPROVAL


def test_raising_a_budget_lets_go_what_waited_for_it(mailrun: CommandLine, hands: Any, people: Any) -> None:
    mailing_id = hands.to(Stage.CHECKOUT)
    people.limit(per_day=1)
    hands.to_the_end(mailing_id)

    ran = mailrun.run("budget", "set", "account", "--per-day", "50")

    assert "1 order waited for it" in ran.err
    assert hands.to_the_end(mailing_id).state is State.SENT
    (limit,) = mailrun.run("budget", "show", "--json").json()["budgets"]
    assert Decimal(limit["left"]) == 50 - hands.pen.mailing(mailing_id).charged


def test_a_person_approves_and_another_rejects(mailrun: CommandLine, hands: Any) -> None:
    first, second = (
        hands.to(Stage.CHECKOUT, approval=Approval.REQUIRED, submitted_by="Ada") for _ in range(2)
    )

    own = mailrun.run("approve", str(first), "--yes", "--as", "Ada", MAILRUN_FOUR_EYES="true")
    approved = mailrun.run("approve", str(first), "--yes", "--as", "Grace", MAILRUN_FOUR_EYES="true")
    rejected = mailrun.run("reject", str(second), "--why", "wrong list", "--as", "Grace")

    assert own.code == 1
    assert "submitted by the same person" in own.err
    assert f"mailing {first}: approved by Grace: $" in approved.out
    assert hands.pen.mailing(first).proof_sha256.hex()[:12] in approved.out
    assert rejected.code == 0
    assert hands.to_the_end(first).state is State.SENT
    assert hands.to_the_end(second).reason == "rejected by Grace: wrong list"
    assert mailrun.run("reject", str(second), "--why", " ").complaint.startswith("--why")


def test_the_ledger_is_a_table_csv_or_json(mailrun: CommandLine, hands: Any) -> None:
    row = hands.to_the_end(hands.to(Stage.CHECKOUT))

    (line,) = csv.DictReader(io.StringIO(mailrun.run("ledger", "--by", "order", "--csv").out))
    told = mailrun.run("ledger", "--by", "day", "--json").json()

    assert Decimal(line["paid"]) == row.charged == Decimal(told["total"]["paid"])
    assert Decimal(line["difference"]) == 0
    assert str(row.order_id) in mailrun.run("ledger", "--by", "order").out
    assert '--by "week"' in mailrun.run("ledger", "--by", "week").complaint
    assert "--from" in mailrun.run("ledger", "--from", "soon").complaint
    assert "later than" in mailrun.run("ledger", "--from", "2026-12-02", "--to", "2026-12-01").complaint


def test_evidence_is_written_verified_and_gives_an_edit_away(mailrun: CommandLine, hands: Any) -> None:
    mailing_id = str(hands.to_the_end(hands.to(Stage.CHECKOUT)).id)

    written = mailrun.run("evidence", mailing_id, "-o", "case")
    packed = mailrun.run("evidence", mailing_id, "-o", "case.zip")

    head = written.out.split("Head: ")[1].strip()
    assert mailrun.run("evidence", "--verify", "case", "--head", head).code == 0
    assert mailrun.run("evidence", "--verify", "case.zip").code == 0
    assert packed.code == 0
    assert mailrun.run("evidence", "--verify", "case.zip", "--head", head).code == 0
    assert mailrun.run("evidence", "--verify", "case.zip", "--head", "0" * 64).code == 1
    document = mailrun.directory / "case" / "evidence.json"
    assert document.stat().st_mode & 0o077 == 0
    told = json.loads(document.read_text())
    told["entries"][0]["about"]["charged"] = "0.00"
    document.write_text(json.dumps(told))
    assert "entry 1 of" in mailrun.run("evidence", "--verify", "case").out
    assert mailrun.run("evidence", "--verify", "case.zip/nothing").code != 0
    assert "there is no mailing" in mailrun.run("evidence", "999999", "-o", "case").complaint
    assert mailrun.run("evidence", mailing_id).code == 0
    assert mailrun.run("evidence", "--verify", f"evidence-{mailing_id}").code == 0
    assert "--verify alone" in mailrun.run("evidence").complaint


def test_evidence_is_not_overwritten_and_keeps_its_head_while_nothing_happens(
    mailrun: CommandLine, hands: Any
) -> None:
    first, other = (str(hands.to_the_end(hands.to(Stage.CHECKOUT)).id) for _ in range(2))
    saved = mailrun.run("evidence", first, "-o", "case")
    document = mailrun.directory / "case" / "evidence.json"
    before = document.read_bytes()
    mailrun.write("notes.zip", "mine")

    again = mailrun.run("evidence", first, "-o", "case")

    assert again.code == 0
    assert again.out.splitlines()[1] == saved.out.splitlines()[1]
    assert "Unchanged" in again.out
    assert "other evidence" in mailrun.run("evidence", other, "-o", "case").complaint
    assert "give another name" in mailrun.run("evidence", first, "-o", "notes.zip").complaint
    assert document.read_bytes() == before
    assert (mailrun.directory / "notes.zip").read_text() == "mine"
    document.write_bytes(before.replace(b'"kind"', b'"kinds"', 1))
    assert "give another name" in mailrun.run("evidence", first, "-o", "case").complaint


@pytest.mark.parametrize("given", ["250,00", "1.000,50", "1,00"])
def test_a_decimal_comma_is_refused_wherever_an_amount_is_typed(
    mailrun: CommandLine, people: Any, given: str
) -> None:
    mailrun.write("list.csv", "Name,Address,City,State,ZIP\nAnn Lee,1 Oak Street,Springfield,IL,62701\n")
    send = ("campaign", "send", "list.csv", "--template", "1001")

    complaints = [
        mailrun.run("budget", "set", "account", "--per-day", given),
        mailrun.run(*send, "--yes", "--budget", given),
        mailrun.run(*send, "--yes", "--per-piece-max", given),
        mailrun.run(*send, "--approval", f"over:{given}"),
    ]

    assert all("a comma may only group thousands" in one.complaint for one in complaints)
    assert {one.code for one in complaints} == {2}
    with people.engine.connect() as connection:
        assert connection.scalar(select(func.count()).select_from(Budget)) == 0
        assert connection.scalar(select(func.count()).select_from(Campaign)) == 0


def test_what_account_credits_pay_is_shown_apart(
    mailrun: CommandLine, hands: Any, people: Any, sandbox: Any
) -> None:
    sandbox.set(prepaidBalance=1)
    mailing_id = hands.to(Stage.CHECKOUT, approval=Approval.REQUIRED)
    apart = "of which $1.00 from account credits"

    shown = mailrun.run("mailing", "show", str(mailing_id))
    offered = terms_label(people.offer(mailing_id))
    people.approve(mailing_id)
    row = hands.to_the_end(mailing_id)

    assert apart in " ".join(shown.out.split())
    assert apart in offered
    (entry,) = mailrun.run("ledger", "--by", "order", "--json").json()["ledger"]
    assert (Decimal(entry["paid"]), Decimal(entry["from_credits"])) == (row.charged, 1)


def test_an_approver_accepts_a_kind_of_difference_sees_it_listed_and_revokes_it(
    mailrun: CommandLine, hands: Any, sandbox: Any
) -> None:
    sandbox.set(subItemsAddUp=False)
    mailing_id = str(hands.to_the_end(hands.new_mailing(2)).id)
    accept = ("attention", "resolve", mailing_id, "--accept", "--from-now-on", "--why", "their parts")

    assert "--accept" in mailrun.run("attention", "show", mailing_id).out
    misused = mailrun.run("attention", "resolve", mailing_id, "--retry", "--from-now-on", "--why", "x")
    assert "goes with --accept alone" in misused.complaint
    accepted = mailrun.run(*accept, "--as", "Grace")
    assert "accepted by Grace, for the account, from now on" in accepted.out
    assert hands.to_the_end(int(mailing_id)).state is State.SENT
    (kind,) = mailrun.run("attention", "accepted", "--json").json()["accepted"]
    assert (kind["kind"], kind["who"], kind["why"]) == ("parts", "Grace", "their parts")
    assert mailrun.run("attention", "revoke", str(kind["id"]), "--why", "mended").code == 0
    again = mailrun.run("attention", "revoke", str(kind["id"]), "--why", "mended")
    assert "there is no accepted difference" in again.complaint
    assert "does not need attention" in mailrun.run(*accept).complaint


def mailings(hands: Any) -> list[int]:
    with hands.context.engine.connect() as connection:
        return [row.id for row in connection.exec_driver_sql("SELECT id FROM mailing ORDER BY id")]
