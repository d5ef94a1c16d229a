"""The limit: the five calls in a loop, by threads or by asyncio, and nothing else.

``bare KIND CONCURRENCY FILE`` reads its mailings, says that it is ready, and begins when it is let go.
"""

import asyncio
import os
import signal
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import local

import httpx

from bench import workload
from bench.peers.vendor import CHECKOUT, QUOTE, Vendor, on_the_wire
from bench.workload import SampleMailing

_here = local()


def main() -> None:
    """Do all of it once."""
    kind, concurrency = sys.argv[1], int(sys.argv[2])
    mailings = workload.read(Path(sys.argv[3]))
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGCONT})
    print("ready.", flush=True)
    signal.sigwait({signal.SIGCONT})
    if kind == "threads":
        with ThreadPoolExecutor(concurrency) as pool:
            list(pool.map(_send, mailings))
    else:
        asyncio.run(_send_all(mailings, concurrency))


def _send(letter: SampleMailing) -> None:
    vendor: Vendor | None = getattr(_here, "vendor", None)
    if vendor is None:
        # A client for each thread: the threads of one get in each other's way in its pool.
        vendor = _here.vendor = Vendor()
    order = vendor.create(letter)
    vendor.attach(order, letter)
    vendor.proof(order)
    vendor.summarize(order)
    vendor.checkout(order)


async def _send_all(mailings: list[SampleMailing], concurrency: int) -> None:
    waiting = iter(mailings)
    async with httpx.AsyncClient(
        base_url=os.environ["LETTRLABS_BASE_URL"],
        headers={"X-API-KEY": os.environ["LETTRLABS_API_KEY"]},
        timeout=30,
    ) as client:
        await asyncio.gather(*(_send_some(client, waiting) for _ in range(concurrency)))


async def _send_some(client: httpx.AsyncClient, waiting: Iterator[SampleMailing]) -> None:
    for letter in waiting:
        order = (await _call(client, "POST", "/v1/order", {"templateId": letter.template}))["orderId"]
        people = {"recipients": [on_the_wire(person) for person in letter.people]}
        await _call(client, "PUT", f"/v1/order/{order}/recipients", people)
        await _call(client, "GET", f"/v1/order/{order}/proof")
        await _call(client, "GET", f"/v1/order/{order}/checkout?{QUOTE}")
        await _call(client, "POST", f"/v1/order/{order}/checkout", CHECKOUT)


async def _call(client: httpx.AsyncClient, method: str, path: str, body: object = None) -> dict[str, int]:
    answer = await client.request(method, path, json=body)
    answer.raise_for_status()
    told = answer.json()
    return told["payload"] if isinstance(told, dict) else {}


if __name__ == "__main__":
    main()
