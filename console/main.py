"""`mailrun`: the command line. Every error is one line on stderr and a non-zero exit code."""

import os
import signal
import sys
from typing import NoReturn

import typer
from typer.exceptions import TyperException

from console.commands import (
    attention,
    campaign,
    decisions,
    event,
    mailing,
    money,
    person,
    running,
    safety,
    suppress,
    trigger,
    web,
    webhook,
)
from console.complaints import Complaint

USAGE = 2
INTERRUPTED = 130

app = typer.Typer(
    name="mailrun",
    help="Send direct mail through LettrLabs: each person one piece, each order paid once.",
    epilog="Settings come from the environment and .env; see .env.example. Without a key all goes to a sandbox.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
app.add_typer(running.app)
app.add_typer(campaign.app, name="campaign", rich_help_panel="Send and follow")
app.add_typer(mailing.app, name="mailing", rich_help_panel="Send and follow")
app.add_typer(decisions.app)
app.add_typer(safety.app)
app.add_typer(safety.strays, name="strays", rich_help_panel="Decide")
app.add_typer(suppress.app, name="suppress", rich_help_panel="People")
app.add_typer(person.app, name="person", rich_help_panel="People")
app.add_typer(money.app)
app.add_typer(money.budget, name="budget", rich_help_panel="Money")
app.add_typer(web.app)
app.add_typer(web.token, name="token", rich_help_panel="Events and HTTP")
app.add_typer(trigger.app, name="trigger", rich_help_panel="Events and HTTP")
app.add_typer(event.app, name="event", rich_help_panel="Events and HTTP")
app.add_typer(webhook.app, name="webhook", rich_help_panel="Events and HTTP")
app.add_typer(attention.app, name="attention", rich_help_panel="Decide")


def main() -> NoReturn:
    """Run the command line and exit; told to end, ends what it started first."""
    for kind in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(kind, _end)
    sys.exit(run(sys.argv[1:]))


def _end(kind: int, _frame: object) -> NoReturn:
    sys.exit(128 + kind)


def run(arguments: list[str]) -> int:
    """Run one command and return its exit code: 0, 1 for a failure, 2 for a wrong command line, 130 for Ctrl-C."""
    try:
        code = int(app(arguments, prog_name="mailrun", standalone_mode=False) or 0)
        sys.stdout.flush()
    except TyperException as error:
        message = error.format_message().rstrip(".")  # empty where the help was printed in its place
        return _complain(f"{message}; see `mailrun --help`", USAGE) if message else USAGE
    except (typer.Abort, KeyboardInterrupt):
        return INTERRUPTED
    except Complaint as complaint:
        return _complain(str(complaint), complaint.exit_code)
    except BrokenPipeError:
        # Whoever read our output has left; Python would complain about it once more while exiting.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except Exception as error:  # noqa: BLE001 - the top: whatever it was, it is said in one line
        from console.explanations import explain  # noqa: PLC0415 - only an error needs it

        return _complain(explain(error), 1)
    return code


def _complain(sentence: str, code: int) -> int:
    from console.output import printable  # noqa: PLC0415 - as above

    sys.stderr.write(f"mailrun: {printable(sentence)}\n")
    return code
