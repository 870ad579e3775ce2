-- What a write of async_triggers.subscriptions does: after each statement, once, the compiled subscriptions are
-- compared with the rows, what differs is checked and compiled, and each table and operation that is
-- concerned gets its function anew, once, however many of its subscriptions changed.

-- Postgres's own words for a null would not say which subscription.
create function async_triggers._check_nulls()
returns trigger
language plpgsql
security definer
set search_path = ''
as $$
declare
    v_column text := case
        when new.key is null then 'key'
        when new.stream_id is null then 'stream_id'
        when new.operation is null then 'operation'
        when new.schema_name is null then 'schema_name'
        when new.table_name is null then 'table_name' end;
begin
    if v_column is not null then
        perform async_triggers._refuse(new.stream_id, new.key, v_column || ' is null',
            'key, stream_id, operation, schema_name and table_name are needed; stream_id is stream.id of the '
            'daemon''s configuration.', '23502');
    end if;
    new.id := coalesce(new.id, gen_random_uuid());
    return new;
end;
$$;

create function async_triggers._source(p_subscription async_triggers.subscriptions)
returns text
language sql stable
set search_path = ''
as $$
    select row(p_subscription.operation, p_subscription.schema_name, p_subscription.table_name,
               p_subscription.when_clause, p_subscription.column_names, p_subscription.metadata,
               p_subscription.payload_extensions)::text;
$$;

-- The table of a subscription: by its name, or, where a rename has left the name to nobody, the table it had.
create function async_triggers._resolve(p_subscription async_triggers.subscriptions)
returns oid
language plpgsql
set search_path = ''
as $$
declare
    v_class pg_class;
    v_cause text;
begin
    select c.* into v_class from pg_class c join pg_namespace n on n.oid = c.relnamespace
    where n.nspname = p_subscription.schema_name and c.relname = p_subscription.table_name;
    if not found then
        select c.* into v_class
        from async_triggers.compiled_subscriptions s join pg_class c on c.oid = s.relation
        where s.stream_id = p_subscription.stream_id and s.key = p_subscription.key
          and s.schema_name = p_subscription.schema_name and s.table_name = p_subscription.table_name;
    end if;
    if not found then
        perform async_triggers._refuse(p_subscription.stream_id, p_subscription.key,
            format('there is no table %I.%I', p_subscription.schema_name, p_subscription.table_name),
            'schema_name and table_name are taken as they stand: no quotes, and upper case counts.', '42P01');
    end if;
    v_cause := case
        when v_class.relnamespace = 'async_triggers'::regnamespace then 'belongs to async_triggers itself'
        when v_class.relnamespace = 'pg_catalog'::regnamespace then 'is a system catalog'
        when v_class.relpersistence = 't' then 'is a temporary table'
        when v_class.relkind not in ('r', 'p') then 'is not a table' end;
    if v_cause is not null then
        perform async_triggers._refuse(p_subscription.stream_id, p_subscription.key,
            format('%I.%I %s', p_subscription.schema_name, p_subscription.table_name, v_cause),
            'Subscribe to an ordinary or a partitioned table.', '42809');
    end if;
    if not has_schema_privilege(v_class.relnamespace, 'USAGE') then
        perform async_triggers._refuse(p_subscription.stream_id, p_subscription.key,
            format('role %I may not use schema %s', current_user, v_class.relnamespace::regnamespace),
            format('grant usage on schema %s to %I;', v_class.relnamespace::regnamespace, current_user), '42501');
    end if;
    return v_class.oid;
end;
$$;

-- Checks a subscription and stores what it becomes.
create function async_triggers._compile(p_subscription async_triggers.subscriptions, p_relation oid)
returns async_triggers.compiled_subscriptions
language plpgsql
set search_path = ''
as $$
declare
    v_compiled async_triggers.compiled_subscriptions;
begin
    v_compiled.stream_id := p_subscription.stream_id;
    v_compiled.key := p_subscription.key;
    v_compiled.source := async_triggers._source(p_subscription);
    v_compiled.relation := p_relation;
    v_compiled.schema_name := p_subscription.schema_name;
    v_compiled.table_name := p_subscription.table_name;
    v_compiled.operation := p_subscription.operation;
    v_compiled.when_clause := btrim(p_subscription.when_clause, E' \t\n\r');
    v_compiled.in_when := p_subscription.when_clause is not null and async_triggers._check_expression(
        p_subscription.stream_id, p_subscription.key, 'when_clause', p_relation, p_subscription.operation,
        p_subscription.when_clause, true);
    v_compiled.payload := async_triggers._payload(p_subscription, p_relation);
    v_compiled.metadata := p_subscription.metadata;
    return v_compiled;
end;
$$;

-- Calls _generate and says which subscription was the occasion if that fails.
create function async_triggers._generate_for(
    p_stream_id bigint, p_key text, p_relation oid, p_operation async_triggers.operation_type, p_force boolean)
