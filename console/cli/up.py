"""Running Mailrun: everything on this machine, parts of it, and a look whether it is well."""
# ruff: noqa: PLC0415 - see console/cli/__init__.py

from typing import Annotated

import typer

from console.cli.options import AsJson, group

app = group("Run Mailrun.")
_PANEL = "Run"
_PASSED_ON = {"allow_extra_args": True, "ignore_unknown_options": True, "allow_interspersed_args": False}


@app.command(rich_help_panel=_PANEL)
def up(
    workers: Annotated[int, typer.Option(min=1, max=64, help="How many worker processes to run.")] = 1,
) -> int:
    """Run everything on this machine until Ctrl-C.

    Starts PostgreSQL, Redis, workers and the beat, and without an API key a sandbox in LettrLabs' place.
    """
    from console.installation import installation_settings, is_elsewhere
    from console.local.up import run_up
    from console.output import print_note

    settings = installation_settings()
    if is_elsewhere(settings):
        print_note(f"The installation is in {settings.data_dir}.")
    return run_up(settings, print_note, workers=workers)


@app.command(rich_help_panel=_PANEL)
def demo() -> int:
    """Send a sample campaign to a sandbox, start to finish. Nothing is mailed or charged."""
    from console.actions.operations.demo import run_demo

    return run_demo()


@app.command(rich_help_panel=_PANEL)
def templates(*, as_json: AsJson = False) -> None:
    """List the templates of the account at LettrLabs."""
    from console.actions.operations.templates import list_templates

    list_templates(as_json=as_json)


@app.command(rich_help_panel=_PANEL)
def doctor(
    *,
    contract: Annotated[
        bool,
        typer.Option(
            "--contract",
            help="Compare LettrLabs' own API document with what Mailrun relies on, and nothing else.",
        ),
    ] = False,
    as_json: AsJson = False,
) -> int:
    """Check database, Redis, beat, workers, key and clock; exits 1 if something is broken."""
    if contract:
        from console.actions.operations.contract import check_contract

        return check_contract(as_json=as_json)
    from console.actions.operations.doctor import examine, pending
    from console.local.services import open_services
    from console.output import print_result, show_json
    from console.session import installed_settings, introduce
    from console.views.doctor import check_table, told
    from console.waiting import by_kind, show_pending

    settings = installed_settings()
    with open_services(settings) as services:
        found = {
            "database_url": services.database_url,
            "migration_database_url": services.database.migration_url,
            "redis_url": services.redis_url,
        }
        settings = settings.model_copy(update=found)
        checks, waiting = examine(settings), pending(settings)
    if as_json:
        show_json(settings.vendor, checks=[told(check) for check in checks], **by_kind(waiting))
    else:
        introduce(settings)
        print_result(check_table(checks))
        show_pending(waiting)
    return 1 if any(check.is_broken for check in checks) else 0


@app.command(rich_help_panel=_PANEL, context_settings=_PASSED_ON | {"help_option_names": []})
def sandbox(
    arguments: Annotated[
        list[str] | None, typer.Argument(metavar="[OPTIONS]", help="See `mailrun sandbox --help`.")
    ] = None,
) -> int:
    """Run a LettrLabs of your own, alone."""
    from sandbox.command import main

    return main(arguments or [])


@app.command(rich_help_panel=_PANEL)
def migrate() -> int:
    """Bring the database to this version's tables. Safe to run twice, and at once."""
    from console.local.services import open_database
    from console.output import print_note
    from console.session import installed_settings, introduce

    settings = installed_settings(broker=False)
    introduce(settings)
    with open_database(settings) as database:
        database.migrate()
    print_note("The database is at this version.")
    return 0


@app.command("exec", rich_help_panel=_PANEL, context_settings=_PASSED_ON)
def run(
    command: Annotated[
        list[str], typer.Argument(metavar="-- COMMAND...", help="The command and its arguments.")
    ],
) -> int:
    """Run a command with DATABASE_URL and REDIS_URL set, starting both servers for it if need be."""
    from console.actions.operations.run_command import run_with
    from console.local.services import open_services
    from console.session import installed_settings, introduce

    settings = installed_settings()
    introduce(settings)
    with open_services(settings) as services:
        return run_with(command, services)
