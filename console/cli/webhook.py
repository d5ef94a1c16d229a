"""Webhooks: who is told what happens to mailings."""
# ruff: noqa: PLC0415 - see console/cli/__init__.py

from typing import Annotated

import typer

from console.cli.options import AsJson, Limit, group

app = group("Tell other programs what happens.")

WebhookId = Annotated[int, typer.Argument(metavar="ID", min=1, help="The webhook's number.")]


@app.command()
def add(
    url: Annotated[str, typer.Argument(metavar="URL", help="Where notices are posted to, https://…")],
    kinds: Annotated[
        list[str] | None, typer.Option("--kind", help="What to tell, such as mailing.sent; several, or all.")
    ] = None,
) -> None:
    """Add a webhook and print the secret that its notices are signed with."""
    from console.actions.webhooks import add_webhook

    add_webhook(url, kinds or [])


@app.command("list")
def list_(*, as_json: AsJson = False) -> None:
    """List the webhooks, and how they are doing."""
    from console.actions.webhooks import list_webhooks

    list_webhooks(as_json=as_json)


@app.command()
def show(webhook_id: WebhookId, *, limit: Limit = 20, as_json: AsJson = False) -> None:
    """Show the newest notices of a webhook: when they were taken, or why not."""
    from console.actions.webhooks import show_webhook

    show_webhook(webhook_id, limit, as_json=as_json)


@app.command()
def enable(webhook_id: WebhookId) -> None:
    """Enable a webhook again; what it missed is sent."""
    from console.actions.webhooks import enable_webhook

    enable_webhook(webhook_id)


@app.command()
def remove(webhook_id: WebhookId) -> None:
    """Remove a webhook with its notices."""
    from console.actions.webhooks import remove_webhook

    remove_webhook(webhook_id)


@app.command()
def rotate(webhook_id: WebhookId) -> None:
    """Print a new secret for a webhook; notices are signed with it and with the one before."""
    from console.actions.webhooks import rotate_secret

    rotate_secret(webhook_id)


@app.command()
def replay(
    webhook_id: WebhookId,
    hours: Annotated[int, typer.Option(min=1, max=8760, help="How far back.")] = 24,
    *,
    everything: Annotated[bool, typer.Option("--all", help="Those that were taken, too.")] = False,
) -> None:
    """Send notices again: those that were given up, or with --all every one."""
    from console.actions.webhooks import replay_notices

    replay_notices(webhook_id, hours, everything=everything)
