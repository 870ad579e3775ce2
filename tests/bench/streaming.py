"""Streaming: a backlog of committed transactions, read through the slot as fast as it goes.

Raw is pg_recvlogical with pgoutput to a file; ours is the memory sink, printing to a file. The daemon would take a backlog that it finds at its start from
the table; so it is started first, and stands still (SIGSTOP) while the backlog is written.
"""

import os
import signal
import subprocess
import time

from bench import Result, fastest, peak_memory

# Shorter than the daemon's wal_sender_timeout, or the server would hang up on it.
SECONDS = 3.5


def raw_rate(bench, size):
    bench.reset()
    bench.publication()
    events = bench.write_in_parallel(size, SECONDS)
    end = bench.sql("select pg_current_wal_insert_lsn()")
    bench.sql("insert into async_triggers.events (stream_id, payload) values (1, '{}')")
    output = bench.folder / "recvlogical.out"
    started = time.monotonic()
    subprocess.run(
        ["pg_recvlogical", "-d", bench.conninfo, "--slot", "bench", "--start", "--endpos", end, "-F", "0",
         "-o", "proto_version=1", "-o", "publication_names=bench", "-f", output],
        check=True, stderr=subprocess.DEVNULL,
    )
    elapsed = time.monotonic() - started
    output.unlink()
    return events / elapsed


def our_rate(bench, size, memory):
    bench.reset()
    with bench.daemon("memory", "  print: true") as daemon:
        walsender = bench.walsender()
        os.kill(daemon.pid, signal.SIGSTOP)
        events = bench.write_in_parallel(size, SECONDS)
        expected = bench.printed_size(size, events)
        os.kill(daemon.pid, signal.SIGCONT)
        started = time.monotonic()
        bench.wait("the backlog", lambda: bench.printed() >= expected, daemon)
        elapsed = time.monotonic() - started
        if bench.walsender() != walsender:
            raise SystemExit("the daemon reconnected: this was no streaming\n" + bench.log_tail())
        memory.append(peak_memory(daemon))
    return events / elapsed


def measure(bench, name, size):
    memory = []
    raws, ours = bench.turns(lambda: raw_rate(bench, size), lambda: our_rate(bench, size, memory))
    yield fastest(name, "events/s", raws, ours, at_least=0.9)
    if memory:
        yield Result("its memory at most", "MB", None, max(memory), at_most=60)


def thousand_a_transaction(bench):
    return measure(bench, "streaming, 1000 events a transaction", 1000)


def one_a_transaction(bench):
    return measure(bench, "streaming, 1 event a transaction", 1)
