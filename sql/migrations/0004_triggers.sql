-- From the compiled subscriptions of a table and operation to one function and one trigger.

-- What each subscription became. `source` is the row it was made from: where it differs, something changed.
-- Tables are held by OID (a regclass follows renames, and a dump carries it as a name).
create table async_triggers.compiled_subscriptions (
    stream_id    bigint not null,
    key          text not null,
    source       text not null,
    relation     regclass not null,
    schema_name  text not null,
    table_name   text not null,
    operation    async_triggers.operation_type not null,
    when_clause  text,
    in_when      boolean not null,
    payload      text not null,
    metadata     jsonb,
    primary key (stream_id, key)
);
create index on async_triggers.compiled_subscriptions (relation, operation);

-- One row a table and operation that ever had a subscription; function_name is null while it has none. Rows stay,
-- because they also carry the lock by which two sessions see each other's changes.
create table async_triggers.generated_triggers (
    relation      regclass not null,
    operation     async_triggers.operation_type not null,
    function_name text unique,
    when_clause   text,
    primary key (relation, operation)
);

-- The way in for whatever is not the subscribed table itself, by OID: partitions below partitions, and tables whose OIDs
-- a restored dump has changed.
create function async_triggers._may_publish(p_function_name text, p_relation oid)
returns boolean
language sql stable
set search_path = ''
as $$
    select exists (
        select from async_triggers.generated_triggers g
        where g.function_name = p_function_name
          and (g.relation = p_relation
               or g.relation in (select relid from pg_partition_ancestors(p_relation))));
$$;

-- A name for people to recognise, unique by the table's OID, cut by bytes to the 63 that a name may have.
create function async_triggers._function_name(p_relation oid, p_operation async_triggers.operation_type)
returns text
language plpgsql
set search_path = ''
as $$
declare
    v_prefix text := '_publish_after_' || lower(p_operation::text) || '_on_';
    v_suffix text := '_' || p_relation;
    v_table text := (select regexp_replace(lower(relname), '\W', '_', 'g') from pg_class where oid = p_relation);
    v_n integer := 1;
begin
    while octet_length(v_prefix || v_table || v_suffix) > 63 loop
        v_table := left(v_table, -1);
    end loop;
    -- A restored dump may have brought a function with a number that now means another table.
    while exists (select from pg_proc where pronamespace = 'async_triggers'::regnamespace
                                        and proname = v_prefix || v_table || v_suffix) loop
        v_n := v_n + 1;
        v_table := left(v_table, 20 - length(v_n::text) - 1);
        v_suffix := '_' || p_relation || '_' || v_n;
    end loop;
    return v_prefix || v_table || v_suffix;
end;
$$;

-- The trigger's WHEN (without the word), or null for none: the distinct conditions of all subscriptions, if each
-- has one that may stand there.
create function async_triggers._when_clause(p_relation oid, p_operation async_triggers.operation_type)
returns text
language sql
set search_path = ''
as $$
    select case when bool_and(in_when) then
        string_agg(distinct E'(\n' || when_clause || E'\n)', ' or ') end
    from async_triggers.compiled_subscriptions
    where relation = p_relation and operation = p_operation;
$$;

-- The body of the function. First all conditions and payloads, in a block whose handler names the subscription to the
-- writer (whose table may have lost a column since); then the events. Nothing is written inside the block,
-- so its subtransaction never takes an xid: measured, the handler costs a twentieth of what the trigger costs.
-- An empty search_path still looks for types among the writer's temporary ones, first: a domain of his named `text` would
-- run his CHECK with our rights. So our own types carry their schema, and for the subscriptions' expressions
-- pg_temp goes last in sessions that have one. The function's SET undoes that at its end.
create function async_triggers._function_body(
    p_relation oid, p_operation async_triggers.operation_type, p_function_name text, p_when_clause text)
