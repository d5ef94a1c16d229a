"""The command tree of `mailrun`, and one run of a command."""

import sys
from collections.abc import Sequence
from importlib.metadata import version
from typing import Annotated, Final

import typer
from typer.core import TyperCommand, TyperGroup, TyperOption
from typer.exceptions import TyperException
from typer.main import get_command

from console.cli import (
    approvals,
    attention,
    campaign,
    event,
    ledger,
    mailing,
    orphans,
    person,
    suppression,
    trigger,
    up,
    web,
    webhook,
)
from console.errors import CommandError, UsageError

USAGE: Final = 2
INTERRUPTED: Final = 130

app = typer.Typer(
    name="mailrun",
    help="Send direct mail through LettrLabs: each person one piece, each order paid once.",
    epilog="Settings come from the environment and .env; see .env.example. Without a key all goes to a sandbox.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.add_typer(up.app)
app.add_typer(campaign.app, name="campaign", rich_help_panel="Send and follow")
app.add_typer(mailing.app, name="mailing", rich_help_panel="Send and follow")
app.add_typer(approvals.app)
app.add_typer(orphans.app)
app.add_typer(orphans.strays, name="strays", rich_help_panel="Decide")
app.add_typer(suppression.app, name="suppress", rich_help_panel="People")
app.add_typer(person.app, name="person", rich_help_panel="People")
app.add_typer(ledger.app)
app.add_typer(ledger.budget, name="budget", rich_help_panel="Money")
app.add_typer(web.app)
app.add_typer(web.token, name="token", rich_help_panel="Events and HTTP")
app.add_typer(trigger.app, name="trigger", rich_help_panel="Events and HTTP")
app.add_typer(event.app, name="event", rich_help_panel="Events and HTTP")
app.add_typer(webhook.app, name="webhook", rich_help_panel="Events and HTTP")
app.add_typer(attention.app, name="attention", rich_help_panel="Decide")


def _print_version(*, wanted: bool) -> None:
    if wanted:
        sys.stdout.write(f"mailrun {version('mailrun')}\n")
        raise typer.Exit


@app.callback()
def root(
    *,
    _version: Annotated[
        bool,
        typer.Option("--version", is_eager=True, callback=lambda given: _print_version(wanted=given)),
    ] = False,
) -> None:
    """Send direct mail through LettrLabs: each person one piece, each order paid once."""


def execute(arguments: Sequence[str]) -> int:
    """Run one command and return its exit code; every error becomes one line on stderr."""
    command = _command_tree()
    try:
        code = int(command.main(list(arguments), prog_name="mailrun", standalone_mode=False) or 0)
        sys.stdout.flush()
    except TyperException as error:
        message = error.format_message().rstrip(".")  # empty where the help was printed in its place
        return _complain(_with_help(message, command, arguments), USAGE) if message else USAGE
    except (typer.Abort, KeyboardInterrupt):
        code = INTERRUPTED
    except UsageError as complaint:
        return _complain(_with_help(str(complaint), command, arguments), USAGE)
    except CommandError as complaint:
        return _complain(str(complaint), complaint.exit_code)
    except Exception as error:  # noqa: BLE001 - the last resort: every error becomes one line
        return _explain(error, command, arguments)
    if code == INTERRUPTED:
        return _complain("interrupted", code)
    return code


def _explain(error: Exception, command: TyperGroup, arguments: Sequence[str]) -> int:
    from console.explanations import explain, is_usage  # noqa: PLC0415 - only an error needs them

    if is_usage(error):
        return _complain(_with_help(explain(error), command, arguments), USAGE)
    return _complain(explain(error), 1)


def _command_tree() -> TyperGroup:
    """Return the commands, with no type shown for flags: a flag takes no value."""
    tree = get_command(app)
    if not isinstance(tree, TyperGroup):
        raise TypeError("the command line must have more than one command")
    _hide_flag_types(tree, typer.Context(tree, info_name="mailrun", **tree.context_settings))
    return tree


def _hide_flag_types(command: TyperCommand | TyperGroup, context: typer.Context) -> None:
    for param in [*command.params, command.get_help_option(context)]:
        if isinstance(param, TyperOption) and param.is_flag:
            param.metavar = ""
    if isinstance(command, TyperGroup):
        for name, child in command.commands.items():
            if isinstance(child, TyperCommand | TyperGroup):
                inner = typer.Context(child, info_name=name, parent=context, **child.context_settings)
                _hide_flag_types(child, inner)


def _with_help(message: str, command: TyperGroup, arguments: Sequence[str]) -> str:
    if "--help" in message:
        return message
    message = message.rstrip(".")
    see = f"see `{_command_path(command, arguments)} --help`"
    return f"{message} S{see[1:]}" if message.endswith("?") else f"{message}; {see}"


def _command_path(command: TyperGroup, arguments: Sequence[str]) -> str:
    """Return the name of the subcommand that these arguments reach, such as `mailrun campaign send`."""
    names = ["mailrun"]
    for argument in arguments:
        found = command.commands.get(argument)
        if found is None:
            break
        names.append(argument)
        if not isinstance(found, TyperGroup):
            break
        command = found
    return " ".join(names)


def _complain(sentence: str, code: int) -> int:
    from console.output import printable  # noqa: PLC0415 - only an error needs it

    sys.stdout.flush()
    sys.stderr.write(f"mailrun: {printable(sentence)}\n")
    return code
