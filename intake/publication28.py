"""Which spellings of a street line mean the same, after USPS Publication 28; `intake.folding` folds them.

Two lines that a letter carrier would read as one place fold to the same text: `12 North Main Street, Apartment 4`
and `12 N. MAIN ST #4`. Abbreviations are those of Publication 28: street suffixes (appendix C1), secondary
units (C2) and directions (section 233). A word is folded wherever it stands, which is right only because both
sides of a comparison are folded alike.
"""

from typing import Final

# Each line: the standard abbreviation, then the spellings that fold to it.
_SUFFIXES: Final = """
aly alley allee ally
anx annex anex annx
arc arcade
ave avenue av aven avenu avn avnue
byu bayou bayoo
bch beach
bnd bend
blf bluff bluf
blfs bluffs
btm bottom bot bottm
blvd boulevard boul boulv bld
br branch brnch
brg bridge brdge
brk brook
brks brooks
bg burg
byp bypass bypa bypas byps
cp camp cmp
cyn canyon canyn cnyn
cpe cape
cswy causeway causwa
ctr center centre cen cent centr cnter cntr
ctrs centers
cir circle circ circl crcl crcle
clf cliff
clfs cliffs
clb club
cmn common
cmns commons
cor corner
cors corners
crse course
ct court crt
cts courts
cv cove
crk creek
cres crescent crsent crsnt
crst crest
xing crossing crssng
xrd crossroad
curv curve
dl dale
dm dam
dv divide div dvd
dr drive driv drv
est estate
ests estates
expy expressway exp expr express expw
ext extension extn extnsn
fls falls
fry ferry frry
fld field
flds fields
flt flat
flts flats
frd ford
frst forest forests
frg forge forg
frk fork
frks forks
ft fort frt
fwy freeway freewy frway frwy
gdn garden gardn grden grdn
gdns gardens grdns
gtwy gateway gatewy gatway gtway
gln glen
grn green
grv grove grov
hbr harbor harb harbr hrbor
hvn haven
hts heights ht
hwy highway highwy hiway hiwy hway
hl hill
hls hills
holw hollow hllw hollows holws
inlt inlet
is island islnd
iss islands islnds
jct junction jction jctn junctn juncton
ky key
kys keys
knl knoll knol
knls knolls
lk lake
lks lakes
lndg landing lndng
ln lane
lgt light
lf loaf
lck lock
lcks locks
ldg lodge ldge lodg
mnr manor
mnrs manors
mdw meadow
mdws meadows mdw medows
ml mill
mls mills
msn mission missn mssn
mtwy motorway
mt mount mnt
mtn mountain mntain mntn mountin mtin
mtns mountains mntns
nck neck
orch orchard orchrd
oval ovl
opas overpass
park prk
pkwy parkway parkwy pkway pky parkways pkwys
psge passage
pne pine
pnes pines
pl place
pln plain
plns plains
plz plaza plza
pt point
pts points
prt port
pr prairie prr
radl radial rad radiel
rnch ranch ranches rnchs
rpd rapid
rpds rapids
rst rest
rdg ridge rdge
rdgs ridges
riv river rvr rivr
rd road
rds roads
rte route rt
shl shoal
shr shore shoar
shrs shores shoars
skwy skyway
spg spring spng sprng
spgs springs spngs sprngs
sq square sqr sqre squ
sqs squares sqrs
sta station statn stn
stra stravenue strav straven strvn
strm stream streme
st street strt str saint
sts streets
smt summit sumit sumitt
ter terrace terr
trwy throughway
trce trace traces
trak track tracks trk trks
trfy trafficway
trl trail trails trls
trlr trailer trlrs
tunl tunnel tunel tunls tunnl
tpke turnpike trnpk turnpk
upas underpass
un union
vly valley vally vlly
vlys valleys
via viaduct vdct viadct
vw view
vws views
vlg village vill villag villg villiage
vl ville
vis vista vist vst vsta
way wy
wl well
wls wells
"""

_UNITS: Final = """
# apt apartment aprt ste suite unit
bldg building
bsmt basement
dept department
fl floor flr
frnt front
hngr hanger hangar
lbby lobby
lowr lower
ofc office
ph penthouse
rm room
slip slp
spc space
uppr upper
"""

_DIRECTIONS: Final = """
n north
s south
e east
w west
ne northeast
nw northwest
se southeast
sw southwest
"""


def _spellings(*tables: str) -> dict[str, str]:
    lines = [line.split() for table in tables for line in table.strip().splitlines()]
    return {spelling: short for short, *spellings in lines for spelling in spellings}


SHORT: Final = _spellings(_SUFFIXES, _UNITS, _DIRECTIONS)

# Several words that stand for fewer, once each word is in its short form.
PHRASES: Final = (
    *(("p o box", "po box"), ("post ofc box", "po box"), ("pobox", "po box"), ("pob", "po box")),
    *(("rural rte", "rr"), ("rural delivery", "rr"), ("rfd", "rr")),
    *(("n e", "ne"), ("n w", "nw"), ("s e", "se"), ("s w", "sw")),
)
