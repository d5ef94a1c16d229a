"""The demo: a sample campaign, from the list to paid orders, at a sandbox with a data directory of its own."""

import secrets
import shutil
import sys
from collections import Counter
from pathlib import Path
from typing import Final

from pydantic import SecretStr
from rich.table import Table

from console.actions.approvals import save_proof
from console.actions.campaigns.watch import exit_code, follow
from console.installation import installation_settings
from console.local.services import own_directory
from console.local.up import everything
from console.output import print_note, print_result, show_lines
from console.queries import campaigns, mailings, quotes, recipients
from console.queries.campaigns import CampaignProgress
from console.session import Session
from console.views.campaigns import campaign_facts, rejection_table
from console.views.formatting import money, table, text
from console.views.import_preview import findings_facts
from console.views.mailings import mailing_table
from console.views.quotes import delivery_words, quote_table
from intake.campaigns.recent_pieces import Again
from intake.campaigns.submit import submit_campaign
from intake.csv.preview import check_campaign
from intake.options import Options
from models import Outcome
from worker.context import open_engine
from worker.settings import LIVE_URL, SANDBOX_KEY, Settings

SAMPLE: Final = (Path(__file__).parents[2] / "sample") / "neighbors.csv"
# 250 people in five orders: enough to see them overtake each other.
BATCH_SIZE: Final = 60
TEMPLATE: Final = 1002
# A person watches: looks are frequent, and the sandbox does not mind being asked.
POLL_SECONDS: Final = 0.5
RATE: Final = 100.0
# The demo started its worker itself and knows that it comes; a busy machine takes its time.
START_SECONDS: Final = 30.0


def run_demo() -> int:
    """Send the sample and print what became of it; returns the exit code.

    Uses neither the database nor the key that may be set: it must not spend money, or fill a real memory.
    """
    own = installation_settings()
    settings = _demo_settings(own)
    print_note(
        "The demo always speaks to a sandbox of its own" + (", your key is not used." if own.api_key else ".")
    )
    with everything(settings, print_note) as running:
        engine = open_engine(str(running.database_url), connections=2)
        try:
            return _send_sample(Session(running, engine))
        finally:
            engine.dispose()
            print_note("Stopping what the demo started.")


def _demo_settings(own: Settings) -> Settings:
    apart = {
        "data_dir": own_directory(own.data_dir) / "demo",
        "database_url": None,
        "redis_url": None,
        "base_url": LIVE_URL,  # nobody is called there: `up` starts a sandbox for the key that only one accepts
        "api_key": SecretStr(SANDBOX_KEY),
        "exclusive": True,
        "poll_seconds": POLL_SECONDS,
        "rate": RATE,
    }
    return own.model_copy(update=apart)


def _send_sample(session: Session) -> int:
    print_result("", findings_facts(check_campaign(SAMPLE)), "")
    submission = submit_campaign(
        session.engine,
        SAMPLE,
        Options(template_id=TEMPLATE),
        name="Demo: spring offer",
        key=f"demo:{secrets.token_hex(8)}",  # the same list again is a new campaign each time
        batch_size=BATCH_SIZE,
        again=Again.EVERYBODY,
    )
    one = follow(session, submission.campaign_id, starting=START_SECONDS)
    _report(session, one)
    return exit_code(one)


def _report(session: Session, one: CampaignProgress) -> None:
    with session.engine.connect() as connection:
        orders = list(reversed(mailings.list_mailings(connection, campaign_id=one.id, limit=100)))
        refused: Counter[str] = Counter()
        for order in orders:
            for found in recipients.outcomes(connection, order.id):
                refused[found.reason or ""] += found.people if found.outcome is Outcome.REJECTED else 0
        rejected = campaigns.rejections(connection, one.id, 100)
        quote = quotes.latest_quote(connection, orders[0].id)
    print_result("", campaign_facts(one), "", mailing_table(orders))
    print_result("", "Rows of the list that were not handed over:", rejection_table(rejected))
    print_result("", "People LettrLabs did not take:", _reasons(refused))
    if quote is not None:
        title = f"Quote of order {orders[0].order_id}, one of {len(orders)}"
        print_result("", quote_table(quote, title), delivery_words(quote))
    print_result("", f"Charged, all orders: {money(one.charged)} (in the sandbox: no money moved)")
    show_lines(f"Proof: {save_proof(session, orders[0].id)}")
    print_result("", _how_to_go_on(session, one, orders[0].id))


def _reasons(refused: Counter[str]) -> Table:
    rows = table("people", "reason", right=("people",), fold=("reason",))
    for reason, people in (+refused).most_common():
        rows.add_row(str(people), text(reason))
    return rows


def _how_to_go_on(session: Session, one: CampaignProgress, mailing_id: int) -> str:
    # Outside its environment `mailrun` is in no shell's path.
    mailrun = "mailrun" if shutil.which("mailrun") else sys.argv[0]
    there = f"MAILRUN_DATA_DIR={session.settings.data_dir} {mailrun}"
    return (
        "Look further:\n"
        f"  {there} campaign show {one.id}\n"
        f"  {there} mailing show {mailing_id} --people\n"
        f"or send a list of your own: {mailrun} up, and in another terminal\n"
        f"  {mailrun} campaign send FILE --template {TEMPLATE}"
    )
