"""What a submission does about people who got its template lately: count them, or leave them out."""

from collections.abc import Sequence

from intake.campaigns.recent_pieces import Piece, RecentPieces, RecentSenders
from intake.csv.importer import RejectedRow
from intake.csv.records import Row
from intake.reasons import Reason, ReasonCode
from intake.recipients.rows import MailableRow, RecipientRow

_ROW = MailableRow._fields.index("row")
_PERSON = MailableRow._fields.index("person_digest")


class RepeatScreen:
    """Looks up people by the thousand before they are written.

    People of a campaign whose rejected rows the list corrects are always left out. The others who got the template
    lately are left out with `only_new`, and counted in `recent` without.
    """

    def __init__(self, pieces: RecentPieces, recent: RecentSenders, *, only_new: bool) -> None:
        """Keep where to look, where to count, and whether to leave out."""
        self._pieces = pieces
        self._recent = recent
        self._only_new = only_new

    def screen(self, people: list[RecipientRow]) -> tuple[list[RecipientRow], list[RejectedRow]]:
        """Return the people to write, and those who are left out with the reason."""
        found = self._pieces.find([one[_PERSON] for one in people])
        if not found:
            self._recent.count(len(people), ())
            return people, []
        kept: list[RecipientRow] = []
        left_out: list[RejectedRow] = []
        repeated: list[Piece] = []
        for one in people:
            piece = found.get(one[_PERSON])
            if piece is not None and not piece.corrected:
                repeated.append(piece)
            if piece is None or not (piece.corrected or self._only_new):
                kept.append(one)
            else:
                left_out.append(RejectedRow(Row(one[_ROW], 0, []), (_reason(piece),)))
        self._recent.count(len(kept) if not self._only_new else len(people), repeated)
        return kept, left_out


def keep_all(people: list[RecipientRow]) -> tuple[list[RecipientRow], Sequence[RejectedRow]]:
    """Return all people to write: the submission says that everybody gets it."""
    return people, ()


def _reason(piece: Piece) -> Reason:
    if piece.corrected:
        return Reason(
            ReasonCode.IN_CORRECTED_CAMPAIGN,
            f"The person is in campaign {piece.campaign_id} already, whose rejected rows this list corrects.",
        )
    return Reason(ReasonCode.MAILED_LATELY, f"The person got this template from {piece.sender}.")
