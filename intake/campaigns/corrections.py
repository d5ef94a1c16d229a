"""Corrected lists: rows that a campaign rejected, put right and sent again.

A file of rejected rows names its campaign in a column of its own. A list with that column mails none of the people
whom the campaign mails, whatever the template and however long ago. The name carries a keyed digest: a campaign of
another installation that has the same number is not meant.
"""

import re
from collections.abc import Sequence
from hashlib import blake2b
from typing import Final

from intake.csv.columns import ORIGIN_HEADING
from intake.csv.table import Table
from intake.recipients.fields import heading_form

_NAME: Final = re.compile(r"c(\d{1,18})-([0-9a-f]{12})", re.ASCII)
_DIGEST_BYTES: Final = 6


def origin_name(campaign_id: int, key: bytes) -> str:
    """Return what a file of rejected rows calls its campaign, under the installation's key."""
    return f"c{campaign_id}-{_digest(campaign_id, key)}"


def origins_of(table: Table, key: bytes) -> list[int]:
    """Return the campaigns of this installation whose rejected rows a table corrects.

    The table is read to its end first: the rows above the first name are corrected rows too. Raises TableError.
    """
    form = heading_form(ORIGIN_HEADING)
    column = next((at for at, heading in enumerate(table.headings) if heading_form(heading) == form), None)
    if column is None:
        return []
    cells = {cells[column] for block in table.blocks() for cells in block.cells}
    return sorted({one for cell in cells for one in _campaigns(cell, key)})


def _campaigns(cell: str, key: bytes) -> Sequence[int]:
    found = [(int(match[1]), match[2]) for match in _NAME.finditer(cell)]
    return [number for number, digest in found if digest == _digest(number, key)]


def _digest(campaign_id: int, key: bytes) -> str:
    return blake2b(
        str(campaign_id).encode(), digest_size=_DIGEST_BYTES, key=key, person=b"origin"
    ).hexdigest()
