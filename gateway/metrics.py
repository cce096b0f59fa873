"""Figures for Prometheus. No label holds a number, a name of a person or a text."""

from collections.abc import Iterable, Mapping

from prometheus_client import CollectorRegistry, Counter, Histogram
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.exposition import generate_latest
from prometheus_client.registry import Collector

SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.15, 0.25, 0.5, 1.0, 2.5, 10.0)


class Metrics:
    """A registry of its own, so that two gateways in one process do not count together."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry(auto_describe=False)
        self._heard = Counter("vocero_heard", "Calls and mails heard.", ["channel", "result"], registry=self.registry)
        self._seconds = Histogram(
            "vocero_hear_seconds", "From hearing a call to answering it.", buckets=SECONDS, registry=self.registry
        )
        self._ticks = Counter("vocero_ticks", "Ticks run.", ["tick", "result"], registry=self.registry)
        self._children: dict[tuple[str, str], Counter] = {}

    def heard(self, channel: str, result: str, seconds: float | None = None) -> None:
        child = self._children.get((channel, result))
        if child is None:
            child = self._children[channel, result] = self._heard.labels(channel or "none", result)
        child.inc()
        if seconds is not None:
            self._seconds.observe(seconds)

    def ticked(self, tick: str, result: str) -> None:
        self._ticks.labels(tick, result).inc()

    def exposition(self, gauges: Mapping[str, Mapping[tuple[tuple[str, str], ...], float]]) -> bytes:
        """The Prometheus text format (0.0.4) of the counters and of `gauges`: name -> labels -> value."""
        once = CollectorRegistry(auto_describe=False)
        once.register(_Gauges(gauges))
        return generate_latest(self.registry) + generate_latest(once)


class _Gauges(Collector):
    def __init__(self, gauges: Mapping[str, Mapping[tuple[tuple[str, str], ...], float]]) -> None:
        self._gauges = gauges

    def collect(self) -> Iterable[GaugeMetricFamily]:
        for name, values in self._gauges.items():
            labels = [label for label, _ in next(iter(values), ())]
            family = GaugeMetricFamily(f"vocero_{name}", name.replace("_", " "), labels=labels)
            for key, value in values.items():
                family.add_metric([word for _, word in key], value)
            yield family
