"""How long one call may take, part by part and in all."""

from dataclasses import dataclass

# Past the deadline nothing is sent or read any more; what may still pass is parsing the largest answer, two round
# trips to a Redis that is just going away (half a second for a connection, two tries of 1 s), and a thread that waits
# for its turn on a busy machine.
_AFTERWARDS = 5.0


@dataclass(frozen=True, slots=True)
class Timeouts:
    """Seconds, each a bound on one part; `total` bounds the whole call with its slot, connection and retries."""

    connect: float = 5.0
    read: float = 20.0
    write: float = 10.0
    pool: float = 5.0
    slot: float = 10.0
    total: float = 45.0

    def worst(self) -> float:
        """Give the seconds within which every call has returned, however the vendor drips.

        Looking up the vendor's name is the system resolver's and may outlast this; a call held up there sends
        nothing any more and is answered as not sent.
        """
        return self.total + _AFTERWARDS
