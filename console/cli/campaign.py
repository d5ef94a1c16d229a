"""Campaigns: a list of people becomes orders."""
# ruff: noqa: PLC0415 - see console/cli/__init__.py

from pathlib import Path
from typing import Annotated

import typer

from console.cli.options import (
    Actor,
    ApproveYes,
    AsJson,
    CampaignId,
    ColumnMapping,
    DeliverBy,
    EachOrder,
    HoldMode,
    HoldUntil,
    IfLate,
    Limit,
    SaveMapping,
    SendAt,
    Sheet,
    Zone,
    group,
)

app = group("Send a list of people, and follow what becomes of it.")
_MOST_REJECTIONS = 100


@app.command()
def send(
    file: Annotated[
        Path, typer.Argument(metavar="FILE", help="The list: CSV, .xlsx or .ods; - is standard input.")
    ],
    *,
    template: Annotated[int, typer.Option(help="The number of the template at LettrLabs.")],
    postage: Annotated[
        str | None, typer.Option(show_default="Standard", help="Standard or FirstClass.")
    ] = None,
    speed: Annotated[
        str | None,
        typer.Option(show_default="Normal", help="Normal, ExpeditedFaster or ExpeditedFastest."),
    ] = None,
    name: Annotated[str | None, typer.Option(help="What to call it; else the file's name.")] = None,
    key: Annotated[
        str | None,
        typer.Option(help="One key is one campaign, however often it is sent; else the list's own."),
    ] = None,
    batch_size: Annotated[int, typer.Option(help="The most people in one order.")] = 1000,
    mapping: ColumnMapping = None,
    save_mapping: SaveMapping = None,
    sheet: Sheet = None,
    rejects: Annotated[
        Path | None, typer.Option(help="Where rejected rows go; else beside FILE, as .rejected.csv.")
    ] = None,
    strictness: Annotated[
        str, typer.Option(help="How sure an address must look: strict, normal or relaxed.")
    ] = "normal",
    suppress: Annotated[
        list[str] | None,
        typer.Option(
            metavar="LIST", help="Mail nobody on this list either. Repeatable; do-not-mail always holds."
        ),
    ] = None,
    cap: Annotated[
        str | None,
        typer.Option(
            metavar="N/DAYS",
            help="At most N pieces in DAYS days for a person, or N/DAYS/address; else MAILRUN_CAP.",
        ),
    ] = None,
    one_per_household: Annotated[
        bool, typer.Option("--one-per-household", help="One piece for an address, whoever lives there.")
    ] = False,
    send_at: SendAt = None,
    hold_until: HoldUntil = None,
    hold_mode: HoldMode = None,
    deliver_by: DeliverBy = None,
    zone: Zone = None,
    if_late: IfLate = None,
    every: Annotated[
        str | None,
        typer.Option(
            metavar="CRON", help='Send it again and again, such as "0 9 1 * *": cron text in the zone.'
        ),
    ] = None,
    catch_up: Annotated[
        str | None,
        typer.Option(
            help="With --every, what is made up for after a standstill: all, last (default) or none."
        ),
    ] = None,
    approval: Annotated[
        str | None,
        typer.Option(
            metavar="POLICY", help="Who agrees, later and elsewhere: required, auto, or over:AMOUNT an order."
        ),
    ] = None,
    budget: Annotated[
        str | None, typer.Option(metavar="AMOUNT", help="The most that the whole campaign may cost.")
    ] = None,
    per_piece_max: Annotated[
        str | None, typer.Option(metavar="AMOUNT", help="The most that a piece may cost.")
    ] = None,
    again: Annotated[
        str | None,
        typer.Option(
            metavar="everybody|new",
            help="If people got the template lately: mail everybody, or only the new people.",
        ),
    ] = None,
    actor: Actor = None,
    yes: Annotated[
        bool, typer.Option("--yes", help="Send without asking whether the price is right.")
    ] = False,
    wait: Annotated[bool, typer.Option("--wait", help="With --yes: follow it to its end.")] = False,
) -> int:
    """Send a list of people.

    Shows the proof, the counts and the price, and asks, before anything is charged; with --yes it only queues.
    """
    from console.actions.campaigns.send import SendRequest, send
    from console.actions.suppression import spared
    from console.amounts import BudgetOptions
    from console.list_source import mapping_from, rejects_beside
    from console.option_values import options, repeats_choice, require_one_chooser
    from intake.schedule_options import ScheduleOptions

    require_one_chooser(postage, speed, deliver_by)

    asked = SendRequest(
        file=file,
        options=spared(
            options(
                template,
                "Standard" if postage is None else postage,
                "Normal" if speed is None else speed,
                BudgetOptions(approval=approval, yes=yes, budget=budget, per_piece_max=per_piece_max),
            ),
            strictness,
            suppress or [],
            cap,
            household=one_per_household,
        ),
        times=ScheduleOptions(
            send_at=send_at,
            hold_until=hold_until,
            hold_mode=hold_mode,
            deliver_by=deliver_by,
            if_late=if_late,
            zone=zone,
        ),
        every=every,
        catch_up=catch_up,
        name=name,
        key=key,
        mapping=mapping_from(mapping or []),
        sheet=sheet,
        save_mapping=save_mapping,
        batch_size=batch_size,
        rejects=rejects or rejects_beside(file),
        actor=actor,
        yes=yes or approval is not None,
        wait=wait,
        again=repeats_choice(again),
    )
    return send(asked)


