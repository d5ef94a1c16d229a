"""What each choice would cost, tried from the command line without sending."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

SomePeople = Callable[[int], str]


def test_a_list_is_priced_for_every_choice_and_nothing_is_left_of_it(
    mailrun: Any, house: Any, some_people: SomePeople
) -> None:
    mailrun.write("list.csv", some_people(2))
    late = (datetime.now(UTC) + timedelta(days=90)).date().isoformat()

    told = mailrun.run("campaign", "plan", "list.csv", "--template", "1001", "--deliver-by", late, "--json")

    assert len({(one["postage"], one["speed"]) for one in told.json()["choices"]}) == 6
    number = str(told.json()["campaign"])
    assert mailrun.run("campaign", "watch", number).code == 0
    assert mailrun.run("campaign", "show", number, "--json").json()["campaign"]["status"] == "cancelled"
    listed = mailrun.run("mailing", "list", "--campaign", number, "--json").json()["mailings"]
    assert [house.order(one["order_id"])["deleted"] for one in listed] == [True]


def test_a_plan_of_what_cannot_be_sent_is_refused_in_one_line_with_nothing_queued(
    mailrun: Any, some_people: SomePeople
) -> None:
    mailrun.write("list.csv", some_people(1))
    before = mailrun.run("campaign", "list", "--json").json()

    def plan(file: str, template: str) -> str:
        return str(mailrun.run("campaign", "plan", file, "--template", template).complaint)

    assert "no template 77" in plan("list.csv", "77")
    assert "There is no file" in plan("missing.csv", "1001")
    assert mailrun.run("campaign", "list", "--json").json() == before
