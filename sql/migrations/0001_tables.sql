-- The schema, the record of what was applied, and the tables that the world outside relies on.
-- Everything belongs to the role that applies the migrations: the daemon's.

do $$
begin
    -- "create schema if not exists" would ask for CREATE on the database even where the schema waits for us.
    if pg_catalog.to_regnamespace('async_triggers') is null then
        create schema async_triggers;
    end if;
end
$$;

comment on schema async_triggers is
    'postgres-async-triggers: who may INSERT or UPDATE subscriptions may run SQL as the owner of this schema';

create table async_triggers.schema_migrations (
    version    integer primary key,
    name       text not null,
    applied_at timestamptz not null default now()
);

create type async_triggers.operation_type as enum ('INSERT', 'UPDATE', 'DELETE');

-- Callers write ROW(...)::async_triggers.subscriptions: this table never gains a column.
create table async_triggers.subscriptions (
    id                 uuid primary key default gen_random_uuid(),
    key                text not null,
    stream_id          bigint not null,
    operation          async_triggers.operation_type not null,
    schema_name        text not null,
    table_name         text not null,
    when_clause        text,
    column_names       text[],
    metadata           jsonb,
    payload_extensions jsonb,
    unique (stream_id, key)
);

comment on table async_triggers.subscriptions is
    'Which change of which table becomes an event. INSERT or UPDATE here is the right to run SQL as the schema''s owner';

-- Half full, so that the cursor's updates stay on their page (HOT).
create table async_triggers.streams (
    id                      bigint primary key,
    uid                     text not null
                            default left(gen_random_uuid()::text, 8) || left(gen_random_uuid()::text, 8),
    failover_checkpoint_id  bigint,
    failover_checkpoint_ts  timestamptz,
    next_maintenance_at     timestamptz,
    generation              bigint not null default 0,
    system_identifier       text,
    timeline                integer,
    written_by              xid8,
    confirmed_lsn           pg_lsn,
    cursor_snapshot         pg_snapshot,
    cursor_extras           xid8[] not null default '{}',
    cursor_floor            bigint not null default 0,
    cursor_round_snapshot   pg_snapshot,
    cursor_round_id         bigint,
    cursor_round_created_at timestamptz,
    -- Parallel arrays: of that transaction every event up to that id is delivered.
    cursor_part_xids        xid8[] not null default '{}',
    cursor_part_ids         bigint[] not null default '{}',
    -- Single delivered events.
    cursor_ahead_ids        bigint[] not null default '{}',
    created_at              timestamptz not null default now(),
    updated_at              timestamptz not null default now(),
    status                  text generated always as
                            (case when failover_checkpoint_id is null then 'streaming' else 'failover' end) stored
) with (fillfactor = 50);

create sequence async_triggers.events_id_seq as bigint cache 1;

-- Defaults are evaluated in the order of the columns: the transaction's id is taken before the event's,
-- which the cursor's floor relies on.
create table async_triggers.events (
    xid        xid8 not null default pg_current_xact_id(),
    id         bigint not null default nextval('async_triggers.events_id_seq'),
    stream_id  bigint not null,
    created_at timestamptz not null default clock_timestamp(),
    payload    jsonb not null,
    metadata   jsonb,
    primary key (id, created_at)
) partition by range (created_at);

alter sequence async_triggers.events_id_seq owned by async_triggers.events.id;

-- A default takes its number with the writer's rights. Whoever is granted INSERT (stream_id, payload, metadata)
-- on events, and USAGE on the schema, needs nothing else.
grant usage on sequence async_triggers.events_id_seq to public;

-- So that no application's write ever fails for want of a day's partition.
create table async_triggers.events_default partition of async_triggers.events default;

create table async_triggers.dead_letters (
    event_id         bigint not null,
    stream_id        bigint not null,
    payload          jsonb,
    metadata         jsonb,
    event_created_at timestamptz not null,
    reason           text,
    attempts         integer,
    failed_at        timestamptz not null default now(),
    primary key (stream_id, event_id, event_created_at)
);
