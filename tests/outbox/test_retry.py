from datetime import UTC, datetime, timedelta
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from outbox import errors
from outbox.errors import SendError
from outbox.retry import RetryPolicy

NOW = datetime(2026, 3, 10, 12, 0, tzinfo=UTC)
POLICY = RetryPolicy(base=timedelta(seconds=10), cap=timedelta(hours=1), tries=8)


class Highest(Random):
    """Chance that always falls on the far end."""

    def random(self) -> float:
        return 1.0


def all_errors(base: type[SendError] = SendError) -> list[type[SendError]]:
    return [base, *(found for child in base.__subclasses__() for found in all_errors(child))]


def test_every_error_has_a_code_of_its_own_and_words_for_the_operator() -> None:
    codes = [error.code for error in all_errors()]
    assert len(codes) == len(set(codes)) > 10
    assert all(len(code) <= 32 for code in codes)
    assert all(str(error()).endswith(".") for error in all_errors())


def test_the_tree_in_the_docstring_names_every_error() -> None:
    drawn = errors.__doc__ or ""
    assert [error.__name__ for error in all_errors() if error.__name__ not in drawn] == []


def test_no_error_that_uses_no_attempt_leaves_the_channel_running_hot() -> None:
    assert all(error.effect != "none" for error in all_errors() if not error.uses_attempt)


@pytest.mark.parametrize("attempt", [1, 2, 3, 7])
def test_waiting_grows_by_doubling(attempt: int) -> None:
    due = POLICY.next_try(attempt, errors.Unavailable(), NOW, Highest())
    assert due == NOW + timedelta(seconds=10) * 2 ** (attempt - 1)


def test_waiting_is_capped() -> None:
    far = RetryPolicy(base=timedelta(seconds=10), cap=timedelta(hours=1), tries=10_000)
    assert far.next_try(5_000, errors.Unavailable(), NOW, Highest()) == NOW + timedelta(hours=1)


@given(st.integers(1, 7), st.integers())
def test_jitter_spreads_from_a_second_to_the_ceiling(attempt: int, seed: int) -> None:
    due = POLICY.next_try(attempt, errors.Deferred(), NOW, Random(seed))
    assert due is not None
    assert timedelta(seconds=1) <= due - NOW <= timedelta(seconds=10) * 2 ** (attempt - 1)


def test_the_providers_wish_is_a_floor() -> None:
    error = errors.Deferred(retry_after=timedelta(minutes=20))
    due = POLICY.next_try(1, error, NOW, Random(1))
    assert due is not None
    assert timedelta(minutes=20) <= due - NOW <= timedelta(minutes=20, seconds=10)


def test_a_wish_for_a_year_is_believed_for_a_day() -> None:
    due = POLICY.next_try(1, errors.Deferred(retry_after=timedelta(days=365)), NOW, Random(1))
    assert due is not None
    assert due - NOW < timedelta(days=1, minutes=1)


@pytest.mark.parametrize("error", all_errors(errors.Final), ids=lambda error: error.code)
def test_a_final_error_is_never_tried_again(error: type[SendError]) -> None:
    assert POLICY.next_try(1, error(), NOW, Random(1)) is None


def test_tries_are_bounded() -> None:
    assert POLICY.next_try(7, errors.Unavailable(), NOW, Random(1)) is not None
    assert POLICY.next_try(8, errors.Unavailable(), NOW, Random(1)) is None


@pytest.mark.parametrize("error", [errors.Offline, errors.Throttled, errors.AuthFailed], ids=lambda error: error.code)
def test_being_offline_for_ever_uses_up_nothing(error: type[SendError]) -> None:
    assert POLICY.next_try(10_000, error(), NOW, Random(1)) == NOW
