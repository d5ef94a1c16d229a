"""What needs a person because it is not known what is right."""
# ruff: noqa: PLC0415 - see console/cli/__init__.py

from typing import Annotated

import typer

from console.cli.options import Actor, AsJson, Limit, MailingId, group

app = group("See what needs a person, and resolve it.")


@app.command("list")
def list_(*, limit: Limit = 50, as_json: AsJson = False) -> None:
    """List everything that waits for a person: attention, approvals and failed campaigns, with what can be done."""
    from console.waiting import list_waiting

    list_waiting(limit, as_json=as_json)


@app.command()
def show(mailing_id: MailingId, *, as_json: AsJson = False) -> None:
    """Show why a mailing needs attention, what was seen, and what can be done."""
    from console.actions.attention import show_asking

    show_asking(mailing_id, as_json=as_json)


@app.command()
def resolve(
    mailing_id: MailingId,
    *,
    why: Annotated[str, typer.Option(help="What you found out; kept in the mailing's timeline.")],
    retry: Annotated[bool, typer.Option("--retry", help="Go on where it stopped.")] = False,
    pay_again: Annotated[
        bool, typer.Option("--pay-again", help="The payment failed: check out again.")
    ] = False,
    sent: Annotated[bool, typer.Option("--sent", help="You know that it is paid.")] = False,
    failed: Annotated[
        bool, typer.Option("--failed", help="You know that it is not, and give it up.")
    ] = False,
    cancel: Annotated[bool, typer.Option("--cancel", help="Delete its draft and end it.")] = False,
    accept: Annotated[
        bool, typer.Option("--accept", help="The quote, or the charges, are right all the same.")
    ] = False,
    from_now_on: Annotated[
        bool, typer.Option("--from-now-on", help="With --accept: this kind of difference, for the account.")
    ] = False,
    actor: Actor = None,
) -> int:
    """Say what is to become of a mailing that needs attention: exactly one of the options."""
    from console.actions.attention import resolve

    chosen = {"retry": retry, "pay again": pay_again, "sent": sent, "failed": failed, "cancel": cancel}
    chosen["accept"] = accept
    ways = [way for way, wanted in chosen.items() if wanted]
    return resolve(mailing_id, ways, why, actor, from_now_on=from_now_on)


@app.command()
def accepted(*, as_json: AsJson = False) -> None:
    """List the kinds of difference in money that are accepted for the account."""
    from console.actions.attention import show_accepted

    show_accepted(as_json=as_json)


@app.command()
def revoke(
    number: Annotated[int, typer.Argument(min=1, help="The number in `mailrun attention accepted`.")],
    *,
    why: Annotated[str, typer.Option(help="Why it is taken back; kept with the decision.")],
    actor: Actor = None,
) -> int:
    """Take back the acceptance of a kind of difference: from now on it needs attention again."""
    from console.actions.attention import revoke_accepted

    return revoke_accepted(number, why, actor)
