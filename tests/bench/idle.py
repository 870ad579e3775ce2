"""What a daemon costs while nothing happens: processor time of its own over ten seconds."""

import os
import time
from pathlib import Path

from bench import Result

SECONDS = 10


def processor_seconds(process):
    fields = Path(f"/proc/{process.pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def an_idle_daemon(bench):
    if bench.raw_only:
        return
    bench.reset()
    with bench.daemon("memory") as daemon:
        before = processor_seconds(daemon)
        time.sleep(SECONDS)
        share = 100 * (processor_seconds(daemon) - before) / SECONDS
    yield Result("idle daemon", "% of a core", None, share, at_most=1)
