"""Two looks for strays, as the hourly beat takes them within two hours: prints what each found and deleted, as JSON.

A process of its own, for the impatience must come before anything of Mailrun's is imported.
"""

import json
from datetime import timedelta

from bench.chaos.worker import make_impatient


def main() -> None:
    """Sweep twice."""
    make_impatient()
    from worker.clock import system_clock  # noqa: PLC0415 - as above
    from worker.context import open_context  # noqa: PLC0415 - as above
    from worker.periodic import orphan_sweep  # noqa: PLC0415 - finds the lower bounds
    from worker.settings import read_settings  # noqa: PLC0415 - as above

    context = open_context(read_settings())
    swept = [orphan_sweep.run_once(context, system_clock() + timedelta(hours=hours)) for hours in (1, 2)]
    context.close()
    print(json.dumps([{"found": len(one.found), "deleted": len(one.deleted)} for one in swept]))


if __name__ == "__main__":
    main()
