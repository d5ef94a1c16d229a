"""Which of a list's addresses is mailed, where its headings name several.

An export of orders has a shipping and a billing address, one of contacts a home and a work address. Each address that
is whole is a group of columns with the names that belong to it; a row is mailed to its first group that has a street.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from intake.csv.column_checks import two_columns
from intake.recipients.fields import MERGE_FIELDS, REQUIRED_FIELDS, Field, Meaning, preference

Group = dict[Field, int]
"""The columns of one address and of the names with it."""

_PLACE: Final = (
    *(Field.ADDRESS1, Field.ADDRESS2, Field.CITY, Field.STATE, Field.ZIP_CODE, Field.ZIP4, Field.COUNTRY),
    Field.FULL_ADDRESS,
)
_PERSON: Final = (Field.FIRST_NAME, Field.LAST_NAME, Field.FULL_NAME)
_NAMES: Final = (*_PERSON, Field.ORGANIZATION, Field.SALUTATION, Field.SUFFIX)
_CONTACT: Final = (Field.EMAIL, Field.PHONE, Field.CUSTOMER_ID)
# Beside a whole address, a street of these leaves it open which one is meant.
_AMBIGUOUS: Final = frozenset({"", "mailing"})


class AddressColumns:
    """Chooses among the columns of a list, by what their headings mean and by what a mapping says."""

    def __init__(
        self,
        headings: Sequence[str],
        meanings: Iterable[tuple[int, Meaning]],
        told: Mapping[Field, int],
        *,
        lenient: bool,
    ) -> None:
        """`told` wins over every meaning; `lenient` does not refuse a second street: the export is a known one."""
        self._headings = headings
        self._told = told
        self._lenient = lenient
        self._claims: dict[str, dict[Field, list[tuple[int, int]]]] = defaultdict(lambda: defaultdict(list))
        for at, meaning in meanings:
            self._claims[meaning.qualifier][meaning.field].append((meaning.rank, at))
        self._order = sorted(self._claims, key=preference)

    def groups(self) -> list[Group]:
        """Return the groups, the preferred one first; raises ColumnsError where two columns mean one field."""
        return [self._with_names(qualifier, place) for qualifier, place in self._places()]

    def common(self) -> Group:
        """Return the columns that belong to no address: email, phone, customer id and merge fields."""
        found: Group = {}
        for field in (*_CONTACT, *MERGE_FIELDS):
            for qualifier in self._order:
                if field in self._claims[qualifier] and field not in found:
                    found[field] = self._one(qualifier, field)
        return found | {field: at for field, at in self._told.items() if field in {*_CONTACT, *MERGE_FIELDS}}

    def _places(self) -> list[tuple[str, Group]]:
        told: Group = {field: at for field, at in self._told.items() if field in _PLACE}
        places = {qualifier: self._of(qualifier, _PLACE) for qualifier in self._order}
        if told:
            return [("", _without_doubles(self._merged(places, told) | told))]
        whole = [(qualifier, place) for qualifier, place in places.items() if _is_whole(place)]
        if not whole and not any(_is_homeless(place) for place in places.values()):
            whole = [(name, _in_one_cell(place)) for name, place in places.items() if Field.ADDRESS1 in place]
        if not whole:
            return [("", self._merged(places, told))]
        self._require_no_other(places, dict(whole))
        return whole

    def _merged(self, places: Mapping[str, Group], told: Group) -> Group:
        merged: Group = {}
        for place in places.values():
            if Field.ADDRESS1 in merged and Field.ADDRESS1 in place and Field.ADDRESS1 not in told:
                columns = [merged[Field.ADDRESS1], place[Field.ADDRESS1]]
                raise two_columns(self._headings, Field.ADDRESS1, sorted(columns))
            merged = place | merged
        return merged

    def _require_no_other(self, places: Mapping[str, Group], whole: Mapping[str, Group]) -> None:
        if self._lenient:
            return
        used = next(iter(whole.values()))
        for qualifier, place in places.items():
            if qualifier not in whole and qualifier in _AMBIGUOUS and Field.ADDRESS1 in place:
                columns = [used.get(Field.ADDRESS1, used.get(Field.FULL_ADDRESS, 0)), place[Field.ADDRESS1]]
                raise two_columns(self._headings, Field.ADDRESS1, sorted(columns))

    def _with_names(self, qualifier: str, place: Group) -> Group:
        named = [one for one in self._order if any(field in self._claims[one] for field in _PERSON)]
        source = next((one for one in (qualifier, "", *named) if one in named), qualifier)
        names = self._of(source, _NAMES)
        for other in (qualifier, "") if source == "" or not names else (qualifier,):
            names = self._organization(other) | names
        if {Field.FIRST_NAME, Field.LAST_NAME} & set(names):
            names.pop(Field.FULL_NAME, None)
        return place | self._told_names(names)

    def _organization(self, qualifier: str) -> Group:
        return self._of(qualifier, (Field.ORGANIZATION,))

    def _told_names(self, names: Group) -> Group:
        """Return names as the mapping has them: a whole name told replaces the parts found, and the parts a whole."""
        told = {field: at for field, at in self._told.items() if field in _NAMES}
        if Field.FULL_NAME in told:
            names = {
                at: field for at, field in names.items() if at not in {Field.FIRST_NAME, Field.LAST_NAME}
            }
        elif {Field.FIRST_NAME, Field.LAST_NAME} & set(told):
            names = {at: field for at, field in names.items() if at is not Field.FULL_NAME}
        return names | told

    def _of(self, qualifier: str, fields: Iterable[Field]) -> Group:
        return {field: self._one(qualifier, field) for field in fields if field in self._claims[qualifier]}

    def _one(self, qualifier: str, field: Field) -> int:
        claims = sorted(self._claims[qualifier][field])
        best = [at for rank, at in claims if rank == claims[0][0]]
        if len(best) > 1 and field not in self._told and not self._may_choose(qualifier, field):
            raise two_columns(self._headings, field, best)
        return best[0]

    def _may_choose(self, qualifier: str, field: Field) -> bool:
        """Tell whether it does not matter which of several columns is taken."""
        return (self._lenient and field in _CONTACT) or (bool(qualifier) and field in _CONTACT)


def _is_whole(place: Group) -> bool:
    return set(REQUIRED_FIELDS) <= set(place) or Field.FULL_ADDRESS in place


def _is_homeless(place: Group) -> bool:
    """Tell whether there are parts of an address: a street by itself is then not a whole address."""
    return Field.CITY in place or Field.ZIP_CODE in place


def _in_one_cell(place: Group) -> Group:
    others: Group = dict(place)
    return others | {Field.FULL_ADDRESS: others.pop(Field.ADDRESS1)}


def _without_doubles(place: Group) -> Group:
    if Field.FULL_ADDRESS in place and Field.ZIP_CODE in place and Field.ADDRESS1 in place:
        place.pop(Field.FULL_ADDRESS)
    return place