@app.command()
def check(
    file: Annotated[
        Path, typer.Argument(metavar="FILE", help="The list: CSV, .xlsx or .ods; - is standard input.")
    ],
    *,
    template: Annotated[
        int | None, typer.Option(help="The template: then who got it lately and the price are shown too.")
    ] = None,
    mapping: ColumnMapping = None,
    save_mapping: SaveMapping = None,
    sheet: Sheet = None,
    rejects: Annotated[
        Path | None, typer.Option(help="Write the rejected rows to this file; else to none.")
    ] = None,
    strictness: Annotated[
        str, typer.Option(help="How sure an address must look: strict, normal or relaxed.")
    ] = "normal",
    as_json: AsJson = False,
) -> int:
    """Look a list over without sending: people, rejected rows and why, what is printed, who got it lately.

    Nothing is queued and no draft is made at LettrLabs. Exits 1 if no row can be mailed.
    """
    from console.actions.campaigns.check import Check, check
    from console.actions.suppression import strictness_named
    from console.list_source import mapping_from

    return check(
        Check(
            file=file,
            template=template,
            mapping=mapping_from(mapping or []),
            save_mapping=save_mapping,
            sheet=sheet,
            rejects=rejects,
            strictness=strictness_named(strictness),
            as_json=as_json,
        )
    )


@app.command()
def mappings(
    remove: Annotated[
        str | None, typer.Option("--remove", metavar="NAME", help="Remove this mapping instead.")
    ] = None,
    *,
    as_json: AsJson = False,
) -> None:
    """List the saved mappings, by which lists with the same headings are read."""
    from console.actions.campaigns.check import show_mappings

    show_mappings(remove, as_json=as_json)


@app.command()
def plan(
    campaign: Annotated[
        str, typer.Argument(metavar="ID|FILE", help="A campaign sent with --deliver-by, or a list to try.")
    ],
    *,
    template: Annotated[int | None, typer.Option(help="With FILE: the number of the template.")] = None,
    deliver_by: DeliverBy = None,
    zone: Zone = None,
    as_json: AsJson = False,
) -> int:
    """Show what each postage and speed costs and when it arrives, without sending.

    Of a FILE a draft is made at LettrLabs, priced, and deleted again; it cannot be paid for.
    """
    from console.actions.campaigns.plan import plan

    return plan(campaign, template=template, deliver_by=deliver_by, zone=zone, as_json=as_json)


@app.command()
def stop(campaign_id: CampaignId) -> None:
    """Send a recurring campaign no more; what is open of it goes on unless it is cancelled."""
    from console.actions.campaigns.calendar import stop

    stop(campaign_id)


@app.command("list")
def list_(*, limit: Limit = 20, as_json: AsJson = False) -> None:
    """List campaigns, newest first."""
    from console.output import print_result, show_json
    from console.queries.campaigns import list_campaigns
    from console.session import open_session
    from console.views.campaigns import campaign_table

    with open_session(quiet=as_json) as session, session.engine.connect() as connection:
        standings = list_campaigns(connection, limit)
        if as_json:
            show_json(session.vendor, campaigns=[one.told() for one in standings])
        else:
            print_result(
                campaign_table(standings)
                if standings
                else "No campaigns yet; see mailrun campaign send --help"
            )


@app.command()
def show(campaign_id: CampaignId, *, as_json: AsJson = False) -> None:
    """Show one campaign: how far it is, and which rows were rejected."""
    from console.actions.campaigns.watch import no_campaign
    from console.output import print_result, show_json
    from console.queries.attention import causes
    from console.queries.campaigns import campaign, rejections
    from console.session import open_session
    from console.views.attention import cause_lines
    from console.views.campaigns import campaign_facts, group_table, rejection_table

    with open_session(quiet=as_json) as session, session.engine.connect() as connection:
        one = campaign(connection, campaign_id)
        if one is None:
            raise no_campaign(campaign_id)
        rejected = rejections(connection, campaign_id, _MOST_REJECTIONS)
        if as_json:
            show_json(session.vendor, campaign=one.told(), rejected_rows=rejected)
            return
        print_result(campaign_facts(one), "", group_table(one), *cause_lines(causes(connection, campaign_id)))
        if rejected:
            print_result("", rejection_table(rejected))
        print_result("", f"Its orders: mailrun mailing list --campaign {one.id}")


@app.command()
def watch(campaign_id: CampaignId) -> int:
    """Follow a campaign until it is sent or needs a person; exits 1 unless all went out."""
    from console.actions.campaigns.watch import exit_code, follow
    from console.output import print_result
    from console.session import open_session
    from console.views.campaigns import campaign_facts

    with open_session() as session:
        one = follow(session, campaign_id)
        print_result(campaign_facts(one))
        return exit_code(one)


@app.command()
def approve(
    campaign_id: CampaignId, *, actor: Actor = None, yes: ApproveYes = False, orders: EachOrder = False
) -> int:
    """Show the orders of a campaign that wait for approval, added up, and ask: approved, they are paid."""
    from console.actions.cancellation import approve_campaign

    return approve_campaign(campaign_id, actor, yes=yes, orders=orders)


@app.command()
def cancel(campaign_id: CampaignId) -> int:
    """Cancel every order of a campaign that is not checked out yet."""
    from console.actions.cancellation import cancel_campaign

    return cancel_campaign(campaign_id)


@app.command()
def pause(campaign_id: CampaignId) -> None:
    """Let nothing more of a campaign be created, attached or paid."""
    from console.actions.cancellation import pause

    pause(campaign_id)


@app.command()
def resume(campaign_id: CampaignId) -> None:
    """Take a campaign's pause back."""
    from console.actions.cancellation import resume

    resume(campaign_id)
