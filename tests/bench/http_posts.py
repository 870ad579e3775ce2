"""HTTP: one POST an event to a receiver that answers at once, over the same number of connections.

Raw is a bare libcurl multi loop. Both sides are timed by the receiver, from its first request to its last.
"""

import contextlib
import subprocess
import urllib.request

from bench import fastest

EVENTS = 50_000
CONCURRENCY = 16


@contextlib.contextmanager
def receiver(bench):
    """Gives the URL and a function that says (requests, seconds between the first and the last)."""
    with subprocess.Popen([bench.build / "bin" / "bench_http_receiver"], stdout=subprocess.PIPE) as process:
        url = f"http://127.0.0.1:{int(process.stdout.readline())}/"

        def tally():
            with urllib.request.urlopen(url, timeout=5) as answer:
                requests, first, last = map(int, answer.read().split())
            return requests, (last - first) / 1e9

        try:
            yield url, tally
        finally:
            process.terminate()


def raw_rate(bench):
    with receiver(bench) as (url, tally):
        program = bench.build / "bin" / "bench_http_posts"
        subprocess.run([program, url, str(EVENTS), str(CONCURRENCY), "320"], check=True)
        requests, seconds = tally()
    return requests / seconds


def our_rate(bench):
    bench.reset()
    bench.sql(f"""
        insert into async_triggers.events (stream_id, payload)
        select 1, payload from generate_series(1, {EVENTS // 1000}), bench.payloads
    """)
    with receiver(bench) as (url, tally):
        sink = f"  url: {url}\n  concurrency: {CONCURRENCY}"
        with bench.daemon("http", sink, "  group_key: /group_id", streaming=False) as daemon:
            bench.wait("the last event", lambda: tally()[0] >= EVENTS, daemon)
            requests, seconds = tally()
    return requests / seconds


def one_post_an_event(bench):
    raws, ours = bench.turns(lambda: raw_rate(bench), lambda: our_rate(bench))
    yield fastest(f"HTTP, one POST an event, {CONCURRENCY} at a time", "posts/s", raws, ours, at_least=0.8)
