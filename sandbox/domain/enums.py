"""The choices a caller has, in the vendor's words."""

from enum import StrEnum


class Postage(StrEnum):
    """How an order is posted."""

    STANDARD = "Standard"
    FIRST_CLASS = "FirstClass"


class Speed(StrEnum):
    """How fast an order is produced; HailTrace is quoted but cannot be asked for."""

    NORMAL = "Normal"
    FASTER = "ExpeditedFaster"
    FASTEST = "ExpeditedFastest"
    HAIL_TRACE = "HailTrace"


ASKABLE_SPEEDS = frozenset({Speed.NORMAL, Speed.FASTER, Speed.FASTEST})
