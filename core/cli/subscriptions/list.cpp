// `subscriptions list`
#include <algorithm>
#include <map>

#include <fmt/format.h>
#include <unistd.h>
#include <yaml-cpp/yaml.h>

#include "base/quantities.hpp"
#include "cli/finding_text.hpp"
#include "cli/subscriptions/verbs.hpp"
#include "cli/terminal_text.hpp"
#include "outbox/report/subscription_report.hpp"

namespace pgat::cli::subscriptions {

namespace {

// As JSON: Postgres prints it, so that no number of it passes through ours.
void print_json(postgres::Connection &sql, StreamId stream) {
    const auto rows =
        sql.exec("select coalesce(jsonb_pretty(jsonb_agg(to_jsonb(s) order by key collate \"C\")), "
                 "'[]') from async_triggers.subscriptions s where stream_id = $1",
                 {stream});
    fmt::print("{}\n", rows.text(0, 0));
}

enum Column { key, operation, schema, table, when, names, metadata, extensions, subject };

postgres::Result read(postgres::Connection &sql, StreamId stream) {
    return sql.exec("select key, operation, schema_name, table_name, when_clause, "
                    "to_jsonb(column_names), metadata, nullif(payload_extensions, '[]'), "
                    "format('%I.%I', schema_name, table_name) "
                    "from async_triggers.subscriptions where stream_id = $1 "
                    "order by key collate \"C\"",
                    {stream});
}

// A line of its own would end a literal block's last one differently.
void emit_text(YAML::Emitter &yaml, std::string_view text) {
    if (text.find('\n') != std::string_view::npos) yaml << YAML::DoubleQuoted;
    yaml << YAML::Value << std::string(text);
}

void print_yaml(postgres::Connection &sql, StreamId stream) {
    const auto rows = read(sql, stream);
    fmt::print("# What stream {} subscribes to; for `subscriptions apply`.\n"
               "stream_id: {}\nsubscriptions:{}\n",
               stream, stream, rows.empty() ? " []" : "");
    for (int row = 0; row < rows.rows(); ++row) {
        const char *before = "- ";
        const auto print = [&](const char *name, std::string_view value) {
            fmt::print("  {}{}: {}\n", before, name, value);
            before = "  ";
        };
        const auto text = [&](const char *name, Column column) {
            if (rows.null(row, column)) return;
            YAML::Emitter yaml;
            emit_text(yaml, rows.text(row, column));
            print(name, yaml.c_str());
        };
        // What is JSON is YAML as it stands.
        const auto json = [&](const char *name, Column column) {
            if (!rows.null(row, column)) print(name, rows.text(row, column));
        };
        text("key", Column::key);
        text("operation", operation);
        text("schema_name", schema);
        text("table_name", table);
        text("when_clause", when);
        json("column_names", names);
        json("metadata", metadata);
        json("payload_extensions", extensions);
    }
}

void print_table(postgres::Connection &sql, StreamId stream) {
    std::multimap<std::string, outbox::SubscriptionProblem> problems;
    for (auto &problem : outbox::read_subscription_problems(sql, stream))
        problems.emplace(problem.key, problem);
    const auto rows = read(sql, stream);
    std::size_t key_width = 3;
    std::size_t table_width = 5;
    for (int row = 0; row < rows.rows(); ++row) {
        key_width = std::max(key_width, printable(rows.text(row, Column::key)).size());
        table_width = std::max(table_width, printable(rows.text(row, subject)).size());
    }
    if (!rows.empty())
        fmt::print("{}\n",
                   fit_to(STDOUT_FILENO, fmt::format("{:<{}}  OPERATION  {:<{}}  COLUMNS", "KEY",
                                                     key_width, "TABLE", table_width)));
    for (int row = 0; row < rows.rows(); ++row) {
        std::string columns(rows.text(row, names));
        std::erase_if(columns, [](char c) { return c == '[' || c == ']' || c == '"'; });
        const std::string name = printable(rows.text(row, Column::key));
        fmt::print("{}\n", fit_to(STDOUT_FILENO, fmt::format("{:<{}}  {:<9}  {:<{}}  {}", name,
                                                             key_width, rows.text(row, operation),
                                                             printable(rows.text(row, subject)),
                                                             table_width, columns)));
        if (!rows.null(row, when))
            fmt::print("{}\n",
                       fit_to(STDOUT_FILENO, fmt::format("  when {}", rows.text(row, when))));
        const auto [first, last] = problems.equal_range(std::string(rows.text(row, Column::key)));
        for (auto at = first; at != last; ++at) {
            std::vector<std::string> remedy;
            if (!at->second.hint.empty()) remedy.push_back(at->second.hint);
            print_finding(Mark::problem, at->second.problem, remedy);
        }
    }
    fmt::print("{}{} of stream {}\n", rows.empty() ? "no " : "",
               rows.empty() ? "subscriptions" : count_text(rows.rows(), "subscription"), stream);
}

} // namespace

int list(const config::Config &config, ListShape shape) {
    auto sql = postgres::Connection::open(session_options(config, "subscriptions list"));
    require_schema(sql);
    switch (shape) {
    case ListShape::table:
        print_table(sql, config.stream.id);
        break;
    case ListShape::json:
        print_json(sql, config.stream.id);
        break;
    case ListShape::yaml:
        print_yaml(sql, config.stream.id);
        break;
    }
    return done;
}

} // namespace pgat::cli::subscriptions
