-- What an operator wants to know while a sink is down, beside the checkpoint: written by the daemon, null when
-- healthy. How many events wait is counted now and then.
alter table async_triggers.streams
    add column failover_since   timestamptz,
    add column failover_reason  text,
    add column failover_waiting bigint,
    add column next_attempt_at  timestamptz;

comment on column async_triggers.streams.failover_since is 'the first failed call of the outage';
comment on column async_triggers.streams.failover_reason is 'what the last failed call said';
comment on column async_triggers.streams.failover_waiting is 'undelivered events, as counted at updated_at or shortly before';
comment on column async_triggers.streams.next_attempt_at is 'when the sink is tried again; null while it takes events';
