"""What the vendor's answers about templates mean for a campaign that is about to be queued."""

import json
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from pydantic import SecretStr

from console.errors import CommandError
from console.vendor_check import check_vendor
from worker.settings import SANDBOX_KEY, Settings

Answers = dict[str, tuple[int, object]]
Check = Callable[[Answers], list[str]]

KNOWN = {"payload": [{"id": 7, "name": "Card"}]}


@pytest.fixture
def check() -> Iterator[Check]:
    """Return a function that checks template 5 at a vendor with these answers, and returns what it said."""
    servers: list[ThreadingHTTPServer] = []

    def run(answers: Answers) -> list[str]:
        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                status, body = answers.get(self.path.removeprefix("/api/v1"), (200, {"payload": {}}))
                raw = json.dumps(body).encode()
                self.send_response(status)
                self.send_header("Content-Length", str(len(raw)))
                self.end_headers()
                self.wfile.write(raw)

            def log_message(self, *_: object) -> None:
                pass

        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        servers.append(server)
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        url = f"http://127.0.0.1:{server.server_port}/api"
        said: list[str] = []
        check_vendor(
            Settings(base_url=url, api_key=SecretStr(SANDBOX_KEY)), 5, said.append, keep_trying=False
        )
        return said

    yield run
    for server in servers:
        server.shutdown()
        server.server_close()


@pytest.mark.parametrize("status", [400, 403, 404, 405, 410])
@pytest.mark.parametrize("listed", [(403, ""), (404, ""), (200, {"payload": {}}), (200, {"payload": []})])
def test_a_template_that_cannot_be_looked_up_is_sent_with_a_warning(
    status: int, listed: tuple[int, object], check: Check
) -> None:
    said = check({"/templates/5": (status, ""), "/templates": listed})

    assert len(said) == 1
    assert "template 5" in said[0]
    assert "not checked" in said[0]


def test_a_template_on_the_list_needs_no_warning(check: Check) -> None:
    listed = {"payload": [{"id": 5, "name": "Card"}]}

    assert check({"/templates/5": (403, ""), "/templates": (200, listed)}) == []


def test_a_template_that_is_missing_from_the_list_is_refused(check: Check) -> None:
    with pytest.raises(CommandError, match="no template 5 in this account; there are: 7 Card"):
        check({"/templates/5": (404, ""), "/templates": (200, KNOWN)})


def test_a_bad_key_is_refused_wherever_it_shows(check: Check) -> None:
    with pytest.raises(CommandError, match="does not know this key"):
        check({"/templates/5": (401, "")})
