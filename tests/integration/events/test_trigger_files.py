"""The file that declares triggers: checked whole, loaded whole, and never a traceback."""

import tomllib
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from intake.errors import IntakeError
from intake.events.trigger_files import TriggersError, declared, in_force, load, read_triggers
from intake.events.triggers import ActiveTrigger, TriggerDefinition
from models import Budget, BudgetScope

GOOD = """
[[trigger]]
name = "welcome"
on = "com.example.signup"
template = 1001
approval = { over = 50.00 }
budget = { per_day = 100.00 }
delay = "3 days"
quiet_days = ["Sunday", 2026-12-25]
zone = "America/Chicago"
cap = "1/30"

[trigger.when]
"data.plan" = "pro"
"data.total" = { at_least = 20 }

[trigger.gather]
count = 100
age = "1 day"
mail_by = 2026-12-01

[trigger.recipient]
full_name = "data.name"
address1 = "data.street"
city = "data.city"
state = "data.state"
zip_code = "data.zip"

[trigger.merge]
custom1 = { text = "Hello" }
custom2 = "data.plan"
"""


def problems_in(text: str) -> list[str]:
    with pytest.raises(TriggersError) as error:
        declared(tomllib.loads(text), "triggers.toml")
    return str(error.value).splitlines()


def test_a_declaration_comes_back_from_the_database_as_it_was() -> None:
    (one,) = declared(tomllib.loads(GOOD), "triggers.toml")

    assert TriggerDefinition.model_validate(one.told()) == one


@pytest.mark.parametrize(
    ("said", "instead", "problem"),
    [
        ('"3 days"', '"soon"', 'delay: is written such as "90 minutes"'),
        ('"3 days"', '"999 weeks"', "delay: is written such as"),
        ("template = 1001", 'template = "x"', "template: must be a valid integer"),
        ("template = 1001", "template = 1001\nfoo = 1", "foo: is not known here"),
        ("{ at_least = 20 }", "{ at_leest = 20 }", "when.data.total.at_leest: is not known here"),
        ("{ at_least = 20 }", "{}", "when.data.total: says nothing that could be tested"),
        ("{ at_least = 20 }", "{ above = nan }", "when.data.total.above: must be a finite number"),
        ('"data.total"', '"import os"', 'a place in the event is written such as "data.customer.email"'),
        ("{ over = 50.00 }", '"maybe"', 'approval: must be "auto", "required" or an amount'),
        ("{ over = 50.00 }", "{ over = -1 }", "approval.over: must be greater than or equal to 0"),
        ("{ per_day = 100.00 }", "{ per_day = nan }", "budget.per_day: must be a finite number"),
        ("{ per_day = 100.00 }", "{}", "budget: limits nothing"),
        (
            "{ per_day = 100.00 }",
            '{ per_day = "250,00" }',
            "per_day: must be an amount of money such as 250.00",
        ),
        ("{ per_day = 100.00 }", '{ per_day = "1_0" }', "per_day: must be an amount of money such as 250.00"),
        ("{ over = 50.00 }", '{ over = "1.000,50" }', "a comma may only group thousands"),
        ('age = "1 day"\nmail_by = 2026-12-01', "", "gather: needs an age or a mail_by date"),
        ("count = 100", "count = 5000", "gather.count: must be less than or equal to 1000"),
        ("America/Chicago", "America/Chicgo", "did you mean America/Chicago?"),
        ('["Sunday", 2026-12-25]', '["Someday"]', "is a day of the week"),
        ("full_name", "fullname", 'recipient: knows no field "fullname"'),
        ('zip_code = "data.zip"\n', "", "recipient: says nothing about zip_code"),
        ('full_name = "data.name"\n', "", "recipient: needs one of first_name"),
        ("custom2", "custom7", 'merge: knows no field "custom7"'),
        ('"1/30"', '"often"', "cap: must be pieces/days"),
        ('name = "welcome"', 'name = "Wel come"', "name:"),
    ],
)
def test_each_mistake_is_told_with_its_place(said: str, instead: str, problem: str) -> None:
    assert said in GOOD

    problems = problems_in(GOOD.replace(said, instead))

    assert any(problem in line for line in problems), problems


