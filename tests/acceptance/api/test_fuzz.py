"""Whatever comes over HTTP is taken, or refused in words with nothing stored; never an error of our own."""

import json
import uuid
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from models import Campaign, Event, Mailing, Recipient
from tests.acceptance.api.conftest import LIST, count
from worker.webhooks.signatures import HEADERS, sign

fuzzed = settings(
    max_examples=80, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
EVENT: dict[str, Any] = {"specversion": "1.0", "id": "1", "source": "shop", "type": "t", "data": {}}
KINDS = st.sampled_from(
    [
        "application/cloudevents+json",
        "application/cloudevents-batch+json",
        "application/json",
        "application/json; charset=latin-1",
        "text/plain",
        "",
    ]
)
# What may stand in a header at all: anything else the client's own library refuses to send.
WORDS = st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=1, max_size=40)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=10),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
CHANGED = st.dictionaries(st.sampled_from([*EVENT, "time", "datacontenttype", "x", "X"]), JSON, max_size=3)
BODIES = st.one_of(
    st.binary(max_size=60),
    JSON.map(lambda one: json.dumps(one).encode()),
    CHANGED.map(lambda changes: json.dumps({**EVENT, **changes}).encode()),
    st.lists(CHANGED, max_size=3).map(
        lambda several: json.dumps([{**EVENT, **changes} for changes in several]).encode()
    ),
)


def stored(api: Any) -> list[int]:
    return [count(api, table) for table in (Event, Campaign, Mailing, Recipient)]


def refused_in_words(answer: httpx.Response) -> bool:
    """Return whether it was refused; fails the test if it was, and not as it should be."""
    assert answer.status_code < 500, answer.text
    if answer.is_success:
        return False
    told = answer.json()
    assert answer.headers["content-type"] == "application/problem+json"
    assert told["detail"]
    assert "Traceback" not in answer.text
    return True


@fuzzed
@given(
    body=BODIES, kind=KINDS, attributes=st.dictionaries(st.sampled_from(["id", "specversion", "x"]), WORDS)
)
def test_a_signed_body_is_an_event_or_is_refused(
    api: Any, caplog: pytest.LogCaptureFixture, body: bytes, kind: str, attributes: dict[str, str]
) -> None:
    before = stored(api)
    try:
        signed = sign([api.secret], f"msg_{uuid.uuid4().hex}", datetime.now(UTC), body.decode())
    except UnicodeDecodeError:
        signed = sign([api.secret], "msg", datetime.now(UTC), "")
    headers = {**signed, "content-type": kind, **{f"ce-{name}": value for name, value in attributes.items()}}

    if refused_in_words(api.client.post("/v1/events", content=body, headers=headers)):
        assert stored(api) == before
    assert "web_broke" not in caplog.text


@fuzzed
@given(changes=st.dictionaries(st.sampled_from(HEADERS), WORDS, min_size=1), body=BODIES)
def test_what_is_not_signed_rightly_is_refused(api: Any, changes: dict[str, str], body: bytes) -> None:
    headers = sign([api.secret], "msg_1", datetime.now(UTC), json.dumps(EVENT))
    headers |= {"content-type": "application/cloudevents+json", **changes}

    answer = api.client.post("/v1/events", content=body, headers=headers)

    assert refused_in_words(answer)
    assert answer.status_code == 401
    assert stored(api) == [0, 0, 0, 0]


@fuzzed
@given(
    body=st.one_of(
        st.binary(max_size=200),
        st.text(max_size=80).map(lambda text: (LIST + text).encode("utf-8", "surrogatepass")),
        st.lists(
            st.sampled_from(["Ann,", "Lee,", "1 Oak St,", "02108", '"', "\n", "\x00", ";", "\t"]), max_size=30
        ).map(lambda parts: (LIST + "".join(parts)).encode()),
    ),
    query=st.dictionaries(st.sampled_from(["template", "cap", "send_at", "name", "zone", "suppress"]), WORDS),
)
def test_an_uploaded_list_is_queued_or_refused(api: Any, body: bytes, query: dict[str, str]) -> None:
    before = stored(api)
    headers = {"content-type": "text/csv"}

    answer = api.client.post(
        "/v1/campaigns", params={"template": "1001", **query}, content=body, headers=headers
    )

    if refused_in_words(answer):
        assert stored(api) == before
        assert len(answer.json()["detail"].splitlines()) == 1
