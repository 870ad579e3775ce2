-- SQL expressions that a subscription brings along: is it one expression, what does it use, may that run, and may it
-- stand in a trigger's WHEN. Nothing of it is ever executed here: Postgres parses it as the body of a function
-- that takes `new` and `old`, and the stored parse tree and its dependencies answer the rest.

-- The one way in which a subscription is refused.
create function async_triggers._refuse(
    p_stream_id bigint, p_key text, p_cause text, p_hint text, p_sqlstate text default '22023', p_detail text default '')
returns void
language plpgsql
set search_path = ''
as $$
declare
    v_message text := format('subscription %s%s: %s', coalesce('"' || p_key || '"', 'without a key'),
                             coalesce(' of stream ' || p_stream_id, ''), p_cause);
begin
    if coalesce(p_detail, '') = '' then
        raise exception using message = v_message, hint = p_hint, errcode = p_sqlstate;
    end if;
    raise exception using message = v_message, detail = p_detail, hint = p_hint, errcode = p_sqlstate;
end;
$$;

-- Creates function p_name, with the rows that the operation has as arguments.
create function async_triggers._create_probe(
    p_name text, p_relation oid, p_new boolean, p_old boolean, p_returns text, p_body text)
returns oid
language plpgsql
set search_path = ''
set check_function_bodies = on
as $$
declare
    v_row text := (select format_type(reltype, null) from pg_class where oid = p_relation);
    v_arguments text := concat_ws(', ', case when p_new then 'new ' || v_row end,
                                        case when p_old then 'old ' || v_row end);
begin
    execute format('create function async_triggers.%I(%s) returns %s language sql %s',
                   p_name, v_arguments, p_returns, p_body);
    return (select oid from pg_proc
            where proname = p_name and pronamespace = 'async_triggers'::regnamespace);
end;
$$;

-- Proves that p_expression is one expression over the rows that the operation has, of type boolean if p_boolean, and
-- that the owner may run all that it names. Returns whether the trigger's WHEN may hold it; else it refuses the
-- subscription, p_place saying where the expression stands.
create function async_triggers._check_expression(
    p_stream_id bigint, p_key text, p_place text, p_relation oid,
    p_operation async_triggers.operation_type, p_expression text, p_boolean boolean)
returns boolean
language plpgsql
set search_path = ''
as $$
declare
    v_name text := '_probe_' || pg_backend_pid();
    v_new boolean := p_operation <> 'DELETE';
    v_old boolean := p_operation <> 'INSERT';
    -- Quoted, so parsed and not run, whatever it is. The first statement fails on a closing parenthesis
    -- too many, so the second has all of it within its own; and there THEN takes exactly one expression.
    v_shape text := 'as ' || quote_literal(format(E'select\n%1$s\n;select (case when true then\n%1$s\n end)',
                                                  p_expression));
    v_probe oid;
    v_tree text;
    v_state text;
    v_message text;
    v_detail text;
    v_missing text;
    v_fits boolean;
