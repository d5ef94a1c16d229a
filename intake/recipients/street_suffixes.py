"""Street suffixes of USPS Publication 28, appendix C1, with the spellings that are in use."""

from typing import Final

# Each line: the standard abbreviation, then the spellings that fold to it.
STREET_SUFFIXES: Final = """
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
bgs burgs
cirs circles
cvs coves
drs drives
dr doctor
frds fords
frgs forges
glns glens
grns greens
grvs groves
hbrs harbors
isle isles
jcts junctions
lgts lights
loop loops
path paths
pike pikes
prts ports
ramp ramps
shls shoals
spur spurs
uns unions
vlgs villages
walk walks
xrds crossroads
"""
