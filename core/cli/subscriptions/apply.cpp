// `subscriptions apply`: shows what would change, asks, changes it in one transaction.
#include <fmt/format.h>
#include <nlohmann/json.hpp>
#include <unistd.h>

#include "base/quantities.hpp"
#include "cli/check/report.hpp"
#include "cli/confirmation.hpp"
#include "cli/finding_text.hpp"
#include "cli/subscriptions/plan.hpp"
#include "cli/subscriptions/verbs.hpp"
#include "cli/terminal_text.hpp"
#include "postgres/transaction.hpp"

namespace pgat::cli::subscriptions {

namespace {

using Kind = Change::Kind;

struct Look {
    char sign;
    const char *colour;
    const char *verb;
};

Look look_of(Kind kind) {
    switch (kind) {
    case Kind::add:
        return {'+', "32", "add"};
    case Kind::change:
        return {'~', "33", "change"};
    case Kind::remove:
        break;
    }
    return {'-', "31", "remove"};
}

std::string summary(const Plan &plan, bool done_already) {
    const auto part = [&](Kind kind, const char *to_do, const char *was_done) {
        return fmt::format("{} {}", plan.count(kind), done_already ? was_done : to_do);
    };
    return fmt::format("{}, {}, {}, {} unchanged", part(Kind::add, "to add", "added"),
                       part(Kind::change, "to change", "changed"),
                       part(Kind::remove, "to remove", "removed"), plan.unchanged);
}

void print_value(char sign, const std::optional<std::string> &value) {
    if (!value) return;
    const char *const colour = sign == '-' ? "31" : "32";
    for (const std::string &line : check::lines_of(*value))
        fmt::print("      {}\n", in_colour(colour, fmt::format("{} {}", sign, printable(line))));
}

void print(const Plan &plan, StreamId stream) {
    for (const Change &change : plan.changes) {
        const Look look = look_of(change.kind);
        fmt::print("{}  {}\n",
                   in_colour(look.colour, fmt::format("{} {}", look.sign, printable(change.key))),
                   printable(change.subject));
        for (const ChangedColumn &column : change.columns) {
            // Said in the line above.
            const bool subject = column.name == "operation" || column.name == "schema_name" ||
                                 column.name == "table_name";
            if (change.kind != Kind::change && subject) continue;
            if (change.kind == Kind::remove) continue;
            fmt::print("    {}\n", column.name);
            print_value('-', column.before);
            print_value('+', column.after);
        }
    }
    fmt::print("stream {}: {}\n", stream, summary(plan, false));
    std::fflush(stdout);
}

nlohmann::ordered_json to_json(const std::optional<std::string> &value) {
    if (!value) return nullptr;
    return *value;
}

void print_json(const Plan &plan, StreamId stream, bool applied) {
    auto changes = nlohmann::ordered_json::array();
    for (const Change &change : plan.changes) {
        auto columns = nlohmann::ordered_json::object();
        for (const ChangedColumn &column : change.columns)
            columns[column.name] = {{"before", to_json(column.before)},
                                    {"after", to_json(column.after)}};
        changes.push_back(
            {{"action", look_of(change.kind).verb}, {"key", change.key}, {"columns", columns}});
    }
    const nlohmann::ordered_json object = {{"stream_id", stream.value()},
                                           {"added", plan.count(Kind::add)},
                                           {"changed", plan.count(Kind::change)},
                                           {"removed", plan.count(Kind::remove)},
                                           {"unchanged", plan.unchanged},
                                           {"applied", applied},
                                           {"changes", changes}};
    fmt::print("{}\n",
               object.dump(2, ' ', false, nlohmann::ordered_json::error_handler_t::replace));
}

void require_accepted(const std::vector<Refusal> &refused) {
    if (refused.empty()) return;
    std::string text = "nothing was changed: the database refuses";
    for (const auto &each : refused) {
        text += fmt::format("\n  {}: {}", each.place, printable(each.what));
        for (const auto &line : check::lines_of(each.hint))
            text += "\n      " + printable(line);
    }
    throw Error(Remedy::stop, text);
}

// On a terminal always; elsewhere nobody can answer, and what only adds or changes needs no answer.
bool agreed(const Plan &plan, const ApplyChoice &choice) {
    if (choice.yes) return true;
    if (isatty(STDIN_FILENO) == 0 && plan.count(Kind::remove) == 0) return true;
    return confirmed("apply asks before it removes a subscription");
}

void change(postgres::Connection &sql, StreamId stream, const std::vector<Declared> &declared,
            const Plan &shown) {
    postgres::Transaction transaction(sql);
    lock(sql, stream);
    if (make_plan(sql, stream, declared) != shown)
        throw Error(Remedy::stop, "nothing was changed: somebody else has changed subscriptions of "
                                  "this stream meanwhile")
            .with_hint("run it again, and look at what it shows");
    set(sql, stream, declared);
    transaction.commit();
}

} // namespace

int apply(const config::Config &config, const ApplyChoice &choice) {
    const StreamId stream = config.stream.id;
    const auto declared = read_file(choice.file, stream);
    auto sql = postgres::Connection::open(session_options(config, "subscriptions apply"));
    require_schema(sql);
    const Plan plan = make_plan(sql, stream, declared);
    require_accepted(refusals(sql, stream, plan, declared));
    if (!choice.json) {
        if (plan.changes.empty())
            fmt::print("stream {}: nothing to change, {} as {} says\n", stream,
                       plan.unchanged == 1
                           ? "its subscription is"
                           : fmt::format("its {} are", count_text(plan.unchanged, "subscription")),
                       choice.file);
        else
            print(plan, stream);
    }
    const bool applies = !choice.dry_run && !plan.changes.empty();
    if (applies) {
        if (!agreed(plan, choice)) {
            fmt::print("nothing was changed\n");
            return failed;
        }
        change(sql, stream, declared, plan);
    }
    if (choice.json)
        print_json(plan, stream, applies);
    else if (applies)
        fmt::print("applied: {}\n", summary(plan, true));
    else if (choice.dry_run && !plan.changes.empty())
        fmt::print("a dry run: nothing was changed\n");
    return done;
}

} // namespace pgat::cli::subscriptions
