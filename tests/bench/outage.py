"""An outage: the sink is down for a while, and eight clients write 2,000 single-row transactions a second all along.

The sink is `valve`: while a file exists it is down, else it takes what comes and counts what came twice or out of
order. Every second of the outage we look how far the confirmed position is behind the WAL, what the slot holds and how
much memory the daemon has. Then the sink is back, and what waited is replayed while the clients go on; raw is psql's
COPY of the same rows in the same order, right afterwards, beside the same clients. A short outage is topped up, or its
replay would be over before it could be measured.
"""

import contextlib
import struct
import subprocess
import sys
import time
from pathlib import Path
from statistics import median

from bench import Result, fastest, peak_memory

RATE, CLIENTS = 2000, 8
BACKLOG = 600_000
TOPPING_UP = 63  # a writer's number that no client has

EVENT = """insert into async_triggers.events (stream_id, payload)
select 1, payload || jsonb_build_object('n', {}, 'w', {}) from bench.payloads"""

CLIENT = "\\set n :n + 1\n" + EVENT.format(":n::bigint", ":client_id::int") + " limit 1;\n"

TOP_UP = """
set synchronous_commit = off;
do $$ begin
    for k in 0 .. {thousands} - 1 loop
        """ + EVENT.format("k * 1000 + row_number() over ()", TOPPING_UP) + """;
        commit;
    end loop;
end $$;
"""

# Positions in bytes.
LOOK = """
select pg_current_wal_insert_lsn() - '0/0', confirmed_flush_lsn - '0/0',
       pg_current_wal_insert_lsn() - restart_lsn, coalesce(failover_waiting, 0), status
from pg_replication_slots, async_triggers.streams
"""

COPY = """set enable_sort = {sort};
copy (select xid, id, created_at, payload, metadata from async_triggers.events
      where stream_id = 1 and id > {first} and id <= {last} order by id, created_at) to stdout"""


class Tally:
    """The sink's counts; tests/bench/valve/tally.hpp says what they are."""

    NAMES = ("delivered", "duplicates", "out_of_order", "refused_calls", "replayed", "first_at", "last_at")

    def __init__(self, file):
        self.file = file

    def __getattr__(self, name):
        return struct.unpack("7q", self.file.read_bytes())[self.NAMES.index(name)]


@contextlib.contextmanager
def clients(bench):
    script = bench.folder / "client.sql"
    script.write_text(CLIENT, encoding="utf-8")
    with open(bench.folder / "pgbench.log", "wb") as log:
        process = subprocess.Popen(
            ["pgbench", "-n", "-M", "prepared", "-f", script, "-D", "n=0", "-c", str(CLIENTS), "-j", "2",
             "-R", str(RATE), "-T", "100000", bench.conninfo], stdout=log, stderr=log)
    try:
        yield process
    finally:
        process.terminate()
        process.wait()


def resident(process):
    for line in Path(f"/proc/{process.pid}/status").read_text().splitlines():
        if line.startswith("VmRSS"):
            return int(line.split()[1]) / 1024
    return 0.0


def last_id(bench):
    return int(bench.sql("select last_value from async_triggers.events_id_seq"))


class Samples:
    def __init__(self, bench, daemon):
        self.bench, self.daemon = bench, daemon
        self.written = []  # (when, position of the WAL)
        self.bytes_behind, self.seconds_behind, self.held, self.memory = [], [], [], []
        self.waiting = 0

    def take(self):
        now = time.monotonic()
        wal, confirmed, held, waiting, status = self.bench.sql(LOOK).split("|")
        self.written.append((now, int(wal)))
        self.bytes_behind.append(int(wal) - int(confirmed))
        passed = [when for when, position in self.written if position <= int(confirmed)]
        self.seconds_behind.append(now - (passed[-1] if passed else self.written[0][0]))
        self.held.append(int(held) / 2**20)
        self.memory.append(resident(self.daemon))
        self.waiting = int(waiting)
        if status != "failover":
            sys.exit("the stream left failover in the middle of the outage\n" + self.bench.log_tail())

    def tell(self):
        note(f"  {len(self.memory)} s: confirmed {self.seconds_behind[-1]:.1f} s and "
             f"{self.bytes_behind[-1] / 2**20:.1f} MB behind, slot holds {self.held[-1]:.0f} MB, "
             f"memory {self.memory[-1]:.1f} MB, {self.waiting:,} wait")


