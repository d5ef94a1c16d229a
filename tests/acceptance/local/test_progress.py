import pytest

from console import progress


def test_a_long_list_says_every_hundred_thousand_rows_how_far_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    said: list[str] = []
    monkeypatch.setattr(progress, "print_note", said.append)
    tell = progress.told("Looked over")

    for rows in (*range(1000, 250_001, 1000), 250_000):
        tell(rows)

    assert said == ["Looked over: 100,000 rows", "Looked over: 200,000 rows"]


def test_a_list_of_the_usual_length_says_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    said: list[str] = []
    monkeypatch.setattr(progress, "print_note", said.append)

    progress.told("Looked over")(99_999)

    assert said == []
