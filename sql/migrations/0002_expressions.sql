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

-- A row type like the table's, for probes: to look into the table's own takes a lock on the table for a moment, and
-- somebody may hold it. It lives as long as the subtransaction of the caller.
create function async_triggers._mirror_name(p_relation oid)
returns text
language sql stable
set search_path = ''
as $$
    select '_mirror_' || pg_backend_pid() || '_' || p_relation;
$$;

create function async_triggers._create_mirror(p_relation oid)
returns void
language plpgsql
set search_path = ''
as $$
begin
    if to_regtype('async_triggers.' || async_triggers._mirror_name(p_relation)) is null then
        execute format('create type async_triggers.%I as (%s)', async_triggers._mirror_name(p_relation), (
            select string_agg(format('%I %s', a.attname, format_type(a.atttypid, a.atttypmod))
                              || case when a.attcollation <> t.typcollation
                                      then ' collate ' || a.attcollation::regcollation else '' end, ', ' order by attnum)
            from pg_attribute a join pg_type t on t.oid = a.atttypid
            where a.attrelid = p_relation and a.attnum > 0 and not a.attisdropped));
    end if;
end;
$$;

-- Creates function p_name with the rows that the operation has as arguments, of type p_row.
create function async_triggers._create_probe(
    p_name text, p_row text, p_new boolean, p_old boolean, p_returns text, p_body text)
returns oid
language plpgsql
set search_path = ''
set check_function_bodies = on
as $$
begin
    execute format('create function async_triggers.%I(%s) returns %s language sql %s', p_name,
                   concat_ws(', ', case when p_new then 'new ' || p_row end, case when p_old then 'old ' || p_row end),
                   p_returns, p_body);
    return (select oid from pg_proc
            where proname = p_name and pronamespace = 'async_triggers'::regnamespace);
end;
$$;

-- The functions that a probe's expression calls, by its parse tree: operators and aggregates included.
create function async_triggers._called_functions(p_probe oid)
returns setof oid
language sql stable
set search_path = ''
as $$
    select distinct m[1]::oid
    from pg_proc p, regexp_matches(p.prosqlbody::text, ':(?:funcid|opfuncid|aggfnoid|winfnoid) (\d+)', 'g') m
    where p.oid = p_probe;
$$;

-- The GRANTs without which the owner may not call them; null for none.
create function async_triggers._functions_not_granted(p_probe oid)
returns text
language sql stable
set search_path = ''
as $$
    select string_agg(format('grant execute on function %s to %I;', f::regprocedure, current_user), ' ')
    from async_triggers._called_functions(p_probe) f
    where not has_function_privilege(f, 'EXECUTE');
$$;

-- The GRANTs without which the owner may not read the tables of its subqueries; null for none.
create function async_triggers._tables_not_granted(p_probe oid, p_relation oid)
returns text
language sql stable
set search_path = ''
as $$
    select string_agg(format('grant select on %s to %I;', d.refobjid::regclass, current_user), ' ')
    from (select distinct refobjid from pg_depend
          where classid = 'pg_proc'::regclass and objid = p_probe and refclassid = 'pg_class'::regclass) d
    join pg_class c on c.oid = d.refobjid and c.relkind in ('r', 'p', 'v', 'm', 'f')
    where d.refobjid <> p_relation and not has_table_privilege(d.refobjid, 'SELECT')
      and not has_any_column_privilege(d.refobjid, 'SELECT');
$$;

-- The virtual generated columns (Postgres 18) that the expression uses: to a trigger function they are null.
create function async_triggers._virtual_columns(p_probe oid, p_relation oid)
returns text
language sql stable
set search_path = ''
as $$
    select string_agg(quote_ident(a.attname), ', ' order by a.attnum)
    from pg_depend d
    join pg_type mirror on mirror.oid in (select unnest(proargtypes) from pg_proc where oid = p_probe)
    join pg_attribute used on used.attrelid = d.refobjid and used.attnum = d.refobjsubid
    join pg_attribute a on a.attrelid = p_relation and a.attname = used.attname
    where d.classid = 'pg_proc'::regclass and d.objid = p_probe and d.refclassid = 'pg_class'::regclass
      and d.refobjid = mirror.typrelid and a.attgenerated = 'v';
$$;

-- WHEN runs as the writer and takes no subquery: columns, constants and immutable functions of pg_catalog that everybody
-- may execute. Node names are those of Postgres 15 and, where they differ, of 16 and later. What is not in the
-- list is left to the function, which is always right.
create function async_triggers._fits_when(p_probe oid)
returns boolean
language sql stable
set search_path = ''
as $$
    select not exists (
            select from pg_proc p, regexp_matches(p.prosqlbody::text, '\{([A-Z_]+)', 'g') with ordinality node(name, n)
            where p.oid = p_probe and ((n > 1 and name[1] = 'QUERY') or name[1] not in (
                'QUERY', 'FROMEXPR', 'TARGETENTRY', 'PARAM', 'FIELDSELECT', 'CONST', 'OPEXPR', 'FUNCEXPR',
                'BOOLEXPR', 'NULLTEST', 'BOOLEANTEST', 'DISTINCTEXPR', 'NULLIFEXPR', 'SCALARARRAYOPEXPR',
                'RELABELTYPE', 'CASE', 'CASEEXPR', 'WHEN', 'CASEWHEN', 'CASETESTEXPR', 'COALESCE', 'COALESCEEXPR',
                'ARRAY', 'ARRAYEXPR')))
        and not exists (
            select from async_triggers._called_functions(p_probe) f left join pg_proc p on p.oid = f
            where p.provolatile is distinct from 'i' or p.pronamespace <> 'pg_catalog'::regnamespace
               or not has_function_privilege('public', p.oid, 'EXECUTE'));
