"""What every row stands on: a throw-away Postgres, the daemon under test, and a result that prints itself."""

import contextlib
import os
import pwd
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median

SETTINGS = """
wal_level = logical
unix_socket_directories = '{folder}'
listen_addresses = ''
shared_buffers = 512MB
max_wal_size = 16GB
checkpoint_timeout = 1h
autovacuum = off
max_replication_slots = 10
max_wal_senders = 10
log_min_messages = warning
"""

# About 300 bytes an event, shaped like the payload of a subscription.
SCHEMA = """
create schema bench;
create table bench.payloads as
select jsonb_build_object(
    'tg_name', 'user-signup', 'tg_op', 'INSERT', 'tg_table_name', 'users', 'tg_table_schema', 'public',
    'timestamp', 1703001234567, 'old', null, 'group_id', n::text,
    'new', jsonb_build_object('id', n, 'email', 'user' || n || '@example.com',
                              'created_at', '2024-12-12T10:30:00Z', 'note', repeat('x', 70))) as payload
from generate_series(1, 1000) n;

-- Writes transactions of `size` events for `seconds`; gives the number of events.
create procedure bench.write(size int, seconds float, inout events bigint) language plpgsql as $$
declare stop timestamptz := clock_timestamp() + make_interval(secs => seconds);
begin
    events := 0;
    while clock_timestamp() < stop loop
        insert into async_triggers.events (stream_id, payload)
        select 1, payload from bench.payloads limit size;
        commit;
        events := events + size;
    end loop;
end $$;
"""


class Result:
    """One line: the bare client's figure, ours, and their ratio, which a target may bound."""

    def __init__(self, name, unit, raw, ours, at_least=None, at_most=None):
        self.name, self.unit, self.raw, self.ours = name, unit, raw, ours
        self.at_least, self.at_most = at_least, at_most
        # Without a bare client there is no ratio: the target bounds our own figure.
        self.ratio = ours / raw if raw is not None and ours is not None else None

    def met(self):
        """Whether the target is met; None without a daemon or a target."""
        judged = self.ours if self.raw is None else self.ratio
        if judged is None or (self.at_least is None and self.at_most is None):
            return None
        return judged >= self.at_least if self.at_least is not None else judged <= self.at_most

    def cells(self):
        def show(figure):
            if figure is None:
                return "–"
            return f"{figure:,.0f}" if figure >= 100 else f"{figure:.2f}"

        target = ""
        if self.met() is not None:
            bound = f"≥ {self.at_least}" if self.at_least is not None else f"≤ {self.at_most}"
            target = f"{bound} {'met' if self.met() else 'MISSED'}"
        return [self.name, self.unit, show(self.raw), show(self.ours), show(self.ratio), target]


def fastest(name, unit, raws, ours, at_least):
    """A row where more is better: events or transactions a second."""
    return Result(name, unit, median(raws), median(ours) if ours else None, at_least=at_least)


