-- Events at which the sink's plugin crashed the daemon: the count must outlive it. A row is there until its event has
-- been delivered, or another one behind it.
create table async_triggers.crashed_events (
    stream_id        bigint not null references async_triggers.streams (id) on delete cascade,
    event_id         bigint not null,
    event_created_at timestamptz not null,
    crashes          integer not null,
    through_id       bigint not null,
    reason           text not null,
    last_crash       text not null,
    crashed_at       timestamptz not null default now(),
    primary key (stream_id, event_id, event_created_at)
);

comment on table async_triggers.crashed_events is 'events at which the sink''s plugin crashed the daemon, and how often';
comment on column async_triggers.crashed_events.through_id is 'the highest id of the call: up to there events go one by one';
comment on column async_triggers.crashed_events.last_crash is 'names the last crash that was counted: none counts twice';
