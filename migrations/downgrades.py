"""Downgrades that would destroy what cannot be made again are refused while there are such rows."""

from collections.abc import Mapping
from typing import Final

from alembic import op
from sqlalchemy import text

# Any row of the table.
ANY: Final = "true"


class DowngradeRefusedError(Exception):
    """One sentence: which rows the downgrade would destroy, and what to do."""


def refuse_while_rows(precious: Mapping[str, str]) -> None:
    """Raise DowngradeRefusedError if a table has rows that meet its condition; called before anything is dropped."""
    for table, condition in precious.items():
        found = text(f'SELECT EXISTS (SELECT FROM "{table}" WHERE {condition})')  # noqa: S608 - a revision's constants
        if op.get_bind().scalar(found):
            raise DowngradeRefusedError(
                f'the downgrade would destroy rows of table "{table}" that cannot be made again: restore the backup '
                "from before the upgrade instead, or save and delete them first"
            )
