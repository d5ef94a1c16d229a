"""Asking the vendor before anything is queued: is the key good, does the template exist."""

import time
from collections.abc import Callable
from typing import Final

from pydantic import SecretStr

from console.errors import CommandError
from console.explanations import UNAUTHORIZED, refusal
from console.session import knows_vendor, settings_here
from lettrlabs import LettrLabs, Refused, Timeouts, Unavailable, VendorError
from worker.settings import SANDBOX_KEY, Settings

# A person waits for the answer; a worker would wait longer.
PATIENCE_SECONDS: Final = 10.0
PAUSE_SECONDS: Final = 3.0
OK: Final = 200
MOST_TEMPLATES_TOLD: Final = 25

Say = Callable[[str], None]


def quick_vendor(settings: Settings) -> LettrLabs:
    """Return a client for a question or two, outside the workers' rate limit."""
    timeouts = Timeouts(total=PATIENCE_SECONDS)
    return LettrLabs(settings.base_url, settings.api_key or SecretStr(SANDBOX_KEY), timeouts=timeouts)


def check_vendor(settings: Settings, template_id: int, say: Say, *, keep_trying: bool) -> Settings:
    """Have the vendor confirm key and template; returns the settings by which it was reached.

    While it is away, tries on and says so, or, with `keep_trying` off, says that the workers will. Raises Complaint
    for a key or a template that the vendor does not accept.
    """
    while True:
        trouble = _objection(settings, template_id, say)
        if trouble is None:
            return settings
        if not keep_trying:
            say(f"{trouble}: key and template are not checked now; the workers keep trying to reach it.")
            return settings
        say(f"{trouble}: trying again every {PAUSE_SECONDS:g} s. Ctrl-C stops; nothing is queued yet.")
        settings = _wait_for_vendor(settings, template_id, say)


def _wait_for_vendor(settings: Settings, template_id: int, say: Say) -> Settings:
    trouble: str | None = "away"
    while trouble:
        time.sleep(PAUSE_SECONDS)
        # A sandbox that `mailrun up` starts meanwhile has an address only from then on.
        settings = settings_here()
        trouble = _objection(settings, template_id, say)
    return settings


def _objection(settings: Settings, template_id: int, say: Say) -> str | None:
    """Return why the vendor cannot be asked now, or None if it has no objection."""
    if not knows_vendor(settings):
        return "The sandbox does not run (start `mailrun up` in another terminal)"
    with quick_vendor(settings) as vendor:
        try:
            vendor.me()
            _require_template(vendor, template_id, say)
        except Unavailable as trouble:
            # LettrLabs does not describe these answers: one that says yes in a shape of its own says yes.
            return None if trouble.call.status == OK else f"LettrLabs cannot be reached ({trouble.why})"
        except Refused as refused:
            raise CommandError(refusal(refused)) from None
    return None


def _require_template(vendor: LettrLabs, template_id: int, say: Say) -> None:
    """Raise Complaint if the vendor lists its templates and this one is not among them.

    LettrLabs does not describe these answers. An account may be barred from them and may send all the same.
    """
    try:
        if vendor.template(template_id) is not None:
            return
    except VendorError as trouble:
        _refuse_bad_key(trouble)
    try:
        known = vendor.templates()
    except VendorError as trouble:
        _refuse_bad_key(trouble)
        known = ()
    if any(template.id == template_id for template in known):
        return
    if not known:
        say(
            f"LettrLabs does not say whether there is a template {template_id}: it is not checked now. "
            "If it does not exist, LettrLabs refuses the order, and nothing is charged."
        )
        return
    names = ", ".join(f"{one.id} {one.name or ''}".strip() for one in known[:MOST_TEMPLATES_TOLD])
    raise CommandError(f"LettrLabs has no template {template_id} in this account; there are: {names}")


def _refuse_bad_key(trouble: VendorError) -> None:
    """Raise the refusal of a key. Any other trouble with templates says nothing about sending."""
    if isinstance(trouble, Refused) and trouble.status == UNAUTHORIZED:
        raise trouble
