-- What is wrong with subscriptions that were right when they were written: a column that has gone, a trigger that
-- somebody dropped or disabled. For `check`, `status` and people; nothing is changed.
create function async_triggers.subscription_problems(p_stream_id bigint default null)
returns table (stream_id bigint, key text, problem text, hint text)
language plpgsql
set search_path = ''
as $$
#variable_conflict use_column
declare
    v_subscription async_triggers.subscriptions;
    v_compiled async_triggers.compiled_subscriptions;
    v_generated async_triggers.generated_triggers;
    v_relation oid;
    v_trigger text;
    v_disabled text;
    v_refresh constant text := 'select async_triggers.refresh_triggers();';
begin
    for v_subscription in
        select s.* from async_triggers.subscriptions s
        where p_stream_id is null or s.stream_id = p_stream_id order by s.stream_id, s.key
    loop
        stream_id := v_subscription.stream_id;
        key := v_subscription.key;
        v_trigger := 'async_triggers_' || lower(v_subscription.operation::text);
        begin
            v_relation := async_triggers._resolve(v_subscription);
            perform async_triggers._create_mirror(v_relation);
            perform async_triggers._compile(v_subscription, v_relation);
            raise exception using errcode = 'PROBE';
        exception when sqlstate 'PROBE' then
            null;
        when others then
            get stacked diagnostics problem = message_text, hint = pg_exception_hint;
            return next;
            continue;
        end;

        select c.* into v_compiled from async_triggers.compiled_subscriptions c
        where c.stream_id = v_subscription.stream_id and c.key = v_subscription.key;
        if not found or v_compiled.source <> async_triggers._source(v_subscription) then
            problem := 'it was written while triggers were switched off, and has no effect yet';
            hint := v_refresh;
            return next;
            continue;
        end if;
        if v_compiled.relation <> v_relation then
            problem := format('%I.%I is now another table than the one it watches (%s)',
                v_subscription.schema_name, v_subscription.table_name,
                coalesce((select c.oid::regclass::text from pg_class c where c.oid = v_compiled.relation), 'dropped'));
            hint := v_refresh;
            return next;
            continue;
        end if;

        select g.* into v_generated from async_triggers.generated_triggers g
        where g.relation = v_relation and g.operation = v_subscription.operation;
        if not exists (select from pg_trigger t join pg_proc p on p.oid = t.tgfoid
                       where t.tgrelid = v_relation and t.tgname = v_trigger and p.proname = v_generated.function_name
                         and p.pronamespace = 'async_triggers'::regnamespace) then
            problem := format('trigger %s on %s is missing', v_trigger, v_relation::regclass);
            hint := v_refresh;
            return next;
            continue;
        end if;
        select string_agg(t.tgrelid::regclass::text, ', ' order by t.tgrelid) into v_disabled
        from pg_trigger t join pg_proc p on p.oid = t.tgfoid
        where t.tgname = v_trigger and t.tgenabled not in ('O', 'A') and p.proname = v_generated.function_name
          and p.pronamespace = 'async_triggers'::regnamespace;
        if v_disabled is not null then
            problem := format('trigger %s is disabled on %s', v_trigger, v_disabled);
            hint := format('alter table %s enable trigger %s;', split_part(v_disabled, ', ', 1), v_trigger);
            return next;
        end if;
        -- Partitions take a copy of the trigger when they are created or attached; their owner may drop none of them,
        -- but the role that creates partitions must be allowed to execute the function.
        select string_agg(distinct quote_ident(r.rolname), ', ') into v_disabled
        from pg_class c join pg_roles r on r.oid = c.relowner
        where c.oid = v_relation and c.relkind = 'p'
          and not has_function_privilege(
                  c.relowner, format('async_triggers.%I()', v_generated.function_name), 'EXECUTE');
        if v_disabled is not null then
            problem := format('%s has another owner now, %s, who cannot create partitions', v_relation::regclass,
                              v_disabled);
            hint := v_refresh;
            return next;
        end if;
    end loop;
end;
$$;

revoke execute on function async_triggers.subscription_problems(bigint) from public;
