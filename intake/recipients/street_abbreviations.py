"""Spellings of a street line that mean the same, after USPS Publication 28.

`intake.recipients.normalize` folds them.

Two lines that a letter carrier would read as one place fold to the same text: `12 North Main Street, Apartment 4`
and `12 N. MAIN ST #4`. Abbreviations are those of Publication 28: street suffixes (appendix C1), secondary
units (C2) and directions (section 233). A word is folded wherever it stands, which is right only because both
sides of a comparison are folded alike.
"""

from typing import Final

from intake.recipients.street_suffixes import STREET_SUFFIXES

# Each line of a table: the standard abbreviation, then the spellings that fold to it.

# Words after which a value may follow. Their short forms begin with #, which no line's own words do:
# a line without one needs no closer look. "#" itself is a unit of no particular kind.
_UNITS: Final = """
# apt apartment aprt appt ste suite unit pmb
#no no num number nbr
#bldg building bldng bldg
#bsmt basement bsmt
#dept department dept
#fl floor flr fl
#frnt front frnt
#hngr hanger hangar hngr
#key key
#lbby lobby lbby
#lot lot
#lowr lower lowr lwr
#ofc office ofc
#ph penthouse ph
#pier pier
#rear rear
#rm room rm
#side side
#slip slip slp
#spc space spc
#stop stop
#trlr trailer trlrs trlr
#uppr upper uppr upr
"""

# Post office boxes and routes (sections 24, 25 and 28).
_BOXES: Final = """
#box box bx
#drawer drawer caller lockbox bin
#pob pob pobox apartado
#po po
#rr rr rfd
#rural rural
#hc hc hcr
#contract contract
#star star
"""

# Words that begin several words which stand for fewer.
_BEGINNINGS: Final = """
#p p
#post post
#lck lock lck
#firm firm
#r r
#h h
#gen gen
#state state
#county county cnty
#co co
#us us
#u u
#fm fm
#farm farm
#interstate interstate
#martin martin
#m m
#ml ml
#mlk mlk
"""

# Written out, a direction keeps a mark until it is known whether it is a street's name.
_DIRECTIONS: Final = """
~n north
~s south
~e east
~w west
~ne northeast
~nw northwest
~se southeast
~sw southwest
"""

# Numeric street names may be written either way (appendix of section 23): Fifth, 5th and 5 are one.
_ORDINALS: Final = """
1 first
2 second
3 third
4 fourth
5 fifth
6 sixth
7 seventh
8 eighth
9 ninth
10 tenth
11 eleventh
12 twelfth
13 thirteenth
14 fourteenth
15 fifteenth
16 sixteenth
17 seventeenth
18 eighteenth
19 nineteenth
20 twentieth
30 thirtieth
40 fortieth
50 fiftieth
60 sixtieth
70 seventieth
80 eightieth
90 ninetieth
100 hundredth
"""

_TENS: Final = """
20 twenty
30 thirty
40 forty
50 fifty
60 sixty
70 seventy
80 eighty
90 ninety
"""

_NUMBERS: Final = """
1 one
2 two
3 three
4 four
5 five
6 six
7 seven
8 eight
9 nine
10 ten
"""

_ORDINARY: Final = """
st ave blvd rd dr ln ct pl ter cir wy sq trl pkwy hwy aly
"""


def _spellings(*tables: str) -> dict[str, str]:
    lines = [line.split() for table in tables for line in table.strip().splitlines()]
    return {spelling: short for short, *spellings in lines for spelling in spellings}


def _numbers(table: str) -> dict[str, int]:
    return {word: int(number) for word, number in _spellings(table).items()}


DIRECTIONS: Final = frozenset(line.split()[0].removeprefix("~") for line in _DIRECTIONS.strip().splitlines())
WRITTEN_OUT: Final = {short: word for word, short in _spellings(_DIRECTIONS).items()}
ORDINALS: Final = _numbers(_ORDINALS)
TENS: Final = _numbers(_TENS)
NUMBERS: Final = _numbers(_NUMBERS)
_LARGEST_ORDINAL: Final = 999
SHORT: Final = {
    **_spellings(STREET_SUFFIXES, _UNITS, _BOXES, _BEGINNINGS, _DIRECTIONS, _ORDINALS),
    **{
        f"{number}{ending}": str(number)
        for number in range(1, _LARGEST_ORDINAL + 1)
        for ending in ("st", "nd", "rd", "th")
    },
}
SUFFIXES: Final = frozenset(line.split()[0] for line in STREET_SUFFIXES.strip().splitlines())

NAMED_SUFFIXES: Final = frozenset(_ORDINARY.split())
"""Suffixes that make the word before them a street's name."""

NUMBERED_SUFFIXES: Final = frozenset({"rd", "hwy", "trl", "sq", "aly"})
"""Those of them after which a number names the road, not a unit."""

UNIT_KINDS: Final = frozenset(line.split()[0] for line in _UNITS.strip().splitlines()) | {"#box"}
BARE_UNITS: Final = frozenset({"#bsmt", "#frnt", "#lbby", "#lowr", "#ofc", "#ph", "#rear", "#side", "#uppr"})
"""Units that need no value."""
NAMED_UNITS: Final = frozenset({"#", "#bldg", "#dept", "#rm"})
"""Units whose value may be a word, such as a building's name."""

DIRECTION_PAIRS: Final = (("n e", "ne"), ("n w", "nw"), ("s e", "se"), ("s w", "sw"))


def _phrases(*groups: tuple[str, str]) -> dict[str, list[tuple[list[str], str]]]:
    found: dict[str, list[tuple[list[str], str]]] = {}
    for short, phrases in groups:
        for phrase in phrases.split(","):
            first, *rest = phrase.split()
            found.setdefault(first, []).append((rest, short))
    return {first: sorted(several, key=lambda one: -len(one[0])) for first, several in found.items()}


# Several words that stand for fewer, once each word is in its short form; by their first word, the longest first.
PHRASES: Final = _phrases(
    ("#pob", "#p o #box, #post #ofc #box, #po #box, #po #no, #pob #box"),
    ("#pob", "#p o #drawer, #post #ofc #drawer, #po #drawer, #p o #no"),
    ("#drawer", "#lck #box, #firm #drawer"),
    ("#rr", "#r #r rte, #r #r, #r f d, #rural rte, #rural delivery, #rural free delivery, #rr rte"),
    ("#hc", "#h c #r, #h c rte, #h c, hwy #contract rte, hwy #contract, #star rte, #hc rte"),
    ("general delivery", "#gen delivery, #gen del"),
    ("sr", "#state rd, #state rte"),
    ("cr", "#county rd, #co rd"),
    ("county hwy", "#co hwy"),
    ("us", "#us hwy, #us rte, #u s hwy, #u s rte, #u s"),
    ("interstate", "#interstate hwy"),
    ("fm", "#farm to market rd, #farm to market, #fm rd"),
    (
        "mlk",
        "#martin luther king jr, #martin luther king, #m l king jr, #m l king, #ml king jr, #ml king, #mlk jr",
    ),
)
