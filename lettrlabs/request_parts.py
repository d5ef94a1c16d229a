"""Parts of a request: its JSON body, and the lists of ids in a query."""

from collections.abc import Sequence

from lettrlabs.outcomes import Scalar
from lettrlabs.wire.base import Sent


def encode_body(body: Sent, *, whole: bool = False) -> bytes:
    """Return a request's JSON body; `whole` sends members that are null as well."""
    return body.model_dump_json(by_alias=True, exclude_none=not whole).encode()


def id_list(order_ids: Sequence[int]) -> dict[str, Scalar]:
    """Return the query by which several orders are asked for at once."""
    return {"Id": ",".join(map(str, order_ids))}
