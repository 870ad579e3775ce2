-- From a subscription to the expression that builds its payload: a tree in jsonb whose strings are SQL expressions and
-- whose objects are objects, rendered at the end as nested jsonb_build_object calls. A member "" of an object is
-- the expression that yields what the other members are merged into.

-- Deep merge at run time, for what the tree cannot know: extensions inside columns and whole rows.
create function async_triggers._merge(p_below jsonb, p_above jsonb)
returns jsonb
language sql immutable
set search_path = ''
as $$
    select case
        when jsonb_typeof(p_below) is distinct from 'object' or jsonb_typeof(p_above) <> 'object' then p_above
        else p_below || coalesce((
            select jsonb_object_agg(above.key, case when p_below ? above.key
                                               then async_triggers._merge(p_below -> above.key, above.value)
                                               else above.value end)
            from jsonb_each(p_above) above), '{}')
    end;
$$;

-- The tree with p_expression at p_path.
create function async_triggers._graft(p_tree jsonb, p_path text[], p_expression text)
returns jsonb
language plpgsql immutable
set search_path = ''
as $$
declare
    v_child jsonb := p_tree -> p_path[1];
begin
    if cardinality(p_path) = 1 then
        return p_tree || jsonb_build_object(p_path[1], p_expression);
    end if;
    if v_child is null then
        v_child := '{}';
    elsif jsonb_typeof(v_child) = 'string' then
        v_child := jsonb_build_object('', v_child);
    end if;
    return p_tree || jsonb_build_object(p_path[1], async_triggers._graft(v_child, p_path[2:], p_expression));
end;
$$;

-- The SQL expression of a tree. A call takes 100 arguments at most: more members go into further calls.
create function async_triggers._render(p_tree jsonb)
returns text
language plpgsql immutable
set search_path = ''
as $$
declare
    v_calls text;
begin
    if jsonb_typeof(p_tree) = 'string' then
        return p_tree #>> '{}';
    end if;
    select string_agg('jsonb_build_object(' || members || ')', ' || ' order by call) into v_calls
    from (select (n - 1) / 50 as call,
                 string_agg(quote_literal(key) || ', ' || async_triggers._render(value), ', ' order by n) as members
          from (select key, value, row_number() over (order by key collate "C") as n
                from jsonb_each(p_tree) where key <> '') numbered
          group by 1) calls;
    v_calls := coalesce(v_calls, quote_literal('{}') || '::pg_catalog.jsonb');
    if p_tree ? '' then
        return format('async_triggers._merge(to_jsonb(%s), %s)', p_tree ->> '', v_calls);
    end if;
    return v_calls;
end;
$$;

-- The tree of `new` or `old`: the columns asked for, or the whole row.
create function async_triggers._row_tree(p_row text, p_relation oid, p_columns text[])
returns jsonb
language sql stable
set search_path = ''
as $$
    select case
        -- Not listed by name: a column that is added later comes along, one that is dropped is not missed.
        when '*' = any (p_columns) then to_jsonb('to_jsonb(' || p_row || ')' || coalesce((
            select case when count(*) > 0 then format(' - %L::pg_catalog.text[]', array_agg(attname::text)) end
            from pg_attribute where attrelid = p_relation and attgenerated = 'v' and not attisdropped), ''))
        else coalesce((select jsonb_object_agg(name, p_row || '.' || quote_ident(name)) from unnest(p_columns) name), '{}')
    end;
$$;

-- Refuses column_names that the table does not have.
create function async_triggers._check_columns(p_subscription async_triggers.subscriptions, p_relation oid)
returns void
language plpgsql
set search_path = ''
as $$
declare
    v_name text;
    v_generated "char";
begin
    foreach v_name in array coalesce(p_subscription.column_names, '{}') loop
        continue when v_name = '*';
        if v_name is null then
            perform async_triggers._refuse(p_subscription.stream_id, p_subscription.key,
                'column_names holds a null', 'Name the columns, or * for all of them.');
        end if;
        select attgenerated into v_generated
        from pg_attribute where attrelid = p_relation and attname = v_name and attnum > 0 and not attisdropped;
        if not found then
            perform async_triggers._refuse(p_subscription.stream_id, p_subscription.key,
                format('column_names: %s has no column %I', p_relation::regclass, v_name),
                (select format('Its columns are %s. Names are case-sensitive here.',
                               string_agg(attname, ', ' order by attnum))
                 from pg_attribute where attrelid = p_relation and attnum > 0 and not attisdropped), '42703');
        end if;
        if v_generated = 'v' then
            perform async_triggers._refuse(p_subscription.stream_id, p_subscription.key,
                format('column_names: %I is a virtual generated column, which triggers do not see', v_name),
                'Write its expression into payload_extensions.', '0A000');
        end if;
    end loop;
