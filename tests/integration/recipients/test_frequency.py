import os
import subprocess
import sys
import threading
from collections import Counter
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import func, select

from models import Approval, CapPer, Recipient, Stage
from worker import transitions
from worker.engine.pipeline import RunBudget, process
from worker.recipients.frequency_caps import _is_full
from worker.recipients.policy import FrequencyCap, RecipientPolicy

ROOT = Path(__file__).parents[3]
ANN = "Ann,Lee,,12 Oak Street Apt 4,Boston,MA,02108,,\n"
BEN = "Ben,Lee,,12 Oak St #4,Boston,MA,02108,,\n"
CAL = "Cal,Roe,,7 Fir Ave,Austin,TX,78701,,\n"
ONCE = RecipientPolicy(cap=FrequencyCap(1, 30))


@pytest.mark.parametrize(
    ("said", "cap"),
    [
        ("2/30", FrequencyCap(2, 30)),
        ("1/7/address", FrequencyCap(1, 7, CapPer.ADDRESS)),
        (" 3/90/person ", FrequencyCap(3, 90)),
    ],
)
def test_a_cap_is_pieces_in_days_for_a_person_or_an_address(said: str, cap: FrequencyCap) -> None:
    assert FrequencyCap.parse(said) == cap
    assert FrequencyCap.parse(str(cap)) == cap


@pytest.mark.parametrize(
    "said", ["", "2", "0/30", "2/0", "-1/30", "2/30/house", "2 in 30", "two/30", "2/30/"]
)
def test_what_is_no_cap_is_refused(said: str) -> None:
    with pytest.raises(ValueError, match="pieces/days"):
        FrequencyCap.parse(said)


def test_who_had_enough_gets_nothing_and_counts_again_once_the_days_are_over(post: Any) -> None:
    first = post.submit(ANN + CAL)
    post.job(first)
    post.forward(days=29)
    second = post.submit(ANN, sparing=ONCE)
    post.job(second)
    post.forward(days=1)
    third = post.submit(ANN, sparing=ONCE)
    post.job(third)

    assert post.outcomes(second) == ["capped"]
    assert post.people(second)[0].reason == "the frequency cap is 1 in 30 days for one person"
    assert post.outcomes(third) == ["accepted"]
    assert post.pieces() == {"ann": 2, "cal": 1}


def test_a_piece_that_is_scheduled_counts_before_it_is_mailed(post: Any) -> None:
    claimed = post.submit(ANN, approval=Approval.REQUIRED)
    post.job(claimed)
    later = post.submit(ANN, sparing=ONCE)
    post.job(later)

    assert post.outcomes(later) == ["capped"]


def test_a_piece_that_will_not_be_mailed_gives_its_place_back(post: Any) -> None:
    claimed = post.submit(ANN, approval=Approval.REQUIRED)
    (row,) = post.job(claimed)
    with post.engine.begin() as connection:
        transitions.cancel(connection, row.id, "test", post.clock())
    post.job(claimed)
    later = post.submit(ANN, sparing=ONCE)
    post.job(later)

    assert post.outcomes(later) == ["accepted"]


def test_a_cap_for_an_address_counts_whoever_lives_there(post: Any) -> None:
    post.job(post.submit(ANN))
    per_person = post.submit(BEN, sparing=ONCE, approval=Approval.REQUIRED)
    post.job(per_person)
    per_address = post.submit(BEN, sparing=RecipientPolicy(cap=FrequencyCap(1, 30, CapPer.ADDRESS)))
    post.job(per_address)

    assert post.outcomes(per_person) == ["accepted"]
    assert post.outcomes(per_address) == ["capped"]


def test_a_mailing_paid_on_another_day_than_planned_is_counted_there_and_held_to_the_cap_again(
    post: Any,
) -> None:
    slow = post.submit(ANN + CAL, sparing=ONCE, approval=Approval.REQUIRED)
    post.job(slow)
    post.forward(days=31)
    quick = post.submit(ANN, sparing=ONCE)
    post.job(quick)

    post.approve(slow)
    post.job(slow)

    assert post.outcomes(quick) == ["accepted"]
    assert post.outcomes(slow) == ["capped", "accepted"]


