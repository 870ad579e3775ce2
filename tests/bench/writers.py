"""What a trigger costs the application that writes: a table without one, a table with a trigger as the
original program generated it, and a table with ours. No daemon runs.
"""

import re
import subprocess
from statistics import median

from bench import Result

TABLES = """
do $$ declare name text; begin
    foreach name in array array['plain', 'original', 'ours'] loop
        execute format('create table bench.%I (
            id bigint generated always as identity primary key, email text not null,
            email_verified boolean not null, created_at timestamptz not null default now())', name);
    end loop;
end $$;

create function bench.publish_as_the_original() returns trigger as $$
declare
  v_jsonb_output jsonb := '[]'::jsonb;
  v_base_payload jsonb := jsonb_build_object(
    'tg_op', tg_op,
    'tg_table_name', tg_table_name,
    'tg_table_schema', tg_table_schema,
    'timestamp', (extract(epoch from now()) * 1000)::bigint
  );
begin
  if new.email_verified = true then
    v_jsonb_output := v_jsonb_output || (jsonb_build_object(
      'tg_name', 'user-signup',
      'new', jsonb_build_object('id', new.id, 'email', new.email, 'created_at', new.created_at),
      'old', null
    ) || v_base_payload || '{}'::jsonb);
  end if;
  if jsonb_array_length(v_jsonb_output) > 0 then
    insert into async_triggers.events (payload, stream_id)
    select elem, 1 from jsonb_array_elements(v_jsonb_output) as t(elem);
  end if;
  return new;
end;
$$ language plpgsql set search_path = '' security definer;

create constraint trigger async_triggers_insert after insert on bench.original
deferrable initially deferred for each row when ((new.email_verified = true))
execute procedure bench.publish_as_the_original();
"""

SUBSCRIPTION = """
insert into async_triggers.subscriptions
    (key, stream_id, operation, schema_name, table_name, when_clause, column_names)
values ('user-signup', 1, 'INSERT', 'bench', 'ours', 'new.email_verified = true', array['id', 'email', 'created_at'])
"""

STATEMENT = """insert into bench.{} (email, email_verified)
select 'user' || n || '@example.com', true from generate_series(1, 1000) n;"""
TRANSACTION = "insert into bench.{} (email, email_verified) values ('user@example.com', true);"


def prepare(bench):
    """The tables, once; gives the names of those to measure."""
    if not bench.sql("select to_regclass('bench.plain')"):
        bench.sql(TABLES)
        if not bench.raw_only:
            bench.sql(SUBSCRIPTION)
    return ["plain", "original"] + ([] if bench.raw_only else ["ours"])


def pgbench(bench, script, table, options):
    """Latency in ms and transactions a second."""
    bench.sql(f"truncate bench.{table}, async_triggers.events; checkpoint")
    done = subprocess.run(
        ["pgbench", "-n", "-M", "prepared", "-f", "/dev/stdin", *options, bench.conninfo],
        input=script.format(table), capture_output=True, text=True, check=True,
    )
    latency = re.search(r"latency average = ([0-9.]+) ms", done.stdout)
    rate = re.search(r"tps = ([0-9.]+)", done.stdout)
    return float(latency.group(1)), float(rate.group(1))


def measure(bench, script, options, figure):
    figures = {table: [] for table in prepare(bench)}
    for _ in range(bench.rounds):
        for table, values in figures.items():
            values.append(pgbench(bench, script, table, options)[figure])
    return {table: median(values) for table, values in figures.items()}


def thousand_rows_a_statement(bench):
    ms = measure(bench, STATEMENT, ["-c", "1", "-t", "150"], 0)
    overhead = {table: value - ms["plain"] for table, value in ms.items()}
    yield Result("trigger's cost of 1000 rows a statement", "ms", overhead["original"], overhead.get("ours"), at_most=0.6)
    yield Result("the same insert without a trigger", "ms", ms["plain"], None)


def single_row_transactions(bench):
    rate = measure(bench, TRANSACTION, ["-c", "4", "-j", "2", "-T", "4"], 1)
    yield Result("single-row inserts, 4 clients", "tx/s", rate["plain"], rate.get("ours"), at_least=0.8)
    yield Result("the same with the original's trigger in place of ours", "tx/s", rate["plain"], rate["original"])