returns text
language sql
set search_path = ''
as $$
    with subscription as (
        select row_number() over (order by stream_id, key collate "C") as n, count(*) over () as total,
               format('"%s" of stream %s', key, stream_id) as name,
               stream_id, when_clause, payload, metadata,
               -- The trigger asks already.
               when_clause is null or p_when_clause is not distinct from E'(\n' || when_clause || E'\n)' as always
        from async_triggers.compiled_subscriptions
        where relation = p_relation and operation = p_operation
    )
    select format(
$body$
#variable_conflict use_column
-- Generated from async_triggers.subscriptions, and overwritten whenever they change.
declare
%3$sbegin
    if tg_relid <> %1$s or pg_my_temp_schema() <> 0 then
        if pg_my_temp_schema() <> 0 then
            perform set_config('search_path', 'pg_catalog, pg_temp', true);
        end if;
        if tg_relid <> %1$s and pg_partition_root(tg_relid) is distinct from %1$s::pg_catalog.oid
           and not async_triggers._may_publish(%2$L, tg_relid) then
            raise exception 'async_triggers: %% is not the table that function %2$s publishes',
                tg_relid::pg_catalog.regclass
                using errcode = '42501',
                      hint = 'Drop trigger ' || quote_ident(tg_name) || ' there: subscriptions make their own.';
        end if;
    end if;
    begin
%4$s    exception when others then
        raise exception 'subscription %%: %%', %5$s, sqlerrm
            using errcode = sqlstate,
                  hint = 'The event cannot be built: correct this row of async_triggers.subscriptions, or delete it.';
    end;
%6$s    return null;
end
$body$,
        p_relation, p_function_name,
        case when count(*) > 1 then E'    _at integer;\n' else '' end
            || string_agg(format(E'    _p%s pg_catalog.jsonb;\n', n), '' order by n),
        string_agg(
            case when total > 1 then format(E'        _at := %s;\n', n) else '' end ||
            case when always then format(E'        _p%1$s := %2$s;\n', n, payload)
                 else format(E'        if (\n%2$s\n        ) then\n            _p%1$s := %3$s;\n        end if;\n',
                             n, when_clause, payload) end,
            '' order by n),
        case when count(*) > 1 then format('(%L::pg_catalog.text[])[_at]', array_agg(name order by n))
             else quote_literal(min(name)) end,
        string_agg(
            case when always then format(E'    %s;\n', write)
                 else format(E'    if _p%s is not null then\n        %s;\n    end if;\n', n, write) end,
            '' order by n))
    from (select *, format('insert into async_triggers.events (stream_id, payload%s) values (%s, _p%s%s)',
                           case when metadata is not null then ', metadata' else '' end, stream_id, n,
                           coalesce(', ' || quote_literal(metadata) || '::pg_catalog.jsonb', '')) as write
          from subscription) subscription;
$$;

-- Drops the function and, with it, its triggers: that takes no ownership of the table. Nothing else may go along.
create function async_triggers._drop_function(
    p_relation oid, p_operation async_triggers.operation_type, p_function_name text)
returns void
language plpgsql
set search_path = ''
set client_min_messages = warning
as $$
declare
    v_function oid := (select oid from pg_proc where proname = p_function_name
                                                 and pronamespace = 'async_triggers'::regnamespace);
    v_other text;
    v_constraint text;
begin
    if v_function is null then
        return;
    end if;
    select pg_describe_object(d.classid, d.objid, d.objsubid) into v_other
    from pg_depend d
    left join pg_trigger t on d.classid = 'pg_trigger'::regclass and t.oid = d.objid
    where d.refclassid = 'pg_proc'::regclass and d.refobjid = v_function
      and (t.oid is null or t.tgname <> 'async_triggers_' || lower(p_operation::text)
           or (t.tgrelid <> p_relation and not exists (
                   select from pg_partition_ancestors(t.tgrelid) where relid = p_relation)))
    limit 1;
    if found then
        raise exception '% uses function async_triggers.%', v_other, quote_ident(p_function_name)
            using errcode = '2BP01', hint = 'It was not made by a subscription: have its owner drop it, then try again.';
    end if;
    -- What this transaction wrote to the table before is an event still to come, and would go with the trigger unnoticed.
    -- The name means the same trigger on other tables of that schema, too: their events only come early.
    for v_constraint in
        select format('%s.%I', c.relnamespace::regnamespace, t.tgname)
        from pg_trigger t join pg_class c on c.oid = t.tgrelid where t.tgfoid = v_function and t.tgrelid = p_relation
    loop
        execute 'set constraints ' || v_constraint || ' immediate';
        execute 'set constraints ' || v_constraint || ' deferred';
    end loop;
    execute format('drop function async_triggers.%I cascade', p_function_name);
end;
$$;

-- Refuses a table on which the owner may not create triggers, all that is missing at once.
create function async_triggers._check_privileges(p_relation oid)
returns void
language plpgsql
set search_path = ''
as $$
declare
    v_missing text;
begin
    with recursive tree(oid) as (
        select p_relation
        union all
        select i.inhrelid from tree join pg_inherits i on i.inhparent = tree.oid
        join pg_class c on c.oid = i.inhrelid and c.relispartition
    )
    select string_agg(format('grant trigger on %s to %I', t.oid::regclass, current_user), '; ' order by t.oid)
    into v_missing from tree t where not has_table_privilege(t.oid, 'TRIGGER');
    if v_missing is not null then
        raise exception 'role % may not create triggers on %', quote_ident(current_user), p_relation::regclass
            using errcode = '42501', hint = v_missing || ';';
    end if;
