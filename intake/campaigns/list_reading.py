"""The reading of a list for a campaign: its rows become people, who are counted and added up on their way."""

from collections.abc import Iterator
from pathlib import Path

from intake.campaigns.people_digest import PeopleDigest
from intake.campaigns.writer import CampaignWriter
from intake.csv.columns import Columns
from intake.csv.importer import ImportedBlock, people
from intake.csv.preview import Progress, RowCounts, counted, rejected_rows
from intake.csv.table import Table
from intake.recipients.strictness import Strictness


class ListReading:
    """One reading of a table. `tally` and `digest` are whole once it has been written or read."""

    def __init__(self, table: Table, columns: Columns, rejected_to: Path | None, progress: Progress) -> None:
        """Keep the table, the meaning of its columns, and where its rejected rows go."""
        self.table = table
        self.tally = RowCounts()
        self.digest = PeopleDigest()
        self._columns = columns
        self._rejected_to = rejected_to
        self._progress = progress

    def write(self, writer: CampaignWriter, key: bytes, strictness: Strictness, origin: str) -> None:
        """Read the people, known under the key, and write them; rejected rows name their origin."""
        with rejected_rows(self._rejected_to, self.table, origin) as rejected:
            found = people(self.table, self._columns, key, strictness)
            writer.write(self._added(counted(found, self.tally, rejected, self._progress)))

    def read(self, key: bytes, strictness: Strictness) -> None:
        """Read the people without writing them."""
        found = people(self.table, self._columns, key, strictness)
        for _ in self._added(counted(found, self.tally, None, self._progress)):
            pass

    def _added(self, blocks: Iterator[ImportedBlock]) -> Iterator[ImportedBlock]:
        for found in blocks:
            self.digest.add(found.people)
            yield found