class Bench:
    def __init__(self, source, rounds, raw_only):
        self.source, self.rounds, self.raw_only = source, rounds, raw_only
        self.build = source / "build" / "bench"
        self.binary = self.build / "bin" / "postgres-async-triggers"
        self.folder = Path(tempfile.mkdtemp(prefix="pgat-bench-", dir="/tmp"))
        self.folder.chmod(0o755)
        self.output, self.log = self.folder / "daemon.out", self.folder / "daemon.log"
        self.server = None

    def __enter__(self):
        try:
            self.start_server()
            self.migrate()
            self.sql(SCHEMA)
            self.server_version = "Postgres " + self.sql("show server_version").split()[0]
            self.daemon_version = "bare clients only"
            if not self.raw_only:
                done = subprocess.run([self.binary, "--version"], capture_output=True, text=True, check=True)
                self.daemon_version = done.stdout.strip()
        except BaseException:
            self.__exit__(None, None, None)
            raise
        return self

    def __exit__(self, *_):
        if self.server:
            self.server.send_signal(signal.SIGQUIT)
            self.server.wait()
        shutil.rmtree(self.folder, ignore_errors=True)

    # Postgres -----------------------------------------------------------------------------------------------

    def start_server(self):
        programs = os.environ.get("PGAT_TEST_POSTGRES_BIN") or next(
            str(path) for path in sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
        )
        user = {}
        self.user = pwd.getpwuid(os.getuid()).pw_name
        if os.getuid() == 0:  # Postgres does not run as root
            self.user = "postgres" if "postgres" in [entry.pw_name for entry in pwd.getpwall()] else "nobody"
            entry = pwd.getpwnam(self.user)
            user = {"user": entry.pw_uid, "group": entry.pw_gid, "extra_groups": []}
        home = self.folder / "server"
        home.mkdir(mode=0o755)
        shutil.chown(home, user.get("user"), user.get("group")) if user else None
        data = home / "data"
        log = open(self.folder / "server.log", "wb")
        subprocess.run(
            [f"{programs}/initdb", "-D", data, "-U", "postgres", "-A", "trust", "-E", "UTF8", "--no-locale"],
            stdout=log, stderr=log, cwd=home, check=True, **user,
        )
        with open(data / "postgresql.conf", "a", encoding="utf-8") as file:
            file.write(SETTINGS.format(folder=home))
        self.server = subprocess.Popen([f"{programs}/postgres", "-D", data], stdout=log, stderr=log, cwd=home, **user)
        self.conninfo = f"host={home} user=postgres dbname=postgres"
        self.socket_folder = home
        self.wait("the server", lambda: self.psql("select 1", check=False).returncode == 0)

    def psql(self, sql, check=True):
        return subprocess.run(
            ["psql", "-XAtq", "-v", "ON_ERROR_STOP=1", "-d", self.conninfo, "-f", "-"],
            input=sql, capture_output=True, text=True, check=check,
        )

    def sql(self, sql):
        try:
            return self.psql(sql).stdout.strip()
        except subprocess.CalledProcessError as failed:
            sys.exit(f"{sql}\n{failed.stderr}")

    def migrate(self):
        if self.binary.exists():
            printed = subprocess.run(
                [self.binary, "--config", self.config("memory"), "migrate"], capture_output=True, text=True, check=False
            )
            if printed.returncode:
                sys.exit(printed.stdout + printed.stderr)
        else:
            sys.exit(f"{self.binary} is not built")

    def write_in_parallel(self, size, seconds):
        """Two sessions write transactions of `size` events for so long; gives how many events."""
        command = ["psql", "-XAtq", "-d", self.conninfo, "-c", "set synchronous_commit = off",
                   "-c", f"call bench.write({size}, {seconds}, 0)"]
        sessions = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(2)]
        events = sum(int(session.communicate()[0].split()[-1]) for session in sessions)
        self.sql("insert into async_triggers.events (stream_id, payload) values (0, '{}')")  # flushes the WAL
        return events

    def reset(self):
        """As if no stream had ever been: no events, no cursor, no slot."""
        self.sql("""
            select pg_drop_replication_slot(slot_name) from pg_replication_slots;
            do $$ declare name text; begin
                for name in select pubname from pg_publication loop
                    execute format('drop publication %I', name);
                end loop;
            end $$;
            truncate async_triggers.events;
            delete from async_triggers.streams;
            checkpoint;
        """)

    def publication(self, name="bench"):
        """A slot and a publication like those of a stream, for the bare reader."""
        self.sql(f"""
            create publication {name} for table async_triggers.events where (stream_id = 1)
                with (publish = 'insert', publish_via_partition_root = true);
            select pg_create_logical_replication_slot('{name}', 'pgoutput');
        """)

    # The daemon ---------------------------------------------------------------------------------------------

    def config(self, sink, extra="", stream=""):
        file = self.folder / "config.yaml"
        file.write_text(
            f"""
stream:
  id: 1
  pg_connection: {{host: {self.socket_folder}, name: postgres, username: postgres}}
{stream}
sink:
  type: {sink}
{extra}
plugins: {{directory: [{self.build}/plugins, {self.build}/bench]}}
observability: {{listen: ""}}
""",
            encoding="utf-8",
        )
        return file

    @contextlib.contextmanager
    def daemon(self, sink, extra="", stream="", streaming=True):
        """A running daemon; with `streaming`, one that has caught up and reads its slot."""
        command = [self.binary, "--config", self.config(sink, extra, stream)]
        with open(self.output, "wb") as output, open(self.log, "wb") as log:
            process = subprocess.Popen(command, stdout=output, stderr=log)
        try:
            if streaming:
                self.wait("the daemon to stream", self.is_streaming, process)
            yield process
        finally:
            process.send_signal(signal.SIGCONT)
            process.terminate()
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()

    def is_streaming(self):
        return " streaming" in self.log.read_text(errors="replace")

    def walsender(self):
        return self.sql("select pid from pg_stat_replication where state = 'streaming'")

    def printed(self):
        """Bytes that the memory sink has printed."""
        return self.output.stat().st_size

    def printed_size(self, size, events):
        """Bytes that the memory sink prints for so many events, written `size` at a time."""
        one = int(self.sql(f"""select sum(octet_length(payload::text) + 1)
                               from (select payload from bench.payloads limit {size}) transaction"""))
        return one * events // size

    def wait(self, what, condition, process=None, seconds=120):
        end = time.monotonic() + seconds
        while not condition():
            if process and process.poll() is not None:
                sys.exit(f"the daemon ended while waiting for {what}:\n" + self.log_tail())
            if time.monotonic() > end:
                sys.exit(f"no {what} after {seconds} s\n" + self.log_tail())
            time.sleep(0.005)

    def log_tail(self):
        return self.log.read_text(errors="replace")[-3000:] if self.log.exists() else ""

    def turns(self, raw, ours):
        """Raw and daemon in turn, as often as there are rounds; gives both lists."""
        figures = ([], [])
        for _ in range(self.rounds):
            figures[0].append(raw())
            if not self.raw_only:
                figures[1].append(ours())
        return figures


def peak_memory(process):
    """Most memory the process ever had resident, in MB."""
    for line in Path(f"/proc/{process.pid}/status").read_text().splitlines():
        if line.startswith("VmHWM"):
            return int(line.split()[1]) / 1024
    return 0.0
