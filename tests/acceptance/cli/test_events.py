"""Events, triggers, tokens and webhooks from the command line, on a database that nobody works on."""

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import func, insert, select, update

from console.api.tokens import Scope, bearer_of
from intake.events import processor
from intake.events.cloudevents import event_from
from intake.events.inbox import receive
from intake.events.processor import ProcessingTime
from models import Event, Mailing, NotificationType, Webhook, WebhookDelivery
from worker.clock import system_clock
from worker.webhooks import outbox
from worker.webhooks.signatures import require_secret

TRIGGERS = """
[[trigger]]
name = "welcome"
on = "com.example.signup"
template = 1001
delay = "3 days"

[trigger.when]
"data.plan" = "pro"

[trigger.recipient]
full_name = "data.name"
address1 = "data.street"
city = { text = "Boston" }
state = { text = "MA" }
zip_code = "data.zip"

[trigger.merge]
custom1 = "data.coupon"
"""
DATA = {"name": "Ann Lee", "street": "12 Oak St", "zip": "02108", "plan": "pro", "coupon": "TENOFF"}


def event(number: int = 1, **data: Any) -> dict[str, Any]:
    attributes = {"specversion": "1.0", "source": "shop", "type": "com.example.signup"}
    return {**attributes, "id": str(number), "data": {**DATA, **data}}


@pytest.fixture
def happen(engine: Any) -> Callable[..., list[int]]:
    """Return a function that has events happen, and be answered; with none, those that wait are answered."""

    def take(*events: dict[str, Any]) -> list[int]:
        taken = receive(engine, [event_from(one) for one in events]) if events else []
        processor.run_once(engine, ProcessingTime(datetime.now(UTC), "UTC", timedelta(seconds=60)))
        return [one.number for one in taken]

    return take


def count(engine: Any, table: Any) -> int:
    with engine.connect() as connection:
        return connection.scalar(select(func.count()).select_from(table)) or 0


def test_a_file_of_triggers_is_checked_whole_and_changes_nothing(command_line: Any) -> None:
    command_line.write("good.toml", TRIGGERS)
    command_line.write("bad.toml", TRIGGERS.replace("1001", "0").replace('"3 days"', '"soon"'))

    good, bad = (
        command_line.run("trigger", "check", "good.toml"),
        command_line.run("trigger", "check", "bad.toml"),
    )

    assert (good.code, "1 trigger, nothing wrong: welcome" in good.out) == (0, True)
    assert bad.complaint == "bad.toml cannot be used for 2 reasons, see above"
    assert "trigger welcome: template:" in bad.err
    assert "trigger welcome: delay:" in bad.err
    assert "No triggers" in command_line.run("trigger", "list").out


def test_loading_says_what_changed_and_a_bad_file_loads_nothing_of_itself(command_line: Any) -> None:
    command_line.write("triggers.toml", TRIGGERS)
    first = command_line.run("trigger", "load", "triggers.toml")
    command_line.write("triggers.toml", TRIGGERS.replace("1001", "1002") + TRIGGERS.replace("1001", "0"))
    refused = command_line.run("trigger", "load", "triggers.toml")
    command_line.write("triggers.toml", TRIGGERS.replace("1001", "1002"))
    changed = command_line.run("trigger", "load", "triggers.toml")

    (listed,) = command_line.run("trigger", "list", "--json").json()["triggers"]

    assert [one.out.split()[-1] for one in (first, changed)] == ["new", "changed"]
    assert "template" in refused.complaint
    assert (listed["name"], listed["version"], listed["template"]) == ("welcome", 2, 1002)


def test_a_sample_event_is_tried_and_nothing_is_stored_or_sent(command_line: Any, engine: Any) -> None:
    command_line.write("triggers.toml", TRIGGERS)
    for name, one in {"pro": event(), "basic": event(plan="basic"), "lost": event(zip="nowhere")}.items():
        command_line.write(f"{name}.json", json.dumps(one))
    command_line.write("none.json", "{}")
    given = ("--triggers", "triggers.toml")

    pro, basic, lost = (
        command_line.run("trigger", "try", f"{one}.json", *given) for one in ("pro", "basic", "lost")
    )

    assert pro.code == 0
    for words in (
        "welcome: template 1001",
        "paid not before",
        "to Ann Lee, 12 Oak St, Boston, MA 02108",
        "custom1: TENOFF",
    ):
        assert words in pro.out
    assert (basic.code, basic.out) == (1, "unmatched: conditions are not met: welcome: data.plan\n")
    assert (lost.code, "invalid address" in lost.out, "nowhere" in lost.out) == (1, True, False)
    assert "none.json" in command_line.run("trigger", "try", "none.json", *given).complaint
    assert "no trigger is declared" in command_line.run("trigger", "try", "pro.json").out
    command_line.run("trigger", "load", "triggers.toml")
    assert command_line.run("trigger", "try", "pro.json").code == 0
    assert (count(engine, Event), count(engine, Mailing)) == (0, 0)


