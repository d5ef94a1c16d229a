"""The HTTP interface: events, mailings and campaigns come in, receipts go out. `docs/api.md` describes it."""