end;
$$;

-- Drops what there is and creates function and trigger anew. This alone locks the user's table, and waits no longer
-- for that than an application can bear that queues behind it.
create function async_triggers._replace_trigger(
    p_relation oid, p_operation async_triggers.operation_type, p_function_name text, p_body text, p_when_clause text)
returns void
language plpgsql
set search_path = ''
set lock_timeout = '2s'
as $$
begin
    perform async_triggers._drop_function(p_relation, p_operation, p_function_name);
    if p_body is null then
        return;
    end if;
    perform async_triggers._check_privileges(p_relation);
    perform async_triggers._replace_function(p_relation, p_function_name, p_body);
    execute format('create constraint trigger %I after %s on %s deferrable initially deferred for each row %s '
                   'execute function async_triggers.%I()',
                   'async_triggers_' || lower(p_operation::text), lower(p_operation::text), p_relation::regclass,
                   'when (' || p_when_clause || ')', p_function_name);
end;
$$;

-- Replaces the function alone: no lock on the user's table. Who owns the partitioned tables may execute it, because
-- creating a partition copies the trigger with the creator's rights.
create function async_triggers._replace_function(p_relation oid, p_function_name text, p_body text)
returns void
language plpgsql
set search_path = ''
as $$
declare
    v_owner name;
begin
    execute format('create or replace function async_triggers.%I() returns trigger language plpgsql security definer '
                   'set search_path = %L as %L', p_function_name, '', p_body);
    execute format('revoke execute on function async_triggers.%I() from public', p_function_name);
    for v_owner in
        with recursive tree(oid) as (
            select p_relation
            union all
            select i.inhrelid from tree join pg_inherits i on i.inhparent = tree.oid
            join pg_class c on c.oid = i.inhrelid and c.relispartition
        )
        select distinct r.rolname from tree join pg_class c on c.oid = tree.oid and c.relkind = 'p'
        join pg_roles r on r.oid = c.relowner where r.rolname <> current_user
    loop
        execute format('grant execute on function async_triggers.%I() to %I', p_function_name, v_owner);
    end loop;
end;
$$;

-- Brings function and trigger of a table and operation in line with its compiled subscriptions. The caller holds the
-- table's advisory lock. p_force replaces a function that would stay as it is, so that every session compiles it anew.
create function async_triggers._generate(
    p_relation oid, p_operation async_triggers.operation_type, p_force boolean default false)
returns void
language plpgsql
set search_path = ''
as $$
declare
    v_name text;
    v_old_when text;
    v_when text;
    v_body text;
    v_source text;
    v_standing boolean;
begin
    -- In a transaction whose snapshot is older than another session's change this fails with 40001 rather than
    -- forget that change.
    perform from async_triggers.generated_triggers
    where relation = p_relation and operation = p_operation for update;
    insert into async_triggers.generated_triggers as g (relation, operation) values (p_relation, p_operation)
    on conflict (relation, operation) do update set operation = excluded.operation
    returning g.function_name, g.when_clause into v_name, v_old_when;

    if not exists (select from async_triggers.compiled_subscriptions
                   where relation = p_relation and operation = p_operation)
       or not exists (select from pg_class where oid = p_relation) then
        if v_name is not null then
            perform async_triggers._replace_trigger(p_relation, p_operation, v_name, null, null);
        end if;
        update async_triggers.generated_triggers set function_name = null, when_clause = null
        where relation = p_relation and operation = p_operation;
        return;
    end if;

    select p.prosrc, t.oid is not null into v_source, v_standing
    from pg_proc p
    left join pg_trigger t on t.tgfoid = p.oid and t.tgrelid = p_relation
                          and t.tgname = 'async_triggers_' || lower(p_operation::text)
    where p.proname = v_name and p.pronamespace = 'async_triggers'::regnamespace;
    if v_name is null then
        v_name := async_triggers._function_name(p_relation, p_operation);
    end if;
    v_when := async_triggers._when_clause(p_relation, p_operation);
    v_body := async_triggers._function_body(p_relation, p_operation, v_name, v_when);
    if v_standing and v_when is not distinct from v_old_when then
        if v_source is distinct from v_body or p_force then
            perform async_triggers._replace_function(p_relation, v_name, v_body);
        end if;
    else
        perform async_triggers._replace_trigger(p_relation, p_operation, v_name, v_body, v_when);
    end if;
    update async_triggers.generated_triggers set function_name = v_name, when_clause = v_when
    where relation = p_relation and operation = p_operation
      and (function_name, when_clause) is distinct from (v_name, v_when);
end;
$$;
