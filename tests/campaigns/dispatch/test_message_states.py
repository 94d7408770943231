import pytest
from hypothesis import given
from hypothesis import strategies as st

from campaigns.dispatch import message_states as states


def test_what_is_final_is_final() -> None:
    assert {"delivered", "undelivered", "failed", "excluded", "stopped"} == states.FINAL


@given(st.lists(st.sampled_from(sorted(states.NEXT)), max_size=30))
def test_no_order_of_news_takes_a_message_out_of_a_final_state_or_back_to_planned_from_the_provider(
    news: list[str],
) -> None:
    state, heard = states.PLANNED, False
    for new in news:
        if new in states.NEXT[state]:
            assert state not in states.FINAL
            assert not (heard and new == states.PLANNED)
            state = new
            heard = heard or new in {states.ACCEPTED, states.SENT, states.UNKNOWN}


def test_a_message_that_may_have_been_sent_is_never_planned_again() -> None:
    assert not states.NEXT[states.UNKNOWN] & {states.PLANNED, states.SENDING}


@pytest.mark.parametrize("new", sorted(states.NEXT))
def test_the_where_of_an_update_is_read_from_the_table(new: str) -> None:
    assert states.before(new) == sorted(old for old in states.NEXT if new in states.NEXT[old])
