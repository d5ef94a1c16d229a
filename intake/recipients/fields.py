"""The fields of a recipient, and the headings that mean them."""

from enum import StrEnum
from functools import lru_cache
from typing import Final, NamedTuple


class Field(StrEnum):
    """A field that a column can hold.

    `suffix` goes behind the last name; `full_address` is a whole address in one cell. Merge fields have the vendor's
    names (LettrLabs reference, Add Recipients).
    """

    FIRST_NAME = "first_name"
    LAST_NAME = "last_name"
    FULL_NAME = "full_name"
    ORGANIZATION = "organization"
    SALUTATION = "salutation"
    SUFFIX = "suffix"
    FULL_ADDRESS = "full_address"
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

# Written as folded by `heading_form`: lower case, letters and digits only. A word behind a semicolon is a second
# choice: where both are there, the first is taken.
_SYNONYMS: Final = {
    Field.FIRST_NAME: "firstname fname first givenname given forename",
    Field.LAST_NAME: "lastname lname last surname familyname",
    Field.FULL_NAME: "fullname name;recipientname recipient addressee contact contactname;customername customer "
    "customerfullname contactfullname clientname donorname membername displayname",
    Field.ORGANIZATION: "organization organisation company companyname business businessname toorganization org "
    "organizationname;accountname companyaccount organization1name associatedcompany primaryassociatedcompany",
    Field.SALUTATION: "salutation honorific nameprefix mrms mrmrsms",
    Field.SUFFIX: "suffix namesuffix",
    Field.FULL_ADDRESS: "fulladdress completeaddress formattedaddress addressfull wholeaddress postaladdress",
    Field.ADDRESS1: "address1 address addressline1 line1 street street1 streetaddress primaryaddress addr addr1 "
    "streetaddress1 streetaddressline1 addressline streetline1 streetname address1line;address12 address1and2",
    Field.ADDRESS2: "address2 addressline2 line2 street2 unit suite apt apartment aptsuite apartmentsuite aptunit "
    "secondaryaddress addr2 streetaddress2 streetaddressline2 extendedaddress streetline2 unitnumber aptnumber "
    "aptsuiteunit address2line",
    Field.CITY: "city town towncity citytown locality",
    Field.STATE: "provincecode statecode stateabbreviation stateabbr;state st stateprovince province stateregion "
    "region provincestate regionstate stateprovinceregion"
    " stateprovinceregioncountyterritoryprefecturerepublic;provincename statename",
    Field.ZIP_CODE: "zipcode zip zip5 postalcode postcode postal zippostalcode postalzip postalzipcode zipcodepostal "
    "zippostcode postcodezip",
    Field.ZIP4: "zip4 plus4 zipplus4",
    Field.COUNTRY: "countrycode;country countryregion nation;countryname",
    Field.EMAIL: "email emailaddress;email1value email1;primaryemail",
    Field.PHONE: "phone phonenumber telephone tel;phone1value phone1 phonenumbers mainphone;"
    "mobilephone mobile cellphone cell mobilenumber",
    Field.CUSTOMER_ID: "customerid customernumber customerno clientid accountid contactid memberid",
}

# Before or behind a heading (`Shipping City`, `City (Shipping)`), by which address is preferred.
_QUALIFIERS: Final = (
    "shipping shipto ship delivery deliverto recipient shippingaddress",
    "mailing mail mailto mailingaddress",
    "home homeaddress personal person",
    "defaultaddress default primary primaryaddress contact customer client member donor buyer owner",
    "address1 primarycontact",
    "billing billto bill billingaddress invoice",
    "business work office company workaddress businessaddress",
    "property service location",
    "address2 other otheraddress secondary",
    "cardaddress card",
)


class Meaning(NamedTuple):
    """What a heading means: a field, whose (an empty text where the heading does not say), and how surely."""

    field: Field
    qualifier: str = ""
    rank: int = 0


def heading_form(heading: str) -> str:
    """Return a heading without case, spaces and punctuation, the form in which headings are compared."""
    return "".join(letter for letter in heading.casefold() if letter.isalnum())


_BY_HEADING: Final = {
    **{heading_form(field): Meaning(field) for field in Field},
    **{
        word: Meaning(field, rank=rank)
        for field, words in _SYNONYMS.items()
        for rank, choices in enumerate(words.split(";"))
        for word in choices.split()
    },
}
_PREFERENCE: Final = {word: at for at, words in enumerate(_QUALIFIERS, 1) for word in words.split()}
_LONGEST_FIRST: Final = sorted(_PREFERENCE, key=len, reverse=True)


def field_for(heading: str) -> Field | None:
    """Return the field that a heading means without saying whose, or None if it means none."""
    meaning = _BY_HEADING.get(heading_form(heading))
    return meaning and meaning.field


@lru_cache(maxsize=4096)
def meaning_of(heading: str) -> Meaning | None:
    """Return what a heading means, or None."""
    form = heading_form(heading)
    plain = _BY_HEADING.get(form)
    if plain:
        return plain
    for word in _LONGEST_FIRST:
        base = _without(form, word)
        found = _BY_HEADING.get(base) if base else None
        if found and found.field not in MERGE_FIELDS:
            return found._replace(qualifier=_QUALIFIERS[_PREFERENCE[word] - 1].partition(" ")[0])
    return None


def _without(form: str, word: str) -> str:
    if form.startswith(word):
        return form[len(word) :]
    return form[: -len(word)] if form.endswith(word) else ""


def preference(qualifier: str) -> int:
    """Return the place of a qualifier among the others: the smallest is preferred."""
    return _PREFERENCE.get(qualifier, 0)
