"""What people decide: about single mailings, and about everything."""
# ruff: noqa: PLC0415 - see console/cli/__init__.py

from typing import Annotated

import typer

from console.cli.options import (
    Actor,
    ApproveYes,
    AsJson,
    DeliverBy,
    EachOrder,
    HoldMode,
    HoldUntil,
    IfLate,
    Limit,
    MailingIds,
    SendAt,
    Zone,
    group,
)

app = group("Decide.")
_PANEL = "Decide"


@app.command(rich_help_panel=_PANEL)
def approve(
    mailing_ids: MailingIds, *, actor: Actor = None, yes: ApproveYes = False, orders: EachOrder = False
) -> int:
    """Show people, proof, dates and price of orders that wait for approval, and ask: approved, they are paid."""
    from console.actions.cancellation import approve_mailings

    return approve_mailings(mailing_ids, actor, yes=yes, orders=orders)


@app.command(rich_help_panel=_PANEL)
def reject(
    mailing_ids: MailingIds,
    *,
    why: Annotated[str, typer.Option(help="What is wrong with it; kept with the order.")],
    actor: Actor = None,
) -> int:
    """Refuse orders that wait for approval: their drafts are deleted, the reason is kept."""
    from console.actions.cancellation import reject_mailings

    return reject_mailings(mailing_ids, why, actor)


@app.command(rich_help_panel=_PANEL)
def cancel(mailing_ids: MailingIds) -> int:
    """Cancel orders that are not checked out yet; their drafts are deleted."""
    from console.actions.cancellation import cancel_mailings

    return cancel_mailings(mailing_ids)


@app.command(rich_help_panel=_PANEL)
def reschedule(
    mailing_ids: MailingIds,
    *,
    send_at: SendAt = None,
    hold_until: HoldUntil = None,
    hold_mode: HoldMode = None,
    deliver_by: DeliverBy = None,
    zone: Zone = None,
    if_late: IfLate = None,
) -> int:
    """Give orders another time, as long as they are not being paid; what is not mentioned stays."""
    from console.actions.campaigns.calendar import reschedule
    from intake.schedule_options import ScheduleOptions

    asked = ScheduleOptions(
        send_at=send_at,
        hold_until=hold_until,
        hold_mode=hold_mode,
        deliver_by=deliver_by,
        if_late=if_late,
        zone=zone,
    )
    return reschedule(mailing_ids, asked)


@app.command(rich_help_panel="Send and follow")
def calendar(*, limit: Limit = 50, as_json: AsJson = False) -> None:
    """List what is due when, and why."""
    from console.actions.campaigns.calendar import show_calendar

    show_calendar(limit, as_json=as_json)


@app.command(rich_help_panel=_PANEL)
def pause() -> None:
    """Let nothing more be created, attached or paid, until `mailrun resume`."""
    from console.actions.cancellation import pause

    pause(None)


@app.command(rich_help_panel=_PANEL)
def resume() -> None:
    """Take the pause of everything back."""
    from console.actions.cancellation import resume

    resume(None)
