"""What people decide: about single mailings, and about everything."""
# ruff: noqa: PLC0415 - see console/commands/__init__.py

from console.commands.options import MailingIds, group

app = group("Decide.")
_PANEL = "Decide"


@app.command(rich_help_panel=_PANEL)
def approve(mailing_ids: MailingIds) -> int:
    """Agree to the price of orders that wait for it: they are paid and mailed."""
    from console.commanding import approve_mailings

    return approve_mailings(mailing_ids)


@app.command(rich_help_panel=_PANEL)
def cancel(mailing_ids: MailingIds) -> int:
    """Cancel orders that are not checked out yet; their drafts are deleted."""
    from console.commanding import cancel_mailings

    return cancel_mailings(mailing_ids)


@app.command(rich_help_panel=_PANEL)
def pause() -> None:
    """Let nothing more be created, attached or paid, until `mailrun resume`."""
    from console.commanding import pause

    pause(None)


@app.command(rich_help_panel=_PANEL)
def resume() -> None:
    """Take the pause of everything back."""
    from console.commanding import resume

    resume(None)