$$;

-- Proves that p_expression is one expression over the rows that the operation has, of type boolean if p_boolean, and
-- that the owner may run all that it names. Returns whether the trigger's WHEN may hold it; else it refuses the
-- subscription, p_place saying where the expression stands.
--
-- Each probe is made in a subtransaction that is rolled back (by the error PROBE): neither it nor a lock on what it
-- names outlives the question.
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
    v_typed text := case when p_boolean then E'return (\n' || p_expression || E'\n)'
                         else E'return pg_catalog.jsonb_build_array((\n' || p_expression || E'\n))' end;
    -- First the mirror, where the caller made one; then the table's own type, which functions that take whole rows want.
    v_rows text[] := array_remove(array[
        to_regtype('async_triggers.' || async_triggers._mirror_name(p_relation))::text,
        (select format_type(reltype, null) from pg_class where oid = p_relation)], null);
    v_row text;
    v_shaped boolean;
    v_probe oid;
    v_no_execute text;
    v_no_select text;
    v_virtual text;
    v_fits_when boolean;
    v_state text;
    v_message text;
    v_detail text;
    v_hint text;
begin
    if p_expression is null or btrim(p_expression, E' \t\n\r') = '' then
        perform async_triggers._refuse(p_stream_id, p_key, p_place || ' is empty',
            'Write one SQL expression, or null for no when_clause.');
    end if;
    foreach v_row in array v_rows loop
        v_shaped := false;
        v_state := null;
        begin
            perform async_triggers._create_probe(v_name, v_row, v_new, v_old, 'void', v_shape);
            v_shaped := true;
            v_probe := async_triggers._create_probe(v_name || '_typed', v_row, v_new, v_old,
                                                    case when p_boolean then 'boolean' else 'jsonb' end, v_typed);
            v_no_execute := async_triggers._functions_not_granted(v_probe);
            v_no_select := async_triggers._tables_not_granted(v_probe, p_relation);
            v_virtual := async_triggers._virtual_columns(v_probe, p_relation);
            v_fits_when := async_triggers._fits_when(v_probe);
            raise exception using errcode = 'PROBE';
        exception
            when sqlstate 'PROBE' then null;
            when others then
                get stacked diagnostics v_state = returned_sqlstate, v_message = message_text,
                                        v_detail = pg_exception_detail;
        end;
        exit when v_state is null or v_state = '42601';
    end loop;

    -- EXECUTE and SELECT are checked by Postgres only when an expression runs; then it is a writer who hears of it.
    if v_no_execute is not null then
        perform async_triggers._refuse(p_stream_id, p_key, p_place || ' calls a function that role '
            || quote_ident(current_user) || ' may not execute', v_no_execute, '42501');
    end if;
    if v_no_select is not null then
        perform async_triggers._refuse(p_stream_id, p_key, p_place || ' reads a table that role '
            || quote_ident(current_user) || ' may not read', v_no_select, '42501');
    end if;
    if v_virtual is not null then
        perform async_triggers._refuse(p_stream_id, p_key,
            format('%s uses %s, a virtual generated column, which triggers do not see', p_place, v_virtual),
            'Write the column''s own expression instead.', '0A000');
    end if;
    if v_state is null then
        return v_fits_when;
    end if;

    -- Would it do if the operation had both rows? The answer comes from Postgres, not from its message's words.
    if not v_shaped and not (v_new and v_old) then
        begin
            perform async_triggers._create_probe(v_name, v_row, true, true, 'void', v_shape);
            raise exception using errcode = 'PROBE';
        exception
            when sqlstate 'PROBE' then
                perform async_triggers._refuse(p_stream_id, p_key,
                    format('%s uses "%s", which %s does not have', p_place,
                           case when v_new then 'old' else 'new' end, p_operation),
                    format('Use "%s".', case when v_new then 'new' else 'old' end));
            when others then null;
        end;
    end if;
    -- Of a column that is not there Postgres says only that there is no table "new". Ask with tables of that name.
    if v_state = '42P01' then
        begin
            perform async_triggers._create_probe(v_name, v_row, false, false, 'void',
                'as ' || quote_literal(format(E'select (case when true then\n%s\n end) from %s', p_expression,
                    concat_ws(', ', case when v_new then format('(select (null::%s).*) new', v_row) end,
                                    case when v_old then format('(select (null::%s).*) old', v_row) end))));
            raise exception using errcode = 'PROBE';
        exception
            when undefined_column then
                get stacked diagnostics v_state = returned_sqlstate, v_message = message_text;
            when others then null;
        end;
    end if;
    if v_state = '42P13' and p_boolean then
        perform async_triggers._refuse(p_stream_id, p_key, p_place || ' is not boolean: ' || p_expression,
            'A when_clause is a condition, such as new.total > 100.', '42804', v_detail);
    end if;
    v_hint := case v_state
        when '42601' then 'Write exactly one SQL expression; text that you mean as a value goes in single quotes.'
        when '42703' then 'Use columns of the table, as new."Column" or old."Column" where the name is not in lower case.'
        when '42501' then format('Expressions run as role %I: grant it what is missing (USAGE on the schema, EXECUTE on '
                                 'the function, SELECT on the table).', current_user)
        else 'The expression sees "new" and "old" alone, with an empty search_path: write every function, type and table '
             'outside pg_catalog with its schema.' end;
    perform async_triggers._refuse(p_stream_id, p_key, p_place || ': ' || v_message, v_hint, v_state, v_detail);
end;
$$;