returns void
language plpgsql
set search_path = ''
as $$
declare
    v_state text;
    v_message text;
    v_detail text;
    v_hint text;
begin
    perform async_triggers._generate(p_relation, p_operation, p_force);
exception when others then
    get stacked diagnostics v_state = returned_sqlstate, v_message = message_text,
                            v_detail = pg_exception_detail, v_hint = pg_exception_hint;
    perform async_triggers._refuse(p_stream_id, p_key,
        format('the trigger for %s on %s cannot be changed: %s', p_operation, p_relation::regclass, v_message),
        case v_state
            when '55P03' then 'A transaction has the table locked or is writing to it. Nothing was changed: try again, '
                              'after a look into pg_locks if this goes on.'
            when '55006' then 'This transaction has written to the table, and deferred triggers wait for its end. Run '
                              '"set constraints all immediate" before changing subscriptions, or change them in a '
                              'transaction of their own.'
            when '42710' then 'A trigger of that name was made by hand, or by a subscription to the partitioned table '
                              'above or a partition below: drop it, or subscribe to one of the two only.'
            else coalesce(nullif(v_hint, ''), 'Nothing was changed.')
        end, v_state, v_detail);
end;
$$;

-- Brings everything in line with the subscriptions as they are now. p_force compiles and replaces all of it.
create function async_triggers._reconcile(p_force boolean default false)
returns void
language plpgsql
set search_path = ''
as $$
declare
    v_changed async_triggers.subscriptions[];
    v_compiled async_triggers.compiled_subscriptions[];
    v_stale async_triggers.compiled_subscriptions[];
    v_subscription async_triggers.subscriptions;
    v_relation oid;
    v_job record;
begin
    select array_agg(s order by s.stream_id, s.key) into v_changed
    from async_triggers.subscriptions s
    left join async_triggers.compiled_subscriptions c using (stream_id, key)
    where p_force or c.source is distinct from async_triggers._source(s);
    select array_agg(c) into v_stale
    from async_triggers.compiled_subscriptions c
    left join async_triggers.subscriptions s using (stream_id, key)
    where p_force or s.id is null or c.source <> async_triggers._source(s);
    if v_changed is null and v_stale is null then
        return;
    end if;

    insert into async_triggers.streams (id)
    select distinct stream_id from unnest(v_changed) order by stream_id
    on conflict (id) do nothing;
    -- What compiling creates is rolled back; what it found out is in the variable, and stays.
    begin
        foreach v_subscription in array coalesce(v_changed, '{}') loop
            v_relation := async_triggers._resolve(v_subscription);
            perform async_triggers._create_mirror(v_relation);
            v_compiled := v_compiled || async_triggers._compile(v_subscription, v_relation);
        end loop;
        raise exception using errcode = 'PROBE';
    exception when sqlstate 'PROBE' then null;
    end;

    -- Whoever else changes subscriptions of these tables waits here, and sees ours afterwards: each
    -- statement below takes its snapshot after the lock.
    for v_relation in
        select relation from unnest(v_stale) union select relation from unnest(v_compiled) order by 1
    loop
        perform pg_advisory_xact_lock(1635021415, v_relation::bigint::bit(32)::integer);
    end loop;
    delete from async_triggers.compiled_subscriptions c
    using unnest(v_stale) s where c.stream_id = s.stream_id and c.key = s.key;
    insert into async_triggers.compiled_subscriptions select * from unnest(v_compiled);

    for v_job in
        select relation, operation, min(stream_id) as stream_id, min(key) as key
        from (select relation, operation, stream_id, key from unnest(v_compiled)
              union all select relation, operation, stream_id, key from unnest(v_stale)) concerned
        group by relation, operation order by relation::oid, operation
    loop
        perform async_triggers._generate_for(v_job.stream_id, v_job.key, v_job.relation, v_job.operation, p_force);
    end loop;
end;
$$;

create function async_triggers._subscriptions_changed()
returns trigger
language plpgsql
security definer
set search_path = ''
as $$
begin
    perform async_triggers._reconcile();
    return null;
end;
$$;

create trigger check_nulls before insert or update on async_triggers.subscriptions
for each row execute function async_triggers._check_nulls();
create trigger subscriptions_changed after insert or update or delete or truncate on async_triggers.subscriptions
for each statement execute function async_triggers._subscriptions_changed();

-- Makes all triggers anew where they must be, and every function: after a dump was restored, a table made anew under
-- its old name, a column's type changed under sessions that go on, or a partitioned table given to another owner.
create function async_triggers.refresh_triggers()
returns void
language plpgsql
set search_path = ''
as $$
begin
    perform async_triggers._reconcile(true);
end;
$$;

revoke execute on all functions in schema async_triggers from public;