def test_everything_wrong_in_a_file_is_told_at_once() -> None:
    bad = GOOD.replace('"3 days"', '"soon"').replace("1001", "0").replace('"1/30"', '"x"')

    assert [line.split(": ")[1] for line in problems_in(bad)] == ["template", "delay", "cap"]


def test_all_week_long_rest_is_refused() -> None:
    week = '["mon", "tue", "wed", "thu", "fri", "sat", "sun"]'

    assert "leave no day" in problems_in(GOOD.replace('["Sunday", 2026-12-25]', week))[0]


def test_two_triggers_of_one_name_are_refused() -> None:
    assert problems_in(GOOD + GOOD) == ["trigger welcome: there are two of this name"]


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"", "declares no trigger: it is made of [[trigger]] tables."),
        (b"\xff\xfe", "is not UTF-8 text."),
        (b"[[trigger]", "is not TOML"),
        (b"trigger = 1", "declares no trigger"),
        (b"[[triggers]]", 'has a part "triggers"'),
        (b"trigger = [1, 2]", "trigger 1:"),
        (b"a=" + b"[" * 5000 + b"]" * 5000, "is not TOML"),
    ],
)
def test_a_file_that_declares_nothing_is_refused_in_a_line(
    tmp_path: Path, content: bytes, problem: str
) -> None:
    path = tmp_path / "triggers.toml"
    path.write_bytes(content)

    with pytest.raises(TriggersError) as error:
        read_triggers(path)

    assert problem in str(error.value)


_JSONISH = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20) | st.dates(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=12), inner, max_size=3),
    max_leaves=6,
)
_KEYS = st.sampled_from([*TriggerDefinition.model_fields, "foo"])


GOOD_YAML = """
trigger:
  - name: welcome
    on: com.example.signup
    template: 1001
    approval: {over: 50.5}
    quiet_days: [Sunday, 2026-12-25]
    when: {data.total: {at_least: 20}}
    recipient: {full_name: data.name, address1: data.street, city: data.city, state: data.state, zip_code: data.zip}
"""
SAME_TOML = """
[[trigger]]
name = "welcome"
on = "com.example.signup"
template = 1001
approval = { over = 50.5 }
quiet_days = ["Sunday", 2026-12-25]
when = { "data.total" = { at_least = 20 } }

[trigger.recipient]
full_name = "data.name"
address1 = "data.street"
city = "data.city"
state = "data.state"
zip_code = "data.zip"
"""


@pytest.mark.parametrize("suffix", [".yaml", ".yml"])
def test_yaml_declares_what_toml_does(tmp_path: Path, suffix: str) -> None:
    yaml, toml = tmp_path / f"triggers{suffix}", tmp_path / "triggers.toml"
    yaml.write_text(GOOD_YAML)
    toml.write_text(SAME_TOML)

    assert read_triggers(yaml) == read_triggers(toml)


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        ("trigger: [", "is not YAML"),
        ("a: b: c", "is not YAML: mapping values are not allowed here (at line 1, column 5)"),
        ("trigger: !!python/object:os.system x", "is not YAML: could not determine a constructor"),
        ("[" * 5000, "is not YAML"),
        ("- 1", "declares no trigger"),
        ("", "declares no trigger"),
        ("trigger: welcome", "declares no trigger"),
        ("date: 2026-13-40", "is not YAML"),
    ],
)
def test_yaml_that_declares_nothing_is_refused_in_a_line(tmp_path: Path, content: str, problem: str) -> None:
    path = tmp_path / "triggers.yaml"
    path.write_text(content)

    with pytest.raises(TriggersError) as error:
        read_triggers(path)

    assert problem in str(error.value)
    assert len(str(error.value).splitlines()) == 1


