-- All subscriptions of a stream in one statement: what is absent goes, what is equal stays untouched. With the
-- caller's rights: they take SELECT, INSERT, UPDATE and DELETE on async_triggers.subscriptions.
create function async_triggers.set_subscriptions(
    p_stream_id bigint, p_subscriptions async_triggers.subscriptions[])
returns void
language plpgsql
set search_path = ''
as $$
declare
    v_twice text;
begin
    if p_stream_id is null or p_subscriptions is null then
        raise exception 'set_subscriptions: % is null', case when p_stream_id is null then 'p_stream_id'
                                                             else 'p_subscriptions' end
            using errcode = '22004', hint = 'An empty array removes all subscriptions of the stream.';
    end if;
    select key into v_twice from unnest(p_subscriptions) group by key having count(*) > 1 limit 1;
    if found then
        raise exception 'set_subscriptions: key "%" is given twice', v_twice
            using errcode = '23505', hint = 'A key names one subscription of a stream.';
    end if;
    -- One call a stream at a time, so that two do not insert the same key.
    perform pg_advisory_xact_lock(hashtextextended('async_triggers.set_subscriptions', p_stream_id));

    merge into async_triggers.subscriptions as target
    using (
        select given.*, coalesce(given.key, present.key) as merge_key, given.present is null as absent
        from (select g.*, true as present from unnest(p_subscriptions) g) given
        full join (select key from async_triggers.subscriptions where stream_id = p_stream_id) present
        on present.key = given.key
    ) as source
    on target.stream_id = p_stream_id and target.key = source.merge_key
    when matched and source.absent then
        delete
    when matched and (target.operation, target.schema_name, target.table_name, target.when_clause,
                      target.column_names, target.metadata, target.payload_extensions)
        is distinct from (source.operation, source.schema_name, source.table_name, source.when_clause,
                          source.column_names, source.metadata, source.payload_extensions) then
        update set operation = source.operation, schema_name = source.schema_name, table_name = source.table_name,
                   when_clause = source.when_clause, column_names = source.column_names,
                   metadata = source.metadata, payload_extensions = source.payload_extensions
    when not matched then
        insert (key, stream_id, operation, schema_name, table_name, when_clause, column_names, metadata,
                payload_extensions)
        values (source.key, p_stream_id, source.operation, source.schema_name, source.table_name,
                source.when_clause, source.column_names, source.metadata, source.payload_extensions);
end;
$$;

-- The same from an array of objects with the column names as keys; id and stream_id in them are not looked at.
create function async_triggers.set_subscriptions_json(p_stream_id bigint, p_subscriptions jsonb)
returns void
language plpgsql
set search_path = ''
as $$
declare
    v_subscription jsonb;
    v_unknown text;
begin
    if jsonb_typeof(p_subscriptions) is distinct from 'array' then
        raise exception 'set_subscriptions_json: p_subscriptions is not an array'
            using errcode = '22023', hint = 'An empty array removes all subscriptions of the stream.';
    end if;
    for v_subscription in select * from jsonb_array_elements(p_subscriptions) loop
        if jsonb_typeof(v_subscription) <> 'object' then
            raise exception 'set_subscriptions_json: an element is not an object: %', v_subscription using
                errcode = '22023',
                hint = 'Write {"key": ..., "operation": ..., "schema_name": ..., "table_name": ...}.';
        end if;
        select name into v_unknown from jsonb_object_keys(v_subscription) name
        where not name = any ('{id,key,stream_id,operation,schema_name,table_name,when_clause,column_names,metadata,'
                              'payload_extensions}'::text[]);
        if found then
            raise exception 'subscription "%" of stream %: unknown member "%"', v_subscription ->> 'key',
                p_stream_id, v_unknown using errcode = '22023', hint = 'The members are the columns of async_triggers.subscriptions.';
        end if;
    end loop;
    perform async_triggers.set_subscriptions(p_stream_id, array(
        select s from jsonb_populate_recordset(null::async_triggers.subscriptions, p_subscriptions) s));
end;
$$;
