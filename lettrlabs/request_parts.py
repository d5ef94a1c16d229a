"""Parts of requests and answers: JSON bodies, lists of ids in a query, JSON objects."""

from collections.abc import Sequence
from typing import Any

from lettrlabs.outcomes import Scalar
from lettrlabs.wire.base import Sent


def encode_body(body: Sent, *, whole: bool = False) -> bytes:
    """Return a request's JSON body; `whole` sends members that are null as well."""
    return body.model_dump_json(by_alias=True, exclude_none=not whole).encode()


def id_list(order_ids: Sequence[int]) -> dict[str, Scalar]:
    """Return the query by which several orders are asked for at once."""
    return {"Id": ",".join(map(str, order_ids))}


def json_object(payload: object) -> dict[str, Any]:
    """Return a payload that must be a JSON object; raises ValueError."""
    if not isinstance(payload, dict):
        raise ValueError("a document is an object")  # noqa: TRY004 - an answer that is not one, as for any parser
    return payload
