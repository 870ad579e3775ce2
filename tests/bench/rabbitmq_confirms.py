"""RabbitMQ: persistent messages into a durable queue, with publisher confirms, a thousand under way.

Raw is a bare loop over rabbitmq-c with the same window. Both sides are timed by what the queue holds, from its
first message to its last. The events have no key: each comes after all before it.
"""

import contextlib
import os
import shutil
import socket
import subprocess
import sys
import time

from bench import fastest

EVENTS = 100_000
WINDOW = 1000


def free_port():
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


def takes_connections(port):
    with socket.socket() as one:
        return one.connect_ex(("127.0.0.1", port)) == 0


@contextlib.contextmanager
def broker(bench):
    """A RabbitMQ of its own; gives its port."""
    home = bench.folder / "rabbitmq"
    home.mkdir(mode=0o755)
    port, mapper = free_port(), free_port()
    (home / "rabbitmq.conf").write_text(f"listeners.tcp.1 = 127.0.0.1:{port}\n", encoding="utf-8")
    (home / "enabled_plugins").write_text("[].\n", encoding="utf-8")
    user = {}
    if os.getuid() == 0:
        shutil.chown(home, bench.user, bench.user)
        user = {"user": bench.user, "group": bench.user, "extra_groups": []}
    environment = os.environ | {
        "ERL_EPMD_PORT": str(mapper), "ERL_EPMD_ADDRESS": "127.0.0.1", "HOME": str(home),
        "RABBITMQ_CONFIG_FILE": str(home / "rabbitmq.conf"), "RABBITMQ_CONF_ENV_FILE": "/dev/null",
        "RABBITMQ_DIST_PORT": str(free_port()), "RABBITMQ_ENABLED_PLUGINS_FILE": str(home / "enabled_plugins"),
        "RABBITMQ_GENERATED_CONFIG_DIR": str(home / "generated"), "RABBITMQ_LOG_BASE": str(home / "log"),
        "RABBITMQ_MNESIA_BASE": str(home / "data"), "RABBITMQ_NODENAME": "bench@localhost",
        "RUNNING_UNDER_SYSTEMD": "true",
    }
    log = open(bench.folder / "rabbitmq.log", "wb")
    running = [subprocess.Popen(command, env=environment, stdout=log, stderr=log, cwd="/", **user)
               for command in (["epmd", "-port", str(mapper), "-address", "127.0.0.1"],
                               ["/usr/lib/rabbitmq/bin/rabbitmq-server"])]
    try:
        end = time.monotonic() + 120
        while not takes_connections(port):
            if running[1].poll() is not None or time.monotonic() > end:
                sys.exit("RabbitMQ does not start: " + (bench.folder / "rabbitmq.log").read_text(errors="replace"))
            time.sleep(0.1)
        yield port
    finally:
        for process in reversed(running):
            process.kill()
            process.wait()
        log.close()
        shutil.rmtree(home, ignore_errors=True)


def client(bench, *arguments):
    return [str(argument) for argument in (bench.build / "bin" / "bench_rabbitmq_confirms", *arguments)]


@contextlib.contextmanager
def timed_queue(bench, port):
    """A fresh queue, and a function that waits for all events and says how many came a second."""
    subprocess.run(client(bench, "declare", port, "bench"), check=True)
    with subprocess.Popen(client(bench, "watch", port, "bench", EVENTS), stdout=subprocess.PIPE, text=True) as watch:
        try:
            yield lambda: float(watch.stdout.readline())
        finally:
            watch.kill()
    subprocess.run(client(bench, "delete", port, "bench"), check=True)


def raw_rate(bench, port, size):
    with timed_queue(bench, port) as rate:
        subprocess.run(client(bench, "publish", port, "bench", EVENTS, WINDOW, size), check=True)
        return rate()


def our_rate(bench, port):
    bench.reset()
    bench.sql(f"""
        insert into async_triggers.events (stream_id, payload)
        select 1, payload from generate_series(1, {EVENTS // 1000}), bench.payloads
    """)
    sink = f"  uri: amqp://127.0.0.1:{port}\n  routing_key: bench\n  confirm_window: {WINDOW}"
    with timed_queue(bench, port) as rate, bench.daemon("rabbitmq", sink, streaming=False):
        return rate()


def thousand_under_way(bench):
    size = int(bench.sql("select avg(octet_length(payload::text))::int from bench.payloads"))
    with broker(bench) as port:
        raw_rate(bench, port, size)  # the first queue of a broker is slow
        raws, ours = bench.turns(lambda: raw_rate(bench, port, size), lambda: our_rate(bench, port))
    yield fastest(f"RabbitMQ, {WINDOW} confirms in flight (rabbitmq-c)", "messages/s", raws, ours, at_least=0.8)
