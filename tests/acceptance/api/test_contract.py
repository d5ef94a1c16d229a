"""The OpenAPI document is kept: whatever it allows or forbids, no answer is a 5xx or breaks it."""

import uuid
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

import requests
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis.errors import Unsatisfiable
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    negative_data_rejection,
    response_schema_conformance,
    status_code_conformance,
    unsupported_method,
)

from worker.webhooks.signatures import sign

CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
    negative_data_rejection,
    unsupported_method,
]
EXAMPLES = 12


def test_no_request_breaks_the_contract(web_process: Any) -> None:
    web = web_process()
    schema = schemathesis.openapi.from_url(f"{web.url}/openapi.json")
    for found in schema.get_all_operations():
        operation = found.ok()
        for mode in (GenerationMode.POSITIVE, GenerationMode.NEGATIVE):
            run(web, operation, mode)
    assert "Traceback" not in web.program.said()
    assert "web_broke" not in web.program.said()


def run(web: Any, operation: Any, mode: GenerationMode) -> None:
    takes_events = operation.path == "/v1/events" and operation.method.upper() == "POST"
    # The signature is made over what was generated, which mends the headers that were to be wrong.
    checks = [check for check in CHECKS if not takes_events or check is not negative_data_rejection]

    @settings(
        max_examples=EXAMPLES,
        deadline=None,
        database=None,
        derandomize=True,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(operation.as_strategy(generation_mode=mode))
    def check(case: Any) -> None:
        headers = signed(web, case) if takes_events else {"authorization": f"Bearer {web.token}"}
        case.call_and_validate(base_url=web.url, headers=headers, checks=checks, timeout=30)

    # What takes neither parameters nor a body cannot be asked wrongly.
    with suppress(Unsatisfiable):
        check()


def signed(web: Any, case: Any) -> dict[str, str]:
    sent = case.as_transport_kwargs(base_url=web.url)
    known = {"method", "url", "headers", "json", "data", "params"}
    body = requests.Request(**{name: sent[name] for name in known & sent.keys()}).prepare().body or b""
    text = body if isinstance(body, str) else body.decode(errors="replace")
    return sign([web.secret], f"msg_{uuid.uuid4().hex}", datetime.now(UTC), text)
