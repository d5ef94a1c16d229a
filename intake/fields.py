"""What a list can say about a recipient: the fields, their headings, and where each one ends up."""

from enum import StrEnum
from typing import Final


class Field(StrEnum):
    """The fields a column can hold. Merge fields go by the vendor's names (LettrLabs reference, Add Recipients)."""

    FIRST_NAME = "first_name"
    LAST_NAME = "last_name"
    FULL_NAME = "full_name"
    ORGANIZATION = "organization"
    SALUTATION = "salutation"
    ADDRESS1 = "address1"
    ADDRESS2 = "address2"
    CITY = "city"
    STATE = "state"
    ZIP_CODE = "zip_code"
    ZIP4 = "zip4"
    COUNTRY = "country"
    EMAIL = "email"
    PHONE = "phone"
    CUSTOMER_ID = "customer_id"
    CUSTOM1 = "custom1"
    CUSTOM2 = "custom2"
    CUSTOM3 = "custom3"
    CUSTOM4 = "custom4"
    CUSTOM5 = "custom5"
    CUSTOM6 = "custom6"
    IMAGE1 = "image1"
    IMAGE2 = "image2"
    IMAGE3 = "image3"
    IMAGE4 = "image4"
    IMAGE5 = "image5"
    IMAGE6 = "image6"
    TEXT = "text"
    TEXT2 = "text2"
    QR_URL = "qrUrl"
    RETURN_TITLE = "returnTitle"
    RETURN_FIRST_NAME = "returnFirstName"
    RETURN_LAST_NAME = "returnLastName"
    RETURN_ORGANIZATION = "returnOrganization"
    RETURN_ADDRESS1 = "returnAddress1"
    RETURN_ADDRESS2 = "returnAddress2"
    RETURN_CITY = "returnCity"
    RETURN_STATE = "returnState"
    RETURN_ZIP = "returnZip"


CUSTOM_FIELDS: Final = tuple(field for field in Field if field.startswith("custom") and field[-1].isdigit())
URL_FIELDS: Final = frozenset(field for field in Field if field.startswith("image")) | {Field.QR_URL}

MERGE_FIELDS: Final = tuple(Field)[tuple(Field).index(Field.CUSTOM1) :]
REQUIRED_FIELDS: Final = (Field.ADDRESS1, Field.CITY, Field.STATE, Field.ZIP_CODE)
NAME_FIELDS: Final = (Field.FIRST_NAME, Field.LAST_NAME, Field.FULL_NAME, Field.ORGANIZATION)

# Written as folded by `heading_form`: lower case, letters and digits only.
_SYNONYMS: Final = {
    Field.FIRST_NAME: "firstname fname first given givenname forename",
    Field.LAST_NAME: "lastname lname last surname familyname",
    Field.FULL_NAME: "fullname name contact contactname recipient recipientname customername addressee",
    Field.ORGANIZATION: "organization organisation company companyname business businessname toorganization org",
    Field.SALUTATION: "salutation",
    Field.ADDRESS1: "address1 address addressline1 line1 street street1 streetaddress address1street "
    "mailingaddress mailingaddress1 mailingstreet primaryaddress addr addr1 shippingaddress1",
    Field.ADDRESS2: "address2 addressline2 line2 street2 unit suite apt apartment aptsuite apartmentsuite aptunit "
    "mailingaddress2 secondaryaddress addr2 shippingaddress2",
    Field.CITY: "city town mailingcity shippingcity",
    Field.STATE: "state st stateprovince province stateregion region statecode mailingstate shippingprovince "
    "shippingstate",
    Field.ZIP_CODE: "zipcode zip zip5 postalcode postcode postal mailingzip mailingpostalcode mailingzippostalcode "
    "zippostalcode shippingzip",
    Field.ZIP4: "zip4 plus4 zipplus4",
    Field.COUNTRY: "country countrycode countryregion mailingcountry shippingcountry",
    Field.EMAIL: "email emailaddress",
    Field.PHONE: "phone phonenumber telephone tel",
    Field.CUSTOMER_ID: "customerid customernumber customerno clientid accountid contactid memberid",
}


def heading_form(heading: str) -> str:
    """Return a heading without case, spaces and punctuation, the form in which headings are compared."""
    return "".join(letter for letter in heading.casefold() if letter.isalnum())


_BY_HEADING: Final = {
    **{heading_form(field): field for field in Field},
    **{word: field for field, words in _SYNONYMS.items() for word in words.split()},
}


def field_for(heading: str) -> Field | None:
    """Return the field that a heading means, or None if it means none."""
    return _BY_HEADING.get(heading_form(heading))
