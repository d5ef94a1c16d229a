"""The judge of the chaos run must see each kind of harm, or its zeros mean nothing."""

from collections.abc import Iterable
from typing import Any

from bench.chaos.verdict import Books, Claims, Verdict, judge
from bench.workload import Person, SampleMailing, make

LETTERS = make(4, seed=7)
FIRST, SECOND, *_ = LETTERS


def order(number: int, letter: SampleMailing | None, *, paid: bool = False, **said: Any) -> dict[str, Any]:
    people = letter.people if letter else ()
    return {
        "id": number,
        "templateId": letter.template if letter else 1001,
        "status": "Paid" if paid else "Draft",
        "deleted": False,
        "recipients": [_on_the_ledger(person) for person in people],
        "checkouts": [{"outcome": "paid"}] if paid else [],
        "charges": [{"amount": "1.00"}] if paid else [],
        **said,
    }


def _on_the_ledger(person: Person) -> dict[str, str]:
    return {
        "firstName": person.first_name,
        "lastName": person.last_name,
        "address1": person.address1,
        "city": person.city,
        "state": person.state,
        "zipCode": person.zip_code,
    }


def verdict(orders: Iterable[dict[str, Any]], claims: Claims | None = None) -> Verdict:
    orders, pieces = list(orders), dict[str, int]()
    for one in orders:
        for told in one["recipients"] if one["charges"] else ():
            key = f"{told['firstName']}|{told['lastName']}|{told['address1']}||springfield|il|62701".lower()
            pieces[key] = pieces.get(key, 0) + 1
    ledger = {
        "orders": orders,
        "people": pieces,
        "totals": {"calls": {"checkout": {"arrived": 5, "applied": 4}}},
    }
    return judge(Books(ledger, LETTERS), claims or Claims())


def all_paid() -> list[dict[str, Any]]:
    return [order(number, letter, paid=True) for number, letter in enumerate(LETTERS)]


def test_everybody_mailed_once_is_seen_as_such() -> None:
    seen = verdict(all_paid())

    assert (seen.paid, seen.people_once) == (len(LETTERS), seen.people)
    assert (seen.people_twice, seen.paid_twice, seen.lost, seen.strays, seen.people_missed) == (0, 0, 0, 0, 0)
    assert seen.calls == 5


def test_two_paid_orders_of_one_mailing_are_paid_twice() -> None:
    seen = verdict([*all_paid(), order(50, FIRST, paid=True)])

    assert (seen.paid_twice, seen.people_twice) == (1, len(FIRST.people))


def test_a_person_twice_on_one_order_is_mailed_twice_and_not_paid_twice() -> None:
    orders = all_paid()
    orders[0]["recipients"].append(orders[0]["recipients"][0])

    seen = verdict(orders)

    assert (seen.paid_twice, seen.people_twice) == (0, 1)


def test_what_is_unpaid_and_untold_is_lost() -> None:
    assert verdict(all_paid()[1:]).lost == 1


def test_what_is_unpaid_and_told_is_not_lost() -> None:
    assert verdict(all_paid()[1:], Claims(told={FIRST.key: "payment failed"})).lost == 0


def test_an_empty_draft_is_a_stray() -> None:
    assert verdict([*all_paid(), order(50, None)]).strays == 1


def test_a_draft_of_a_paid_mailing_is_a_stray() -> None:
    assert verdict([*all_paid(), order(50, FIRST)]).strays == 1


def test_a_draft_of_a_told_mailing_is_explained_for_who_keeps_no_list() -> None:
    claims = Claims(told={FIRST.key: "payment failed"})

    assert verdict([*all_paid()[1:], order(50, FIRST)], claims).strays == 0


def test_a_draft_that_its_list_does_not_name_is_a_stray_for_who_keeps_one() -> None:
    claims = Claims(told={FIRST.key: "payment failed"}, open_drafts=frozenset({51}))

    assert verdict([*all_paid()[1:], order(50, FIRST), order(51, FIRST)], claims).strays == 1


def test_a_person_left_off_a_paid_order_is_missed_unless_it_was_said() -> None:
    orders = all_paid()
    orders[1]["recipients"].pop()
    left_out = frozenset({SECOND.people[-1].key})

    # With nobody left on it the mailing itself would count as lost, not the person as missed.
    assert len(SECOND.people) > 1
    assert verdict(orders).people_missed == 1
    assert verdict(orders, Claims(refused_people=left_out)).people_missed == 0


def test_another_design_than_asked_for_is_seen() -> None:
    orders = all_paid()
    orders[0]["templateId"] += 1

    assert verdict(orders).wrong_design == 1
