"""Replay: a million events that were committed before the daemon's first start, read from the table.

Raw is psql's COPY of the same rows in the same order to a file; ours is the memory sink, printing to a file. Its time runs from the first event
that it delivered to the last.
"""

import subprocess
import time

from bench import Result, fastest, peak_memory

EVENTS = 1_000_000

COPY = """copy (select xid, id, created_at, payload, metadata from async_triggers.events
                where stream_id = 1 order by id, created_at) to stdout"""


def fill(bench):
    bench.reset()
    bench.sql(f"""
        set synchronous_commit = off;
        insert into async_triggers.events (stream_id, payload)
        select 1, payload from generate_series(1, {EVENTS // 1000}), bench.payloads;
        vacuum analyze async_triggers.events;
    """)


def raw_rate(bench):
    output = bench.folder / "copy.out"
    started = time.monotonic()
    with open(output, "wb") as file:
        subprocess.run(["psql", "-Xq", "-d", bench.conninfo, "-c", COPY], stdout=file, check=True)
    elapsed = time.monotonic() - started
    output.unlink()
    return EVENTS / elapsed


def our_rate(bench, memory):
    expected = bench.printed_size(1000, EVENTS)
    with bench.daemon("memory", "  print: true", streaming=False) as daemon:
        bench.wait("the first event", lambda: bench.printed() > 0, daemon)
        first, started = bench.printed(), time.monotonic()
        bench.wait("the last event", lambda: bench.printed() >= expected, daemon)
        elapsed = time.monotonic() - started
        memory.append(peak_memory(daemon))
    bench.sql("""
        select pg_drop_replication_slot(slot_name) from pg_replication_slots;
        delete from async_triggers.streams;
    """)
    return EVENTS * (1 - first / expected) / elapsed


def from_the_table(bench):
    fill(bench)
    memory = []
    raws, ours = bench.turns(lambda: raw_rate(bench), lambda: our_rate(bench, memory))
    yield fastest("replay from the table", "events/s", raws, ours, at_least=0.8)
    if memory:
        yield Result("its memory at most", "MB", None, max(memory), at_most=60)
