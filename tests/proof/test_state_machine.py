"""Random interleavings of everything that can happen: the promises hold after every step, and all ends well."""

from pathlib import Path

import hypothesis.configuration
import pytest
from hypothesis import HealthCheck, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.proof.state_machine.machine import MailingMachine
from tests.proof.state_machine.rig import Harness

_ALWAYS = settings(
    database=None,
    deadline=None,
    print_blob=False,
    stateful_step_count=30,
    suppress_health_check=list(HealthCheck),
)


@pytest.fixture(autouse=True)
def _nothing_left_behind(tmp_path: Path) -> None:
    hypothesis.configuration.set_hypothesis_home_dir(tmp_path)


def _prove(rig: Harness, how: settings) -> None:
    MailingMachine.rig = rig
    run_state_machine_as_test(MailingMachine, settings=how)


def test_whatever_happens_in_whatever_order_each_person_gets_one_piece(rig: Harness) -> None:
    _prove(rig, settings(_ALWAYS, derandomize=True, max_examples=50))


@pytest.mark.chaos
def test_it_holds_for_thousands_of_interleavings(rig: Harness) -> None:
    _prove(rig, settings(_ALWAYS, max_examples=3000))
