"""After the clock was set forward: what was counted by the wrong time is put right, once for all processes."""

from datetime import timedelta

from sqlalchemy import Connection

from gateway.alerts import keep_ladder
from gateway.house import House
from gateway.silence import keep_heard
from outbox.queue import keep_time_left


class ClockSteps:
    """Of one process that began at a time of its wall clock, right or wrong."""

    def __init__(self, house: House) -> None:
        self._house = house
        self._began = house.clock()

    def put_right(self, step: timedelta) -> None:
        """Hand the work to the writer: what waits, the ladders of alerts, and who was heard since the start."""
        now, began = self._house.clock(), self._began
        self._began += step

        def jobs(connection: Connection) -> None:
            keep_time_left(connection, step, now)
            keep_heard(connection, began, step, now)

        self._house.writer.submit(jobs)
        self._house.writer.submit(lambda connection: keep_ladder(connection, step))