def test_events_are_listed_shown_and_answered_anew(
    command_line: Any, happen: Callable[..., list[int]]
) -> None:
    unmatched, lost = happen(event(1), event(2, zip="nowhere"))
    command_line.write("triggers.toml", TRIGGERS)
    command_line.run("trigger", "load", "triggers.toml")

    before = command_line.run("event", "list", "--outcome", "unmatched", "--json").json()["events"]
    replayed = command_line.run("event", "replay", str(unmatched), str(lost), "999")
    happen()

    assert [one["number"] for one in before] == [lost, unmatched]
    assert (replayed.code, "Event 999 is not there." in replayed.err) == (1, True)
    table = command_line.run("event", "list").out
    assert ("ordered" in table, "invalid_address" in table) == (True, True)
    shown = command_line.run("event", "show", str(unmatched))
    assert f"Event {unmatched}: ordered" in shown.out
    told = command_line.run("event", "show", str(unmatched), "--json").json()["event"]
    assert (told["id"], told["answers"][0]["trigger"], told["answers"][0]["position"]) == ("1", "welcome", 0)
    assert "there is no event 999" in command_line.run("event", "show", "999").complaint
    assert 'there is no outcome "lost"' in command_line.run("event", "list", "--outcome", "lost").complaint


def test_a_fresh_secret_is_one_that_events_can_be_signed_with(command_line: Any) -> None:
    printed = command_line.run("event", "secret").out.strip()

    assert require_secret(printed) == printed


def test_a_token_is_printed_once_and_good_until_it_is_revoked(command_line: Any, engine: Any) -> None:
    made = command_line.run("token", "create", "shop", "--scope", "mailings:write")
    token = made.out.strip()

    with engine.connect() as connection:
        bearer = bearer_of(connection, token, system_clock())
    listed = command_line.run("token", "list", "--json")
    revoked = command_line.run("token", "revoke", "shop")

    assert bearer is not None
    assert bearer.scopes == {Scope.MAILINGS_WRITE}
    assert token not in listed.out
    assert (listed.json()["tokens"][0]["name"], revoked.code) == ("shop", 0)
    with engine.connect() as connection:
        assert bearer_of(connection, token, system_clock()) is None
    assert "existed" in command_line.run("token", "create", "shop", "--scope", "all").complaint
    assert "--scope" in command_line.run("token", "create", "another").complaint
    assert "no token" in command_line.run("token", "revoke", "shop").complaint
    assert 'no scope "mail"' in command_line.run("token", "create", "x", "--scope", "mail").complaint


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("https://127.0.0.1/hook", "MAILRUN_WEBHOOK_NETWORKS"),
        ("https://[::1]/hook", "MAILRUN_WEBHOOK_NETWORKS"),
        ("https://169.254.169.254/latest", "MAILRUN_WEBHOOK_NETWORKS"),
        ("http://93.184.215.14/hook", "not encrypted"),
        ("ftp://example.com/", "a webhook's address is such as"),
        ("https://ann:secret@example.com/", "a webhook's address is such as"),
        ("https://example.com:99999/", "a webhook's address is such as"),
        ("nonsense", "a webhook's address is such as"),
    ],
)
def test_a_webhook_that_leads_inside_or_nowhere_is_not_added(
    command_line: Any, engine: Any, url: str, words: str
) -> None:
    assert words in command_line.run("webhook", "add", url).complaint

    assert count(engine, Webhook) == 0


def test_a_webhook_is_added_to_an_allowed_network_for_the_kinds_that_are_wanted(
    command_line: Any, engine: Any
) -> None:
    allowed = {"MAILRUN_WEBHOOK_NETWORKS": "127.0.0.0/8"}
    url = "http://127.0.0.1:9/hook"

    misspelt = command_line.run("webhook", "add", url, "--kind", "mailing.sold", **allowed)
    added = command_line.run("webhook", "add", url, "--kind", "mailing.sent", **allowed)
    rotated = command_line.run("webhook", "rotate", "1")

    assert 'no kind "mailing.sold"' in misspelt.complaint
    secrets = [rotated.out.strip(), added.out.strip()]
    assert [require_secret(one) for one in secrets] == secrets
    with engine.connect() as connection:
        assert connection.execute(select(Webhook.secrets, Webhook.kinds)).one() == (secrets, ["mailing.sent"])
    assert command_line.run("webhook", "remove", "1").code == 0
    assert "no webhook 1" in command_line.run("webhook", "show", "1").complaint


def test_a_disabled_webhook_is_noticed_enabled_and_given_what_it_missed(
    command_line: Any, engine: Any, happen: Callable[..., list[int]]
) -> None:
    command_line.write("triggers.toml", TRIGGERS)
    command_line.run("trigger", "load", "triggers.toml")
    happen(event())
    with engine.begin() as connection:
        why = {"disabled_at": func.now(), "disabled_why": "failing since 2026-11-22 09:00 UTC"}
        connection.execute(insert(Webhook).values(url="https://example.com/", secrets=["x"], **why))
        outbox.enqueue(connection, NotificationType.MAILING_QUOTED, 1, datetime.now(UTC))
        outbox.enqueue(connection, NotificationType.MAILING_SENT, 1, datetime.now(UTC))
        connection.execute(
            update(WebhookDelivery).where(WebhookDelivery.id == 1).values(wake_at=None, why="answered 500")
        )

    doctor = command_line.run("doctor", "--json")
    listed = command_line.run("webhook", "list")
    enabled = command_line.run("webhook", "enable", "1")
    replayed = command_line.run("webhook", "replay", "1")

    (found,) = [one for one in json.loads(doctor.out)["checks"] if one["name"] == "webhooks"]
    assert (found["verdict"], "1 is disabled: failing since" in found["found"]) == ("warn", True)
    assert "disabled" in listed.out
    assert enabled.code == 0
    assert "sent again: 2" in replayed.err
    notices = command_line.run("webhook", "show", "1", "--json").json()["notices"]
    assert all(one["wake_at"] for one in notices)
    assert command_line.run("webhook", "list", "--json").json()["webhooks"][0]["disabled_at"] is None