def note(text):
    print(text, file=sys.stderr, flush=True)


def copy_rate(bench, first, last, sort):
    started = time.monotonic()
    subprocess.run(["psql", "-Xq", "-d", bench.conninfo, "-c", COPY.format(first=first, last=last, sort=sort)],
                   stdout=subprocess.DEVNULL, check=True)
    return (last - first) / (time.monotonic() - started)


def times_streaming(bench):
    return bench.log.read_text(errors="replace").count(" daemon: streaming ")


def sit_it_out(bench, samples):
    began = time.monotonic()
    while time.monotonic() - began < bench.outage:
        samples.take()
        if len(samples.memory) % 30 == 0:
            samples.tell()
        time.sleep(max(0, began + len(samples.memory) - time.monotonic()))


def sink_goes_and_comes(bench):
    if bench.raw_only:
        return
    bench.reset()
    closed, tally = bench.folder / "closed", Tally(bench.folder / "tally")
    sink = f"  closed_by: {closed}\n  tally: {tally.file}"
    start = last_id(bench)
    with bench.daemon("valve", sink, "  retry: {max_backoff_ms: 1000}") as daemon:
        with clients(bench):
            bench.wait("the clients' first events", lambda: tally.delivered > 2 * RATE, daemon)
            samples, before = Samples(bench, daemon), resident(daemon)
            closed.touch()
            bench.wait("failover", lambda: bench.sql("select status from async_triggers.streams") == "failover", daemon)
            first, began = last_id(bench), time.monotonic()
            sit_it_out(bench, samples)
            written = (last_id(bench) - first) / (time.monotonic() - began)
            missing = BACKLOG - (last_id(bench) - first)
            if missing > 0:
                bench.sql(TOP_UP.format(thousands=missing // 1000))
            peak_in_outage = max(samples.memory)

            last, delivered, streamed = last_id(bench), tally.delivered, times_streaming(bench)
            opened = time.monotonic()
            closed.unlink()
            bench.wait("the replay", lambda: start + tally.delivered >= last, daemon)
            waited, replayed_at = last - start - delivered, time.monotonic()
            ours = waited / (replayed_at - tally.first_at / 1e9)
            bench.wait("streaming", lambda: times_streaming(bench) > streamed, daemon)
            back = time.monotonic() - opened
            bench.sql("analyze async_triggers.events")
            raws = [max(copy_rate(bench, first, last, sort) for sort in ("on", "off")) for _ in range(bench.rounds)]
        events = int(bench.sql("select count(*) from async_triggers.events"))
        wait_for_all(tally, events)
        wrong = abs(events - tally.delivered) + tally.duplicates + tally.out_of_order
        peak = peak_memory(daemon)
    note(f"  {written:,.0f} events/s were written, {waited:,} waited; confirmed was at most "
         f"{max(samples.bytes_behind) / 2**20:.1f} MB behind; replay began "
         f"{tally.first_at / 1e9 - opened:.2f} s after the sink was back; memory {before:.1f} MB before, "
         f"{min(samples.memory):.1f} to {peak_in_outage:.1f} MB in the outage; COPY "
         + ", ".join(f"{rate:,.0f}" for rate in raws)
         + f"; lost {events - tally.delivered}, twice {tally.duplicates}, out of order {tally.out_of_order}")
    yield fastest("replay after an outage, 1 event a transaction", "events/s", raws, [ours], at_least=0.8)
    yield Result(f"in {bench.outage} s of outage: confirmed position behind, at most", "s", None,
                 max(samples.seconds_behind), at_most=10)
    yield Result("WAL held by the slot, at most", "MB", None, max(samples.held))
    yield Result("memory grown, at most", "MB", None, peak_in_outage - before, at_most=8)
    yield Result("its memory at most, replay included", "MB", None, peak, at_most=60)
    yield Result("sink back to streaming", "s", None, back)
    yield Result("events lost, twice or out of order", "", None, wrong, at_most=0)


def wait_for_all(tally, events):
    end = time.monotonic() + 30
    while tally.delivered < events:
        if time.monotonic() > end:
            return  # the rest is lost, and counts
        time.sleep(0.05)
