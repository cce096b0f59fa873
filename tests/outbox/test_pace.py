from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from outbox import errors
from outbox.pace import Pace


def may(pace: Pace, now: float, *, parallel: int = 4, running: int = 0, rate: float | None = None) -> int:
    return pace.allowance(now, parallel=parallel, running=running, rate=rate)


def test_as_many_run_as_there_are_places() -> None:
    assert [may(Pace(), 0, running=running) for running in (0, 3, 4, 5)] == [4, 1, 0, 0]


def test_offline_pauses_grow_from_five_seconds_to_a_minute_and_start_over() -> None:
    pace, now, pauses = Pace(), 100.0, []
    for _ in range(6):
        pace.failed(errors.Offline(), now)
        pauses.append(pace.wait(now, None))
        assert may(pace, now + pauses[-1] - 0.01) == 0
        now += pauses[-1]
        assert may(pace, now) == 1, "one at a time asks whether it is over"
    assert pauses == [5, 10, 20, 40, 60, 60]
    pace.succeeded(4)
    pace.failed(errors.Offline(), now)
    assert pace.wait(now, None) == 5


def test_failures_of_sends_that_ran_together_count_as_one() -> None:
    pace = Pace()
    turns = [pace.failed(errors.Offline(), 100.0) for _ in range(4)]
    assert turns == ["offline", None, None, None]
    assert pace.wait(100.0, None) == 5


def test_after_trouble_the_channel_opens_step_by_step() -> None:
    pace = Pace()
    pace.failed(errors.Offline(), 0.0)
    allowed = []
    for _ in range(4):
        allowed.append(may(pace, 10, parallel=8))
        pace.succeeded(8)
    assert allowed == [1, 2, 4, 8]


def test_the_channel_says_once_that_it_is_back() -> None:
    pace = Pace()
    assert pace.succeeded(4) is None
    pace.failed(errors.Unavailable(), 0.0)
    assert [pace.succeeded(4), pace.succeeded(4)] == ["online", None]


def test_the_providers_wish_is_the_pause_up_to_an_hour() -> None:
    for wish, pause in ((timedelta(seconds=90), 90), (timedelta(days=2), 3600), (timedelta(seconds=1), 5)):
        pace = Pace()
        pace.failed(errors.Throttled(retry_after=wish), 0.0)
        assert pace.wait(0.0, None) == pause


def test_a_refused_key_closes_the_channel_until_its_settings_change() -> None:
    pace = Pace()
    assert pace.failed(errors.AuthFailed(), 0.0) == "auth_failed"
    assert may(pace, 599) == 0
    pace.reopen()
    assert may(pace, 1) == 1


def test_a_final_error_changes_nothing() -> None:
    pace = Pace()
    assert pace.failed(errors.InvalidAddress(), 0.0) is None
    assert may(pace, 0.0) == 4


@given(st.floats(0.1, 200), st.lists(st.floats(0.001, 3), min_size=1, max_size=200))
def test_no_window_holds_more_than_the_rate_allows(rate: float, steps: list[float]) -> None:
    pace, now, began = Pace(), 0.0, list[tuple[float, int]]()
    for step in steps:
        now += step
        number = may(pace, now, parallel=1000, rate=rate)
        pace.began(number)
        began.append((now, number))
    for start, _ in began:
        window = sum(number for at, number in began if start <= at <= start + 10)
        assert window <= rate * 10 + max(1, rate) + 1


def test_a_slow_rate_tells_how_long_to_wait() -> None:
    pace = Pace()
    assert may(pace, 0.0, rate=0.5) == 1
    pace.began(1)
    assert may(pace, 0.0, rate=0.5) == 0
    assert pace.wait(0.0, 0.5) == 2.0
    assert may(pace, 2.0, rate=0.5) == 1
