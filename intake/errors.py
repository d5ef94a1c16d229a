"""Why a submission is refused as a whole; for why one row is refused, see `intake.reasons`."""

from enum import StrEnum


class ErrorCode(StrEnum):
    """The stable names of what can be wrong with a submission; each comes with a sentence."""

    MISSING_FILE = "missing_file"
    NOT_A_FILE = "not_a_file"
    UNREADABLE_FILE = "unreadable_file"
    EMPTY_FILE = "empty_file"
    NO_ROWS = "no_rows"
    NOT_TEXT = "not_text"
    MIXED_ENCODINGS = "mixed_encodings"
    OPEN_QUOTE = "open_quote"
    LINE_TOO_LONG = "line_too_long"
    NO_HEADINGS = "no_headings"
    NO_ADDRESS_COLUMNS = "no_address_columns"
    NO_NAME_COLUMN = "no_name_column"
    NO_MARK_COLUMN = "no_mark_column"
    UNKNOWN_LIST = "unknown_list"
    TWO_COLUMNS_FOR_ONE_FIELD = "two_columns_for_one_field"
    UNKNOWN_COLUMN = "unknown_column"
    UNKNOWN_FIELD = "unknown_field"
    UNUSED_COLUMNS = "unused_columns"
    SEVERAL_SHEETS = "several_sheets"
    UNKNOWN_SHEET = "unknown_sheet"
    TOO_LARGE = "too_large"
    WRONG_ENCODING = "wrong_encoding"
    UNWRITABLE_FILE = "unwritable_file"
    BAD_OPTION = "bad_option"
    NOBODY_TO_MAIL = "nobody_to_mail"
    OTHER_CONTENT = "other_content"
    MAILED_LATELY = "mailed_lately"
    NOT_AN_EVENT = "not_an_event"
    NOT_JSON = "not_json"
    TOO_DEEP = "too_deep"
    UNKNOWN_FORMAT = "unknown_format"
    BAD_TRIGGERS = "bad_triggers"


class IntakeError(Exception):
    """A submission is refused; nothing of it is kept.

    The message is one line for the person who submitted it: what is wrong, where, and what to do. It never holds
    a cell's content, which may be someone's name or address.
    """

    def __init__(self, fault: ErrorCode, sentence: str) -> None:
        super().__init__(sentence)
        self.fault = fault


class TableError(IntakeError):
    """The file cannot be read as a table."""


class ConflictError(IntakeError):
    """The key is taken by a submission with other content; `existing` is that campaign's or mailing's id."""

    def __init__(self, sentence: str, existing: int) -> None:
        super().__init__(ErrorCode.OTHER_CONTENT, sentence)
        self.existing = existing


class ColumnsError(IntakeError):
    """The table's columns do not say who is mailed where."""