def test_the_installations_cap_holds_where_a_mailing_has_none(post: Any) -> None:
    object.__setattr__(
        post.context, "settings", post.context.settings.model_copy(update={"cap": FrequencyCap(1, 30)})
    )
    post.job(post.submit(ANN))
    second, generous = (
        post.submit(ANN),
        post.submit(ANN, sparing=RecipientPolicy(cap=FrequencyCap(9, 30))),
    )
    post.job(second)
    post.job(generous)

    assert (post.outcomes(second), post.outcomes(generous)) == (["capped"], ["accepted"])


def test_one_for_a_household_is_one_for_the_whole_campaign_and_says_so(post: Any) -> None:
    campaign = post.submit(ANN + CAL + BEN, sparing=RecipientPolicy(one_per_household=True), batch_size=2)
    post.job(campaign)

    assert Counter(post.outcomes(campaign)) == {"accepted": 2, "household": 1}
    (spared,) = [one for one in post.people(campaign) if one.outcome.value == "household"]
    assert "at this address" in spared.reason
    assert sum(post.pieces().values()) == 2


def test_when_the_first_of_a_household_is_suppressed_the_second_gets_the_piece(post: Any) -> None:
    post.suppress(full_name="Ann Lee", address1="12 Oak St #4", zip_code="02108")
    campaign = post.submit(ANN + BEN, sparing=RecipientPolicy(one_per_household=True))
    post.job(campaign)

    assert post.outcomes(campaign) == ["suppressed", "accepted"]


DAYS = st.lists(st.integers(0, 60), max_size=8)


@given(
    taken=DAYS, cap=st.builds(FrequencyCap, st.integers(1, 3), st.integers(1, 30)), wanted=st.integers(0, 60)
)
def test_no_stretch_of_days_ever_holds_more_than_the_cap(
    taken: list[int], cap: FrequencyCap, wanted: int
) -> None:
    start = date(2026, 1, 1)

    def busiest(days: list[int]) -> int:
        return max(
            (sum(first <= day < first + cap.days for day in days) for first in range(-30, 61)), default=0
        )

    admitted: list[int] = []
    for day in [*taken, wanted]:
        known = sorted(start + timedelta(days=one) for one in admitted)
        if not _is_full(known, start + timedelta(days=day), cap):
            admitted.append(day)
        else:
            assert busiest([*admitted, day]) > cap.pieces
    assert busiest(admitted) <= cap.pieces


PROGRAM = """
import sys
from sqlalchemy import create_engine
from intake.mailings import submit_mailing
from intake.options import Options
from intake.recipients.recipient import Recipient
from worker.recipients.policy import FrequencyCap, RecipientPolicy

ann = Recipient(first_name="Ann", last_name="Lee", address1="12 Oak St", city="Boston", state="MA", zip_code="02108")
options = Options(template_id=1001, sparing=RecipientPolicy(cap=FrequencyCap(2, 30)))
engine = create_engine(sys.argv[1])
sys.stdin.readline()
for n in range(8):
    print(submit_mailing(engine, [ann], options, key=f"{sys.argv[2]}:{n}").mailing_id, flush=True)
"""


def submitted_by_two_processes(address: str) -> list[int]:
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", PROGRAM, address, str(n)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            text=True,
        )
        for n in range(2)
    ]
    return [int(word) for one in processes for word in one.communicate("go\n", timeout=60)[0].split()]


def test_sixteen_submissions_at_once_do_not_get_past_the_cap(post: Any) -> None:
    mailings = submitted_by_two_processes(post.context.settings.database_url)
    assert len(mailings) == 16
    post.at = datetime.now(UTC)
    together = threading.Barrier(16)

    def attach(mailing_id: int) -> None:
        together.wait()
        process(post.context, [mailing_id], Stage.ATTACH, RunBudget(stopping=True))

    for mailing_id in mailings:
        process(post.context, [mailing_id], Stage.CREATE, RunBudget(stopping=True))
    threads = [threading.Thread(target=attach, args=(one,)) for one in mailings]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)

    with post.engine.connect() as connection:
        found = connection.execute(select(Recipient.outcome, func.count()).group_by(Recipient.outcome))
        assert {row[0].value: row[1] for row in found} == {"accepted": 2, "capped": 14}
    assert post.totals()["liveDrafts"] == 2
