"""The names of query parameters: those that the settings make the vendor understand."""

from collections.abc import Mapping

from sandbox.settings import QueryNames

OLD_NAMES = {
    "OrderIds": "id",
    "OrderStatus": "status",
    "PostageType": "postage",
    "ProductionSpeed": "production",
    "HoldUntilDate": "holdUntilDate",
    "Skip": "skip",
    "Take": "take",
}
_PAGES = {"pageNumber", "pageSize"}
_OFFSETS = {"skip", "take"}


def understood(query: Mapping[str, str], names: QueryNames) -> Mapping[str, str]:
    """Return the parameters that the vendor understands, under their new names; others are ignored."""
    if names is QueryNames.NEW:
        return {name: value for name, value in query.items() if name not in _OFFSETS}
    ignored = _PAGES.union(OLD_NAMES.values())
    kept = {name: value for name, value in query.items() if name not in ignored}
    return kept | {new: query[old] for old, new in OLD_NAMES.items() if old in query}
