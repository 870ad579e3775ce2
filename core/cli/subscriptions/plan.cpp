#include "cli/subscriptions/plan.hpp"

#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "postgres/sqlstate.hpp"
#include "postgres/transaction.hpp"

namespace pgat::cli::subscriptions {

namespace {

// The declared ones as rows; where nothing is declared, the empty payload_extensions of the row that is there.
constexpr std::string_view wanted =
    "select w.id, w.key, $1::bigint as stream_id, w.operation, w.schema_name, w.table_name, "
    "w.when_clause, w.column_names, w.metadata, coalesce(w.payload_extensions, "
    "case when c.payload_extensions = '[]' then c.payload_extensions end) as payload_extensions "
    "from jsonb_populate_recordset(null::async_triggers.subscriptions, $2::jsonb) w "
    "left join async_triggers.subscriptions c on c.stream_id = $1::bigint and c.key = w.key";

// The columns as they are compared and shown, with what makes a text of each.
struct Column {
    const char *name;
    const char *before;
    const char *after;
};
constexpr std::array<Column, 7> compared = {{
    {"operation", "c.operation::text", "w.operation::text"},
    {"schema_name", "c.schema_name", "w.schema_name"},
    {"table_name", "c.table_name", "w.table_name"},
    {"when_clause", "c.when_clause", "w.when_clause"},
    {"column_names", "array_to_string(c.column_names, ', ')",
     "array_to_string(w.column_names, ', ')"},
    {"metadata", "c.metadata::text", "w.metadata::text"},
    {"payload_extensions", "c.payload_extensions::text", "w.payload_extensions::text"},
}};

std::string compared_columns() {
    std::string rows;
    for (std::size_t i = 0; i < compared.size(); ++i)
        rows += fmt::format("{0}({1}, '{2}', {3}, {4}, c.{2} is distinct from w.{2})",
                            i == 0 ? "" : ", ", i, compared.at(i).name, compared.at(i).before,
                            compared.at(i).after);
    return rows;
}

} // namespace

std::int64_t Plan::count(Change::Kind kind) const {
    return std::count_if(changes.begin(), changes.end(),
                         [&](const Change &change) { return change.kind == kind; });
}

Plan make_plan(postgres::Connection &sql, StreamId stream, const std::vector<Declared> &declared) {
    const auto rows = sql.exec(
        fmt::format(
            "with w as ({}), c as (select * from async_triggers.subscriptions "
            "where stream_id = $1::bigint) "
            "select coalesce(w.key, c.key), c.key is null, w.key is null, "
            "format('%s on %I.%I', coalesce(w.operation, c.operation), coalesce(w.schema_name, "
            "c.schema_name), coalesce(w.table_name, c.table_name)), differs.* "
            "from w full join c on c.key = w.key cross join lateral (values {}) "
            "differs (number, name, before, after, changed) "
            "order by coalesce(w.key, c.key) collate \"C\", number",
            wanted, compared_columns()),
        {stream, to_json_array(declared)});
    Plan plan;
    // A row a column of a subscription.
    constexpr int columns = static_cast<int>(compared.size());
    for (int row = 0; row < rows.rows(); row += columns) {
        Change change;
        change.key = rows.text(row, 0);
        change.subject = rows.text(row, 3);
        if (rows.boolean(row, 1))
            change.kind = Change::Kind::add;
        else
            change.kind = rows.boolean(row, 2) ? Change::Kind::remove : Change::Kind::change;
        for (int at = row; at < row + columns; ++at) {
            if (!rows.boolean(at, 8)) continue;
            const auto value = [&](int column_at) -> std::optional<std::string> {
                if (rows.null(at, column_at)) return std::nullopt;
                return std::string(rows.text(at, column_at));
            };
            change.columns.push_back({std::string(rows.text(at, 5)), value(6), value(7)});
        }
        if (change.columns.empty())
            ++plan.unchanged;
        else
            plan.changes.push_back(std::move(change));
    }
    return plan;
}

std::vector<Refusal> refusals(postgres::Connection &sql, StreamId stream, const Plan &plan,
                              const std::vector<Declared> &declared) {
    std::vector<Refusal> found;
    // Never committed.
    postgres::Transaction transaction(sql);
    transaction.set("lock_timeout", "5s");
    for (const Change &change : plan.changes) {
        const auto source =
            std::find_if(declared.begin(), declared.end(),
                         [&](const Declared &one) { return one.key == change.key; });
        if (source == declared.end()) continue;
        sql.exec("savepoint one");
        try {
            const postgres::Parameters one = {stream, '[' + source->json + ']'};
            const auto relation = sql.exec(
                fmt::format("select async_triggers._resolve(w::async_triggers.subscriptions)"
                            " from ({}) w",
                            wanted),
                one);
            sql.exec("select async_triggers._create_mirror($1::oid)", {relation.text(0, 0)});
            const postgres::Parameters compiled = {stream, '[' + source->json + ']',
                                                   relation.text(0, 0)};
            sql.exec(fmt::format("select async_triggers._compile(w::async_triggers.subscriptions,"
                                 " $3::oid) from ({}) w",
                                 wanted),
                     compiled);
            sql.exec("select async_triggers._check_privileges($1::oid)", {relation.text(0, 0)});
        } catch (const Error &error) {
            if (!sql.usable()) throw;
            const bool not_ours = error.sqlstate() == postgres::sqlstate::insufficient_privilege &&
                                  error.hint().empty();
            if (not_ours) return {};
            std::string what = error.what();
            if (!what.starts_with("subscription \""))
                what = fmt::format("subscription \"{}\": {}", change.key, what);
            found.push_back({change.key, source->place, std::move(what), error.hint()});
        }
        sql.exec("rollback to savepoint one");
    }
    return found;
}

void lock(postgres::Connection &sql, StreamId stream) {
    // As set_subscriptions does.
    sql.exec("select pg_advisory_xact_lock(hashtextextended('async_triggers.set_subscriptions', "
             "$1::bigint))",
             {stream});
}

void set(postgres::Connection &sql, StreamId stream, const std::vector<Declared> &declared) {
    sql.exec(fmt::format("select async_triggers.set_subscriptions($1::bigint, array(select "
                         "w::async_triggers.subscriptions from ({}) w))",
                         wanted),
             {stream, to_json_array(declared)});
}

} // namespace pgat::cli::subscriptions
