"""The states and moves, as the table says them and as the docs draw them."""

import re
from pathlib import Path
from typing import Final

from models import ENDED, OPEN, TRANSITIONS, Stage, State, Transition

CONCEPTS: Final = Path(__file__).parents[3] / "docs" / "concepts.md"
_ARROW: Final = re.compile(r"^ +(?P<old>\w+) --> (?P<new>\w+): (?P<moves>.+)$", re.MULTILINE)


def diagram() -> str:
    (drawn,) = re.findall(r"```mermaid\nstateDiagram-v2\n(.*?)```", CONCEPTS.read_text(), re.DOTALL)
    return str(drawn)


def test_the_diagram_draws_every_legal_move_and_no_other() -> None:
    drawn = {
        (Transition(move), State(arrow["old"]), State(arrow["new"]))
        for arrow in _ARROW.finditer(diagram())
        for move in arrow["moves"].split(", ")
    }

    assert drawn == {(move, *pair) for move, pairs in TRANSITIONS.items() for pair in pairs}


def test_the_diagram_begins_where_mailings_begin_and_ends_where_they_end() -> None:
    lines = diagram().splitlines()

    assert "    [*] --> queued" in lines
    assert {line.split()[0] for line in lines if line.endswith("--> [*]")} == set(ENDED)


def test_every_move_leads_somewhere() -> None:
    assert set(TRANSITIONS) == set(Transition)
    assert all(TRANSITIONS.values())


def test_only_the_vendors_own_change_moves_what_has_ended() -> None:
    moved = {move: pair for move, pairs in TRANSITIONS.items() for pair in pairs if pair[0] in ENDED}

    assert moved == {Transition.REOPEN: (State.SENT, State.ATTENTION)}


def test_every_state_can_be_reached_and_every_open_one_be_left() -> None:
    pairs = {pair for moved in TRANSITIONS.values() for pair in moved}

    assert {new for _, new in pairs} == set(State)
    assert {old for old, new in pairs if old is not new} == OPEN | {State.SENT}


def test_the_stages_are_in_the_order_they_are_done() -> None:
    assert list(Stage) == ["create", "attach", "proof", "summarize", "checkout", "settle"]


def test_every_word_of_the_glossary_that_names_a_stage_or_state_is_one() -> None:
    named = set(
        re.findall(r"`(\w+)`", "\n".join(re.findall(r"^\| (`.*?) \|", CONCEPTS.read_text(), re.MULTILINE)))
    )

    assert named == {*Stage, *State}
