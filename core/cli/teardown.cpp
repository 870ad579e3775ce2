// `teardown`: retires streams. What it removes and in what order: core/cli/retirement.hpp.
#include "cli/program.hpp"

#include <memory>
#include <optional>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "cli/confirmation.hpp"
#include "cli/retirement.hpp"

namespace pgat::cli {

namespace {

struct Choice {
    std::optional<std::int64_t> stream;
    bool all = false;
    bool keep_events = false;
    bool yes = false;
    bool json = false;
};

nlohmann::ordered_json to_json(const Retirement &stream) {
    return {{"stream_id", stream.stream.value()},
            {"slot", stream.slot ? nlohmann::ordered_json(stream.slot->name) : nullptr},
            {"publication", stream.publication},
            {"row", stream.row},
            {"subscriptions", stream.subscriptions},
            {"events", stream.events}};
}

void show(const std::vector<Retirement> &plan, Events events) {
    fmt::print("This removes:\n");
    for (const Retirement &stream : plan)
        for (const std::string &line : to_lines(stream))
            fmt::print("  {}\n", line);
    if (events == Events::removed)
        fmt::print("Dead letters stay.\n");
    else
        fmt::print("Events and dead letters stay. A daemon that is started for the stream again "
                   "delivers all that are left once more; until then their partitions are kept.\n");
    std::fflush(stdout);
}

int teardown(const config::Config &config, const Choice &choice) {
    auto session = postgres::Connection::open(session_options(config, "teardown"));
    const Events events = choice.keep_events ? Events::kept : Events::removed;
    std::vector<Retirement> plan;
    if (choice.all)
        plan = plan_all(session, config.stream, events);
    else
        plan.push_back(plan_one(session, config.stream,
                                choice.stream ? StreamId(*choice.stream) : config.stream.id,
                                events));
    std::erase_if(plan, [](const Retirement &stream) { return stream.nothing(); });
    if (plan.empty() && !choice.json) {
        fmt::print("nothing to remove\n");
        return done;
    }
    for (const Retirement &stream : plan)
        require_unused(stream);
    if (choice.json) {
        auto removed = nlohmann::ordered_json::array();
        for (const Retirement &stream : plan) {
            retire(session, stream);
            removed.push_back(to_json(stream));
        }
        fmt::print("{}\n", nlohmann::ordered_json{{"removed", removed}}.dump(2));
        return done;
    }
    show(plan, events);
    if (!choice.yes && !confirmed("teardown asks before it removes anything")) {
        fmt::print("nothing was removed\n");
        return failed;
    }
    for (const Retirement &stream : plan) {
        retire(session, stream);
        fmt::print("stream {} is retired\n", stream.stream);
    }
    return done;
}

} // namespace

void add_teardown(Program &program) {
    const auto choice = std::make_shared<Choice>();
    CLI::App &command =
        add_command(program, "teardown",
                    "Retire a stream: slot, publication, row, subscriptions, events; asks first",
                    [&program, choice] { return teardown(load_configuration(program), *choice); });
    const auto stream =
        command.add_option("--stream", choice->stream, "The stream; default: stream.id")
            ->type_name("ID");
    command.add_flag("--all", choice->all, "Every stream of this database")->excludes(stream);
    command.add_flag("--keep-events", choice->keep_events,
                     "Leave the stream's events for a daemon that is to deliver them");
    CLI::Option *const yes = command.add_flag("-y,--yes", choice->yes, "Do not ask");
    command.add_flag("--json", choice->json, "Write what was removed as a JSON object")->needs(yes);
}

} // namespace pgat::cli
