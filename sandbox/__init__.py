"""A LettrLabs of your own: an independent server with the vendor's manners and, on request, its faults.

It answers the paths of the LettrLabs API over HTTP, keeps its orders through restarts, and tells in its
ledger what really happened, so that a claim such as "each person once" can be checked against another
party's books. It shares no type with the client and imports no other room: it can disagree with both.

What it does not promise: that the live service behaves the same. Paths, field names and state rules come
from the vendor's published pages. Prices, tax, delivery times, the texts of errors, how `duplicated` is
counted, the order of rows and every number of seconds are this room's own, chosen to be plausible or
awkward. Conversions, integration orders and QR scans are left out. It keeps names and
addresses in plain text in its state directory and believes anyone on the loopback interface: it is for
development, demonstrations and tests.
"""

DEFAULT_KEY = "LL-API-sandbox"  # the key that works unless another is set
NO_PLAN_KEY = "LL-API-noplan"  # a known key of an account without a plan: every call answers 403

__all__ = ["DEFAULT_KEY", "NO_PLAN_KEY"]