end;
$$;

-- The extensions as (path, expression), checked; refuses a path that is both a value and an object.
create function async_triggers._extensions(p_subscription async_triggers.subscriptions, p_relation oid)
returns table (path text[], expression text)
language plpgsql
set search_path = ''
as $$
declare
    v_extensions jsonb := coalesce(p_subscription.payload_extensions, '[]');
    v_extension jsonb;
    v_n bigint;
    v_place text;
    v_path text;
    v_seen jsonb := '{}';
    v_prefix text;
begin
    -- A jsonb null is what a caller's driver makes of no value.
    if jsonb_typeof(v_extensions) = 'null' then
        return;
    end if;
    if jsonb_typeof(v_extensions) <> 'array' then
        perform async_triggers._refuse(p_subscription.stream_id, p_subscription.key, 'payload_extensions is not an array',
            'Write [{"json_path": "a.b", "expression": "new.id"}].');
    end if;
    for v_extension, v_n in select * from jsonb_array_elements(v_extensions) with ordinality loop
        v_place := format('payload_extensions[%s]', v_n - 1);
        if jsonb_typeof(v_extension) <> 'object' or jsonb_typeof(v_extension -> 'json_path') is distinct from 'string'
           or jsonb_typeof(v_extension -> 'expression') is distinct from 'string' then
            perform async_triggers._refuse(p_subscription.stream_id, p_subscription.key,
                v_place || ' is not an object with the strings json_path and expression',
                'Write [{"json_path": "a.b", "expression": "new.id"}].');
        end if;
        v_path := v_extension ->> 'json_path';
        if v_path !~ '^[^.\[\]$[:space:][:cntrl:]][^.\[\][:cntrl:]]*(\.[^.\[\][:space:][:cntrl:]][^.\[\][:cntrl:]]*)*$' then
            perform async_triggers._refuse(p_subscription.stream_id, p_subscription.key,
                format('%s: bad json_path "%s"', v_place, v_path),
                'A json_path is names with dots between, such as a.b.c: no $, no brackets, no empty name.');
        end if;
        path := string_to_array(v_path, '.');
        expression := v_extension ->> 'expression';
        perform async_triggers._check_expression(p_subscription.stream_id, p_subscription.key, v_place || '.expression',
            p_relation, p_subscription.operation, expression, false);
        v_seen := v_seen || jsonb_build_object(v_path, true);
        return next;
    end loop;
    select shorter.key into v_prefix
    from jsonb_object_keys(v_seen) shorter(key), jsonb_object_keys(v_seen) longer(key)
    where starts_with(longer.key, shorter.key || '.') limit 1;
    if found then
        perform async_triggers._refuse(p_subscription.stream_id, p_subscription.key,
            format('payload_extensions: json_path "%s" is both a value and an object', v_prefix),
            format('Another json_path begins with "%s.": drop one of the two.', v_prefix));
    end if;
end;
$$;

-- The expression that builds the payload of a subscription, all of it checked. What never changes is one constant: an
-- argument of jsonb_build_object costs more than its share of a concatenation.
create function async_triggers._payload(p_subscription async_triggers.subscriptions, p_relation oid)
returns text
language plpgsql
set search_path = ''
as $$
declare
    v_constant jsonb;
    v_tree jsonb;
    v_path text[];
    v_expression text;
begin
    perform async_triggers._check_columns(p_subscription, p_relation);
    v_constant := jsonb_build_object(
        'tg_name', p_subscription.key,
        'tg_op', p_subscription.operation,
        'tg_table_name', p_subscription.table_name,
        'tg_table_schema', p_subscription.schema_name);
    v_tree := jsonb_build_object('timestamp', '(extract(epoch from now()) * 1000)::bigint');
    if p_subscription.operation = 'DELETE' then
        v_constant := v_constant || '{"new": null}';
    else
        v_tree := v_tree || jsonb_build_object('new',
            async_triggers._row_tree('new', p_relation, p_subscription.column_names));
    end if;
    if p_subscription.operation = 'INSERT' then
        v_constant := v_constant || '{"old": null}';
    else
        v_tree := v_tree || jsonb_build_object('old',
            async_triggers._row_tree('old', p_relation, p_subscription.column_names));
    end if;
    for v_path, v_expression in select * from async_triggers._extensions(p_subscription, p_relation) loop
        v_tree := async_triggers._graft(v_tree, v_path, E'(\n' || v_expression || E'\n)');
    end loop;
    return quote_literal(v_constant) || '::pg_catalog.jsonb || ' || async_triggers._render(v_tree);
end;
$$;
