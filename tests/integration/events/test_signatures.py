"""Signatures: what a secret signed is known by every secret that is in use, and nothing else is."""

import base64
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from worker.webhooks.signatures import SignatureError, fresh_secret, require_secret, sign, verify

SECRET, OTHER = fresh_secret(), fresh_secret()
BODY = b'{"a": 1}'


def signed(*secrets: str, at: datetime | None = None, body: bytes = BODY) -> dict[str, str]:
    return sign(secrets, "msg_1", at or datetime.now(UTC), body.decode())


def refusal(headers: dict[str, str], body: bytes = BODY, *secrets: str) -> str:
    with pytest.raises(SignatureError) as error:
        verify(secrets or (SECRET,), headers, body)
    return str(error.value)


def test_what_one_secret_signed_is_known_by_it() -> None:
    verify([SECRET], signed(SECRET), BODY)


def test_either_secret_does_while_one_takes_over_from_the_other() -> None:
    verify([OTHER, SECRET], signed(SECRET), BODY)
    verify([SECRET], signed(OTHER, SECRET), BODY)


def test_a_time_in_another_zone_is_the_same_moment() -> None:
    east = timezone(timedelta(hours=9))

    assert signed(SECRET, at=datetime.now(east))["webhook-timestamp"] == str(
        int(datetime.now(UTC).timestamp())
    )
    verify([SECRET], signed(SECRET, at=datetime.now(east)), BODY)


def test_the_schemes_own_example_is_signed_as_it_says() -> None:
    # From the specification's reference implementation, libraries/python/tests.
    at = datetime(2021, 2, 25, 22, 17, 19, tzinfo=UTC)
    headers = sign(
        ["whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"], "msg_p5jXN8AQM9LWM0D4loKWxJek", at, '{"test": 2432232314}'
    )

    assert headers["webhook-timestamp"] == "1614291439"
    assert headers["webhook-signature"].startswith("v1,")
    assert len(base64.b64decode(headers["webhook-signature"][3:])) == 32


@pytest.mark.parametrize("minutes", [-6, 6])
def test_what_is_older_or_newer_than_five_minutes_is_refused(minutes: int) -> None:
    at = datetime.now(UTC) + timedelta(minutes=minutes)

    assert "five minutes" in refusal(signed(SECRET, at=at))


@pytest.mark.parametrize("minutes", [-4.9, 4.9])
def test_a_clock_that_is_five_minutes_off_at_most_is_borne_with(minutes: float) -> None:
    verify([SECRET], signed(SECRET, at=datetime.now(UTC) + timedelta(minutes=minutes)), BODY)


def test_another_body_or_another_secret_is_refused() -> None:
    assert "another secret or over another body" in refusal(signed(SECRET), b'{"a": 2}')
    assert "another secret" in refusal(signed(OTHER))


@pytest.mark.parametrize(
    ("header", "value", "problem"),
    [
        ("webhook-id", "", "webhook-id missing"),
        ("webhook-timestamp", "soon", "not a number of seconds"),
        ("webhook-timestamp", "nan", "not a number of seconds"),
        ("webhook-timestamp", "9" * 400, "not a number of seconds"),
        ("webhook-signature", "v1", "holds no signature"),
        ("webhook-signature", "v1,", "holds no signature"),
        ("webhook-signature", "v1,%%%", "holds no signature"),
        ("webhook-signature", "v2,AAAA", "holds no signature"),
        ("webhook-signature", "v1,AAAA,BBBB", "holds no signature"),
        ("webhook-signature", "v1,é", "holds no signature"),
        ("webhook-signature", "v1," + "A" * 4000, "too long"),
    ],
)
def test_a_malformed_header_is_refused_in_words(header: str, value: str, problem: str) -> None:
    assert problem in refusal(signed(SECRET) | {header: value})


def test_a_body_that_is_no_text_is_refused() -> None:
    assert "not UTF-8" in refusal(signed(SECRET), b"\xff")


def test_a_usable_signature_among_unusable_ones_is_found() -> None:
    headers = signed(SECRET)
    headers["webhook-signature"] = f"v1a,xx v1,%% {headers['webhook-signature']}"

    verify([SECRET], headers, BODY)


@settings(max_examples=200, deadline=None, database=None)
@given(st.text(max_size=40), st.text(max_size=40), st.text(max_size=60), st.binary(max_size=40))
def test_whatever_stands_in_the_headers_nobody_gets_in(one: str, two: str, three: str, body: bytes) -> None:
    headers = {"webhook-id": one, "webhook-timestamp": two, "webhook-signature": three}

    assert refusal(headers, body)
    assert refusal(signed(SECRET) | {"webhook-signature": three}, body)


@pytest.mark.parametrize(
    "secret", ["", "whsec_", "whsec_%%%", "whsec_AAAA", "AAAA" * 10, "whsec_" + "A" * 400]
)
def test_a_secret_that_protects_nothing_is_refused_unquoted(secret: str) -> None:
    with pytest.raises(ValueError, match="a secret is whsec_ and the base64"):
        require_secret(secret)