begin
    if p_expression is null or btrim(p_expression, E' \t\n\r') = '' then
        perform async_triggers._refuse(p_stream_id, p_key, p_place || ' is empty',
            'Write one SQL expression, or null for no when_clause.');
    end if;
    begin
        v_probe := async_triggers._create_probe(v_name, p_relation, v_new, v_old, 'void', v_shape);
        execute format('drop function async_triggers.%I', v_name);
        v_probe := async_triggers._create_probe(v_name, p_relation, v_new, v_old,
            case when p_boolean then 'boolean' else 'jsonb' end,
            format(case when p_boolean then E'return (\n%s\n)'
                        else E'return pg_catalog.jsonb_build_array((\n%s\n))' end, p_expression));
    exception when others then
        get stacked diagnostics v_state = returned_sqlstate, v_message = message_text,
                                v_detail = pg_exception_detail;
    end;
    if v_state is not null then
        -- Would it do if the operation had both rows? The answer comes from Postgres, not from its message's words.
        if not (v_new and v_old) then
            begin
                perform async_triggers._create_probe(v_name, p_relation, true, true, 'void', v_shape);
                execute format('drop function async_triggers.%I', v_name);
                v_fits := true;
            exception when others then
                v_fits := false;
            end;
            if v_fits then
                perform async_triggers._refuse(p_stream_id, p_key,
                    format('%s uses "%s", which %s does not have', p_place,
                           case when v_new then 'old' else 'new' end, p_operation),
                    format('Use "%s".', case when v_new then 'new' else 'old' end));
            end if;
        end if;
        if v_state = '42P13' and p_boolean then
            perform async_triggers._refuse(p_stream_id, p_key, p_place || ' is not boolean: ' || p_expression,
                'A when_clause is a condition, such as new.total > 100.', '42804', v_detail);
        end if;
        perform async_triggers._refuse(p_stream_id, p_key, p_place || ': ' || v_message,
            case v_state
                when '42601' then 'Write exactly one SQL expression; text that you mean as a value goes in single quotes.'
                when '42501' then format('Expressions run as role %I: grant it what is missing (USAGE on the schema, '
                    'EXECUTE on the function, SELECT on the table).', current_user)
                else 'The expression sees "new" and "old" alone, with an empty search_path: write every function, type '
                    'and table outside pg_catalog with its schema.'
            end, v_state, v_detail);
    end if;

    select p.prosqlbody::text into v_tree from pg_proc p where p.oid = v_probe;

    -- EXECUTE and SELECT are checked only when an expression runs; the one that runs it then is a writer.
    select string_agg(format('grant execute on function %s to %I', p.oid::regprocedure, current_user), '; ') into v_missing
    from pg_proc p
    where p.oid in (select m[1]::oid from regexp_matches(v_tree, ':(?:funcid|opfuncid|aggfnoid|winfnoid) (\d+)', 'g') m)
      and not has_function_privilege(p.oid, 'EXECUTE');
    if v_missing is not null then
        perform async_triggers._refuse(p_stream_id, p_key, p_place || ' calls a function that role '
            || quote_ident(current_user) || ' may not execute', v_missing || ';', '42501');
    end if;
    select string_agg(format('grant select on %s to %I', d.refobjid::regclass, current_user), '; ') into v_missing
    from (select distinct refobjid from pg_depend
          where classid = 'pg_proc'::regclass and objid = v_probe and refclassid = 'pg_class'::regclass) d
    join pg_class c on c.oid = d.refobjid and c.relkind in ('r', 'p', 'v', 'm', 'f')
    where d.refobjid <> p_relation and not has_table_privilege(d.refobjid, 'SELECT')
      and not has_any_column_privilege(d.refobjid, 'SELECT');
    if v_missing is not null then
        perform async_triggers._refuse(p_stream_id, p_key, p_place || ' reads a table that role '
            || quote_ident(current_user) || ' may not read', v_missing || ';', '42501');
    end if;

    -- WHEN runs as the writer and takes no subquery: columns, constants and immutable functions of pg_catalog that
    -- everybody may execute. Node names are those of Postgres 15 and, where they differ, of 16 and later. What
    -- is not in the list is left to the function, which is always right.
    v_fits := not exists (
            select from regexp_matches(v_tree, '\{([A-Z_]+)', 'g') with ordinality as node(name, n)
            where (n > 1 and name[1] = 'QUERY') or name[1] not in (
                'QUERY', 'FROMEXPR', 'TARGETENTRY', 'PARAM', 'FIELDSELECT', 'CONST', 'OPEXPR', 'FUNCEXPR',
                'BOOLEXPR', 'NULLTEST', 'BOOLEANTEST', 'DISTINCTEXPR', 'NULLIFEXPR', 'SCALARARRAYOPEXPR',
                'RELABELTYPE', 'CASE', 'CASEEXPR', 'WHEN', 'CASEWHEN', 'CASETESTEXPR', 'COALESCE', 'COALESCEEXPR',
                'ARRAY', 'ARRAYEXPR'))
        and not exists (
            select from regexp_matches(v_tree, ':(?:funcid|opfuncid) (\d+)', 'g') m
            left join pg_proc p on p.oid = m[1]::oid
            where p.provolatile is distinct from 'i' or p.pronamespace <> 'pg_catalog'::regnamespace
               or not has_function_privilege('public', p.oid, 'EXECUTE'));
    execute format('drop function async_triggers.%I', v_name);
    return v_fits;
end;
$$;
