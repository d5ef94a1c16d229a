"""Lists over HTTP: workbooks, mappings, and a dry run that stores nothing."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import insert, select, update

from intake.csv.saved_mappings import save_mapping
from models import Campaign, Mailing, Quote, Recipient
from tests.acceptance.api.conftest import ODS, XLSX, count, problem
from tests.integration.intake.workbook_files import ods, xlsx

HEADINGS = ["First name", "Last name", "Address", "City", "State", "ZIP"]
ANN = ["Ann", "Lee", "1 Oak St", "Boston", "MA", 2108]
BEN = ["Ben", "Kim", "9 Elm St", "Reno", "NV", 89501]
SHIP_TO = "First name,Last name,Ship to,City,State,ZIP,A=B\nAnn,Lee,1 Oak St,Boston,MA,02108,a mug\n"


@pytest.mark.parametrize(("write", "kind"), [(xlsx, XLSX), (ods, ODS)])
def test_a_workbook_is_a_list_by_its_content_type(api: Any, write: Any, kind: str) -> None:
    book = write({"People": [HEADINGS, ANN], "More": [HEADINGS, BEN]})

    unnamed = problem(api.send_list(book, kind), 422)
    unknown = problem(api.send_list(book, kind, sheet="Others"), 422)
    sent = api.send_list(book, kind, sheet="more")

    assert (unnamed["sheets"], "Others" in unknown["detail"]) == (["People", "More"], True)
    assert (sent.status_code, sent.json()["people"]) == (201, 1)
    with api.engine.connect() as connection:
        assert connection.scalar(select(Recipient.first_name)) == "Ben"
    problem(api.send_list(book, "application/zip"), 415)
    problem(api.send_list(SHIP_TO.encode(), "text/csv", sheet="More"), 422)


def test_a_mapping_comes_in_the_query_or_is_the_one_that_was_saved(api: Any) -> None:
    given = ["Ship to=address1", "A=B=custom2"]

    problem(api.send_list(SHIP_TO.encode(), "text/csv"), 422)
    for wrong in ("Ship to", "=address1", "Ship to="):
        problem(api.send_list(SHIP_TO.encode(), "text/csv", mapping=[wrong]), 400)
    problem(api.send_list(SHIP_TO.encode(), "text/csv", mapping=["Ship to=nowhere"]), 422)
    assert count(api, Campaign) == 0
    assert api.send_list(SHIP_TO.encode(), "text/csv", mapping=given).status_code == 201

    with api.engine.begin() as connection:
        headings = SHIP_TO.partition("\n")[0].split(",")
        saved = {"Ship to": "address1", "A=B": "custom3"}
        save_mapping(connection, "shop", headings, saved, who="test", now=datetime.now(UTC))
    checked = api.send_list(SHIP_TO.encode(), "text/csv", dry_run="true")
    assert checked.json()["merge_samples"] == {"custom3": ["a mug"]}
    assert api.send_list(SHIP_TO.encode(), "text/csv", again="everybody").status_code == 201
    with api.engine.connect() as connection:
        merged = connection.scalars(select(Recipient.merge).order_by(Recipient.mailing_id)).all()
    assert merged == [{"custom2": "a mug"}, {"custom3": "a mug"}]


def test_a_dry_run_counts_shows_who_got_it_lately_and_stores_nothing(api: Any) -> None:
    first = api.upload("Ann,Lee,1 Oak St,Boston,MA,02108\n").json()
    with api.engine.begin() as connection:
        mailing_id = connection.scalar(update(Mailing).values(accepted=1).returning(Mailing.id))
        quote = {
            "postage": "Standard",
            "speed": "Normal",
            "total": Decimal("1.25"),
            "options": {},
        }
        connection.execute(insert(Quote).values(mailing_id=mailing_id, taken_at=datetime.now(UTC), **quote))
    book = xlsx(
        {"People": [[*HEADINGS, "custom1"], [*ANN, "a mug"], [*BEN, ""], ["Cy", "Ng", "", "", "", 1, ""]]}
    )

    answer = api.send_list(book, dry_run="true")

    told = answer.json()
    assert answer.status_code == 200
    assert (told["rows"], told["people"], told["rejected"], told["dry_run"]) == (3, 2, 1, True)
    assert (told["reasons"], told["first_rejected"][0]["row"]) == ({"no_address": 1}, 4)
    assert (told["merge_samples"], told["columns"]["address1"]) == ({"custom1": ["a mug"]}, "Address")
    lately = told["mailed_lately"]
    assert (lately["repeated"], lately["senders"][0]["id"]) == (1, first["id"])
    assert told["estimate"] == {
        "total": "2.50",
        "per_piece": "1.2500",
        "mailing": mailing_id,
        "postage": "Standard",
        "speed": "Normal",
    }
    assert (count(api, Campaign), count(api, Mailing), count(api, Recipient)) == (1, 1, 1)
    problem(api.send_list(book, dry_run="1"), 400)
