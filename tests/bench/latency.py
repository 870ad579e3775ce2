"""Commit to sink on an idle system: one small transaction after the other, a pause between.

The clock starts just before COMMIT is sent. It stops, for raw, when a bare libpq loop on the slot has the
event's message; for the daemon, when publish() of a sink is called with the event.
"""

import array
import subprocess
from statistics import median

from bench import Result

EVENTS = 500
PAUSE_US = 3000


def stamps(bench, name):
    file = bench.folder / name
    file.write_bytes(bytes(8 * EVENTS))
    file.chmod(0o666)
    return file


def latencies(bench, read_by):
    """In ms, sorted; `read_by` gives a context in which somebody stamps the events that arrive."""
    bench.reset()
    sent, received = stamps(bench, "sent"), stamps(bench, "received")
    program = bench.build / "bin" / "bench_latency"
    with read_by(received) as reader:
        subprocess.run([program, "write", bench.conninfo, sent, str(EVENTS), str(PAUSE_US)], check=True)
        load = lambda file: array.array("Q", file.read_bytes())
        bench.wait("the last event", lambda: all(load(received)), reader)
    return sorted((there - here) / 1e6 for here, there in zip(load(sent), load(received)))


class BareReader:
    def __init__(self, bench, received):
        self.bench, self.received = bench, received

    def __enter__(self):
        self.bench.publication()
        program = self.bench.build / "bin" / "bench_latency"
        self.process = subprocess.Popen(
            [program, "read", self.bench.conninfo, self.received, str(EVENTS), "bench", "bench"],
            stdout=subprocess.PIPE,
        )
        self.process.stdout.readline()
        self.bench.wait("the bare reader", self.bench.walsender)

    def __exit__(self, *_):
        self.process.wait(20)


def percentile(sorted_values, share):
    return sorted_values[min(len(sorted_values) - 1, int(share * len(sorted_values)))]


def commit_to_sink(bench):
    raws, ours = bench.turns(
        lambda: latencies(bench, lambda received: BareReader(bench, received)),
        lambda: latencies(bench, lambda received: bench.daemon("meter", f"  stamps: {received}")),
    )
    for name, share, most in (("p50", 0.5, 1.2), ("p99", 0.99, 2)):
        raw = median(percentile(values, share) for values in raws)
        our = median(percentile(values, share) for values in ours) if ours else None
        yield Result(f"commit to sink, {name}", "ms", raw, our, at_most=most)
