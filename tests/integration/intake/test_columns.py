import pytest

from intake.csv.columns import match_columns
from intake.errors import ColumnsError, ErrorCode
from intake.recipients.fields import Field

ADDRESS = ["Address 1", "City", "State", "ZIP"]


def refused(headings: list[str], mapping: dict[str, str] | None = None) -> ColumnsError:
    with pytest.raises(ColumnsError) as error:
        match_columns(headings, mapping)
    assert "\n" not in str(error.value)
    return error.value


@pytest.mark.parametrize(
    "headings",
    [
        ["First Name", "Last Name", "Address 1", "Address 2", "City", "State", "ZIP Code"],
        ["fname", "LNAME", "street", "apt", "Town", "ST", "zip"],
        [
            "Given Name",
            "Surname",
            "Street Address",
            "Address Line 2",
            "City",
            "State/Province",
            "Postal Code",
        ],
        ["first_name", "last_name", "address1", "address2", "city", "state", "zip_code"],
        ["firstName", "lastName", "address1", "address2", "city", "state", "zipCode"],
    ],
)
def test_headings_are_known_by_their_synonyms(headings: list[str]) -> None:
    columns = match_columns(headings)

    assert [columns.positions[field] for field in (Field.FIRST_NAME, Field.LAST_NAME)] == [0, 1]
    assert [
        columns.positions[Field(name)] for name in ("address1", "address2", "city", "state", "zip_code")
    ] == [*range(2, 7)]


def test_columns_that_mean_nothing_are_left_out_and_named_and_none_is_printed() -> None:
    columns = match_columns(["Record ID", "Name", *ADDRESS, "Open Balance", "Custom 2", ""])

    assert columns.merge_fields == {"custom2": "Custom 2"}
    assert columns.left_out == ("Record ID", "Open Balance", "I")


def test_a_strict_look_refuses_a_heading_that_means_nothing_and_says_what_to_type() -> None:
    with pytest.raises(ColumnsError) as error:
        match_columns(["Name", *ADDRESS, "Open Balance"], strict=True)

    assert error.value.fault is ErrorCode.UNUSED_COLUMNS
    assert "--mapping 'Open Balance=custom1'" in str(error.value)
    assert "--mapping 'Open Balance=ignore'" in str(error.value)
    match_columns(["Name", *ADDRESS, "Open Balance"], {"Open Balance": "ignore"}, strict=True)


def test_the_message_about_a_missing_column_holds_the_mapping_to_type() -> None:
    error = refused(["Name", "Where they live (street)", "City", "State", "ZIP"])

    assert "--mapping 'Where they live (street)=address1'" in str(error)


def test_a_mapping_wins_over_synonyms_and_can_leave_a_column_out() -> None:
    columns = match_columns(
        ["Name", "Address", *ADDRESS[1:], "Ship to", "Plan", "Notes"],
        {"Ship to": "address1", "plan": "custom2", "Notes": "ignore", "Address": "ignore"},
    )

    assert columns.heading(Field.ADDRESS1) == "Ship to"
    assert columns.heading(Field.CUSTOM2) == "Plan"
    assert columns.left_out == ("Address", "Notes")


def test_a_column_of_whole_names_is_left_out_beside_first_and_last_names() -> None:
    columns = match_columns(["First name", "Last name", "Full name", *ADDRESS])

    assert Field.FULL_NAME not in columns.positions
    assert columns.left_out == ("Full name",)


def test_two_headings_for_one_field_are_refused_by_name() -> None:
    error = refused(["Name", *ADDRESS, "Postal code"])

    assert error.fault is ErrorCode.TWO_COLUMNS_FOR_ONE_FIELD
    assert '"ZIP" (column E) and "Postal code" (column F)' in str(error)


def test_two_equal_headings_for_one_field_are_refused() -> None:
    assert refused(["Name", *ADDRESS, "City"]).fault is ErrorCode.TWO_COLUMNS_FOR_ONE_FIELD


def test_a_list_without_address_columns_is_refused_with_the_columns_it_has() -> None:
    error = refused(["Name", "Email", "Plan"])

    assert error.fault is ErrorCode.NO_ADDRESS_COLUMNS
    assert "address1, city, state, zip_code" in str(error)
    assert '"Name", "Email", "Plan"' in str(error)


def test_a_list_without_any_name_is_refused() -> None:
    assert refused(ADDRESS).fault is ErrorCode.NO_NAME_COLUMN


def test_a_list_without_headings_is_refused_without_repeating_its_first_person() -> None:
    person = ["Ann", "Lee", "12 Oak St", "Boston", "MA", "02108"]
    errors = [refused(person), refused(person, {"Street": "address1"})]

    assert [error.fault for error in errors] == [ErrorCode.NO_HEADINGS, ErrorCode.UNKNOWN_COLUMN]
    assert not any(word in f"{errors}" for word in ("Ann", "Lee", "Oak", "Boston", "02108"))


def test_a_mapping_that_names_what_is_not_there_is_refused() -> None:
    assert refused(["Name", *ADDRESS], {"Nmae": "full_name"}).fault is ErrorCode.UNKNOWN_COLUMN
    assert refused(["Name", *ADDRESS], {"Name": "surename"}).fault is ErrorCode.UNKNOWN_FIELD
    assert (
        refused(["Name", *ADDRESS], {"Name": "city", "City": "city"}).fault
        is ErrorCode.TWO_COLUMNS_FOR_ONE_FIELD
    )


def test_a_row_is_read_by_its_columns_without_empty_merge_fields() -> None:
    columns = match_columns(["ZIP", "State", "City", "Street", "Name", "Custom 1", "Pet"])
    entry, merge = columns.reader()(["02108", "MA", "Boston", "12 Oak St", "Ann Lee", " gold ", ""])

    assert (entry.zip_code, entry.address1, entry.full_name) == ("02108", "12 Oak St", "Ann Lee")
    assert (entry.address2, merge) == ("", {"custom1": "gold"})
