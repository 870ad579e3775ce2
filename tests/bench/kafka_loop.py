"""Kafka: one broker, three partitions, events of about 300 bytes with a thousand keys.

Raw is a bare loop over librdkafka with the sink's own properties, which never waits for a batch. Both sides are timed
by the broker, which stamps each message when it takes it.
"""

import contextlib
import itertools
import os
import shutil
import socket
import subprocess
import tempfile
from pathlib import Path

from bench import fastest

EVENTS = 500_000
KEYS = 1000
PARTITIONS = 3
# A call ends when the last message is confirmed, and a broker takes ten thousand not much later than one.
BATCH = 10_000
numbers = itertools.count(1)


@contextlib.contextmanager
def broker(bench):
    """Gives its host:port."""
    found = subprocess.run(
        [bench.source / "tests/support/kafka-libraries"], capture_output=True, text=True, check=False
    )
    if found.returncode:
        raise SystemExit(found.stderr)
    libraries = Path(found.stdout.strip())
    home = Path(tempfile.mkdtemp(prefix="pgat-bench-kafka-", dir="/tmp"))
    with contextlib.ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(2)]
        for one in sockets:
            one.bind(("127.0.0.1", 0))
        port, controller = (one.getsockname()[1] for one in sockets)
    (home / "data").mkdir()
    (home / "data/meta.properties").write_text("version=1\ncluster.id=cGdhdC1rYWZrYS1iZW5jaA\nnode.id=1\n")
    (home / "server.properties").write_text(f"""
process.roles=broker,controller
node.id=1
controller.quorum.voters=1@127.0.0.1:{controller}
controller.listener.names=CONTROLLER
listeners=PLAINTEXT://127.0.0.1:{port},CONTROLLER://127.0.0.1:{controller}
log.dirs={home}/data
num.partitions={PARTITIONS}
log.message.timestamp.type=LogAppendTime
""")
    jars = ":".join(sorted(map(str, libraries.glob("*.jar"))))
    with open(home / "log", "wb") as log:
        process = subprocess.Popen(
            ["java", "-Xmx1g", "-XX:+UseSerialGC", "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn", "-cp", jars,
             "kafka.Kafka", home / "server.properties"],
            stdout=log, stderr=log,
        )
    address = f"127.0.0.1:{port}"
    try:
        bench.wait("Kafka", lambda: kcat(address, "-L", "-m", "2", check=False).returncode == 0)
        yield address
    finally:
        process.kill()
        process.wait()
        shutil.rmtree(home, ignore_errors=True)


def kcat(address, *arguments, check=True):
    return subprocess.run(["kcat", "-q", "-b", address, *arguments], capture_output=True, text=True, check=check)


def new_topic(bench, address):
    """Made by the question, as the broker has it; with leaders for all partitions."""
    name = f"bench-{os.getpid()}-{next(numbers)}"
    bench.wait("the topic", lambda: kcat(
        address, "-L", "-t", name, "-X", "allow.auto.create.topics=true", check=False
    ).stdout.count(", leader 1,") == PARTITIONS)
    return name


def messages(address, topic):
    ends = [argument for partition in range(PARTITIONS) for argument in ("-t", f"{topic}:{partition}:-1")]
    answer = kcat(address, "-Q", *ends, check=False).stdout
    return sum(int(line.rsplit(None, 1)[1]) for line in answer.splitlines())


def rate(address, topic):
    """Messages a second, from the first one's stamp to the last one's."""
    stamps = []
    for partition in range(PARTITIONS):
        for offset in ("beginning", "-1"):
            stamps.append(int(kcat(
                address, "-C", "-t", topic, "-p", str(partition), "-o", offset, "-c", "1", "-f", "%T"
            ).stdout))
    return EVENTS / ((max(stamps) - min(stamps)) / 1000)


def raw_rate(bench, address):
    topic = new_topic(bench, address)
    program = bench.build / "bin" / "bench_kafka_loop"
    subprocess.run([program, address, topic, str(EVENTS), "320", str(KEYS)], check=True)
    return rate(address, topic)


def our_rate(bench, address):
    topic = new_topic(bench, address)
    bench.reset()
    bench.sql(f"""
        insert into async_triggers.events (stream_id, payload)
        select 1, payload from generate_series(1, {EVENTS // KEYS}), bench.payloads
    """)
    sink = f"  brokers: {address}\n  topic: {topic}"
    stream = f"  group_key: /group_id\n  batch: {{max_size: {BATCH}}}"
    with bench.daemon("kafka", sink, stream, streaming=False) as daemon:
        bench.wait("the last event", lambda: messages(address, topic) >= EVENTS, daemon)
    return rate(address, topic)


def with_keys(bench):
    with broker(bench) as address:
        raws, ours = bench.turns(lambda: raw_rate(bench, address), lambda: our_rate(bench, address))
    yield fastest(f"Kafka, {PARTITIONS} partitions, {KEYS} keys", "events/s", raws, ours, at_least=0.8)
