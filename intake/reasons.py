"""Why one row is not mailed; for why a whole submission is refused, see `intake.errors`."""

from enum import StrEnum
from typing import Final, NamedTuple


class ReasonCode(StrEnum):
    """The stable names of what can be wrong with a row."""

    TOO_MANY_CELLS = "too_many_cells"
    UNREADABLE = "unreadable"
    TOO_LONG = "too_long"
    NO_NAME = "no_name"
    NO_ADDRESS = "no_address"
    NO_CITY = "no_city"
    NO_STATE = "no_state"
    NO_ZIP = "no_zip"
    UNKNOWN_STATE = "unknown_state"
    MALFORMED_ZIP = "malformed_zip"
    SHORT_ZIP = "short_zip"
    ZIP_IN_OTHER_STATE = "zip_in_other_state"
    FOREIGN_COUNTRY = "foreign_country"
    NOT_A_URL = "not_a_url"
    DUPLICATE = "duplicate"
    MAILED_LATELY = "mailed_lately"
    IN_CORRECTED_CAMPAIGN = "in_corrected_campaign"
    NO_STREET_NUMBER = "no_street_number"
    MILITARY_MISMATCH = "military_mismatch"
    MALFORMED_ZIP4 = "malformed_zip4"
    PLACEHOLDER = "placeholder"
    NOBODY = "nobody"


class Reason(NamedTuple):
    """One thing that is wrong with a row. The sentence names the column and never what stands in it."""

    code: ReasonCode
    sentence: str


NOT_TO_CORRECT: Final = frozenset(
    {ReasonCode.DUPLICATE, ReasonCode.MAILED_LATELY, ReasonCode.IN_CORRECTED_CAMPAIGN}
)
"""Nothing is wrong with these rows: corrected and sent again, they would mail a person twice."""