@settings(max_examples=80, deadline=None, database=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.dictionaries(_KEYS, _JSONISH, max_size=6))
def test_whatever_a_table_holds_it_is_declared_or_refused_in_words(changes: dict[str, Any]) -> None:
    (table,) = tomllib.loads(GOOD)["trigger"]

    try:
        (one,) = declared({"trigger": [{**table, **changes}]}, "triggers.toml")
    except TriggersError as error:
        lines = str(error).splitlines()
        if not all(line.startswith("trigger ") for line in lines):
            raise
    else:
        assert TriggerDefinition.model_validate(one.told()) == one


_SCRAPS = st.one_of(
    st.sampled_from(
        ["[[trigger]]", "[trigger.when]", '"', "=", "\n", "{ text = 1 }", "nan", "1e999", "2026-13-40"]
    ),
    st.text(max_size=8),
).map(str.encode) | st.binary(max_size=8)


@settings(
    max_examples=150,
    deadline=None,
    database=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
@given(st.lists(st.tuples(st.integers(0, len(GOOD)), st.integers(0, 30), _SCRAPS), max_size=4))
def test_however_a_file_is_damaged_it_is_used_or_refused_in_words(
    tmp_path: Path, damage: list[tuple[int, int, bytes]]
) -> None:
    content = GOOD.encode()
    for at, gone, scrap in damage:
        content = content[:at] + scrap + content[at + gone :]
    path = tmp_path / "triggers.toml"
    path.write_bytes(content)

    try:
        found = read_triggers(path)
    except TriggersError as error:
        if not all(line and line.isprintable() for line in str(error).splitlines()):
            raise
    else:
        assert [TriggerDefinition.model_validate(one.told()) for one in found] == list(found)


@settings(max_examples=150, deadline=None, database=None)
@given(_JSONISH)
def test_whatever_an_event_holds_a_trigger_answers_or_does_not(data: Any) -> None:
    (one,) = declared(tomllib.loads(GOOD), "triggers.toml")
    trigger = ActiveTrigger(1, 1, one)
    event = {"type": "com.example.signup", "data": data, "time": "2026-11-22T09:30:00Z"}

    trigger.answers(event)
    trigger.recipient(event)
    trigger.mail_by(event)


def test_loading_gives_versions_and_retires_what_is_gone(shop: Any, a_trigger: Any) -> None:
    shop.declare(a_trigger(), a_trigger(name="gift"))
    shop.declare(a_trigger(), a_trigger(name="gift", template=1002))
    shop.declare(a_trigger(name="gift", template=1002))

    with shop.engine.connect() as connection:
        found = {one.declared.name: one.version for one in in_force(connection)}
    assert found == {"gift": 2}


def test_a_retired_trigger_comes_back_under_a_new_version(shop: Any, a_trigger: Any) -> None:
    shop.declare(a_trigger(), a_trigger(name="gift"))
    shop.declare(a_trigger(name="gift"))
    shop.declare(a_trigger(), a_trigger(name="gift"))

    with shop.engine.connect() as connection:
        assert [one.version for one in in_force(connection)] == [1, 2]


def test_a_declared_budget_is_set_and_one_that_is_not_declared_stays(shop: Any, a_trigger: Any) -> None:
    shop.declare(a_trigger(budget={"per_day": 100, "per_piece": 1.5}))
    shop.declare(a_trigger())

    with shop.engine.connect() as connection:
        budget = connection.execute(Budget.__table__.select()).one()
    assert (budget.purse, float(budget.per_day), float(budget.per_piece)) == (BudgetScope.TRIGGER, 100.0, 1.5)


def test_a_suppression_list_that_there_is_not_keeps_the_whole_file_out(shop: Any, a_trigger: Any) -> None:
    with pytest.raises(IntakeError, match='no suppression list "vips"'):
        shop.declare(a_trigger(name="first"), a_trigger(suppress=["vips"]))

    with shop.engine.connect() as connection:
        assert in_force(connection) == []
        assert load(connection, (), "tests", shop.at) == []
