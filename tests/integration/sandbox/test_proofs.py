from __future__ import annotations

import base64
import io
from http import HTTPStatus
from typing import TYPE_CHECKING

from pypdf import PdfReader

if TYPE_CHECKING:
    from conftest import Person, Sandbox


def _pages(sandbox: Sandbox, path: str) -> list[str]:
    answer = sandbox.vendor.get(path)
    assert answer.status_code == HTTPStatus.OK
    pdf = base64.b64decode(answer.json(), validate=True)
    assert pdf.startswith(b"%PDF-")
    return [page.extract_text() for page in PdfReader(io.BytesIO(pdf)).pages]


def test_a_proof_is_a_pdf_of_the_card_with_the_recipients_merge_fields(
    sandbox: Sandbox, person: Person
) -> None:
    order = sandbox.draft(person(1), person(2))
    second = sandbox.payload(sandbox.vendor.get(f"/order/{order}/recipients"))["recipients"][1]["id"]

    front, back = _pages(sandbox, f"/order/{order}/proof/{second}")

    assert "Thank you card" in front
    assert "Dear Ann2" in back
    assert "Offer 2." in back
    assert "2 Oak Street" in back


def test_the_plain_proof_shows_the_first_recipient_or_the_empty_places(
    sandbox: Sandbox, person: Person
) -> None:
    order = sandbox.draft()
    _, empty = _pages(sandbox, f"/order/{order}/proof")
    sandbox.vendor.put(f"/order/{order}/recipients", json=[person(1), person(2)]).raise_for_status()
    _, filled = _pages(sandbox, f"/order/{order}/proof")

    assert "{{firstName}}" in empty
    assert "Ann1" in filled


def test_the_same_card_has_the_same_bytes_and_another_card_has_others(
    sandbox: Sandbox, person: Person
) -> None:
    one, same, other = sandbox.draft(person(1)), sandbox.draft(person(1)), sandbox.draft(person(2))

    proofs = [sandbox.vendor.get(f"/order/{order}/proof").content for order in (one, same, other)]

    assert proofs[0] == proofs[1] != proofs[2]


def test_a_name_beyond_latin_letters_can_still_be_proofed(sandbox: Sandbox, person: Person) -> None:
    order = sandbox.draft(person(1, firstName="Zoë Łukaszč 王"))

    _, back = _pages(sandbox, f"/order/{order}/proof")

    assert "Zoë" in back


def test_there_is_no_proof_of_somebody_else(sandbox: Sandbox, person: Person) -> None:
    order = sandbox.draft(person())

    assert sandbox.vendor.get(f"/order/{order}/proof/1").status_code == HTTPStatus.NOT_FOUND
