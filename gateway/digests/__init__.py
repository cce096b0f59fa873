"""What coordinators are told about a period: when it is due, what it holds, how it reads."""

from gateway.digests.schedule import RunInfo, due, run_due

__all__ = ["RunInfo", "due", "run_due"]
