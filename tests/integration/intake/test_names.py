import pytest
from hypothesis import given
from hypothesis import strategies as st

from intake.recipients.names import Name, split_name


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("Ann Lee", Name("Ann", "Lee")),
        ("Ann Marie Lee", Name("Ann Marie", "Lee")),
        ("Lee, Ann", Name("Ann", "Lee")),
        ("van Dyke, Ann", Name("Ann", "van Dyke")),
        ("Lee, Dr. Ann", Name("Ann", "Lee", salutation="Dr.")),
        ("Ann Lee, Jr.", Name("Ann", "Lee Jr.")),
        ("Ann Lee III", Name("Ann", "Lee III")),
        ("Oscar de la Cruz", Name("Oscar", "de la Cruz")),
        ("Mr. Bo Kim", Name("Bo", "Kim", salutation="Mr.")),
        ("Bo & Ann Kim", Name("Bo & Ann", "Kim")),
        ("Cher", Name("Cher")),
        ("Van Morrison", Name("Van", "Morrison")),
        ("Acme Plumbing LLC", Name(organization="Acme Plumbing LLC")),
        ("Acme Plumbing, Inc.", Name(organization="Acme Plumbing, Inc.")),
        ("", Name()),
    ],
)
def test_a_full_name_is_split_by_the_documented_rule(text: str, name: Name) -> None:
    assert split_name(text) == name


@given(
    st.lists(
        st.sampled_from(["Ann", "Lee", "Dr.", "Jr.", "van", "de", "LLC", ",", "&", "Co.", "O'Neil"]),
        max_size=6,
    )
)
def test_no_word_of_a_name_is_lost(words: list[str]) -> None:
    text = " ".join(words)

    assert sorted(" ".join(split_name(text)).replace(",", " ").split()) == sorted(
        text.replace(",", " ").split()
    )
