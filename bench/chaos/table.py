"""The table: one line for each contender, in Markdown."""

from collections.abc import Mapping, Sequence

from bench.chaos.verdict import Verdict

_HEADINGS = (
    "",
    "asked",
    "paid",
    "**people mailed twice**",
    "**paid twice**",
    "**lost**",
    "**strays**",
    "people missed",
    "wrong design",
    "told a person",
    "of these paid",
    "vendor calls",
    "finished after",
)


def table(verdicts: Mapping[str, tuple[Verdict, float | None]]) -> str:
    """Return the table of verdicts and seconds, by contender."""
    lines = [_line(_HEADINGS), _line(["---"] + ["--:"] * (len(_HEADINGS) - 1))]
    for name, (verdict, seconds) in verdicts.items():
        numbers = (
            verdict.asked,
            verdict.paid,
            verdict.people_twice,
            verdict.paid_twice,
            verdict.lost,
            verdict.strays,
            verdict.people_missed,
            verdict.wrong_design,
            sum(verdict.told.values()),
            verdict.told_but_paid,
            verdict.calls,
        )
        ended = "not in time" if seconds is None else f"{seconds:.0f} s"
        lines.append(_line([name, *(f"{number:,}" for number in numbers), ended]))
    return "\n".join(lines)


def reasons(verdict: Verdict) -> str:
    """Return what a person was told, with how often."""
    return ", ".join(f"{why}: {number}" for why, number in sorted(verdict.told.items())) or "nothing"


def _line(cells: Sequence[str]) -> str:
    return "| " + " | ".join(cells) + " |"
