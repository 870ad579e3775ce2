// `dead-letters`: what its verbs are on the command line.
#include <charconv>
#include <memory>

#include <fmt/format.h>

#include "cli/dead_letters/verbs.hpp"

namespace pgat::cli {

namespace dead_letters {

outbox::LetterSelection selection_of(const config::Config &config, const Choice &choice) {
    outbox::LetterSelection selection;
    selection.stream = config.stream.id;
    for (const auto id : choice.ids)
        selection.ids.emplace_back(id);
    return selection;
}

void require_found(postgres::Connection &sql, const outbox::LetterSelection &selection) {
    if (selection.ids.empty()) return;
    const auto missing = outbox::missing_letters(sql, selection);
    if (missing.empty()) return;
    throw Error(Remedy::stop, fmt::format("stream {} has no dead letter {}; nothing was done",
                                          selection.stream, fmt::join(missing, ", ")))
        .with_hint("`dead-letters list` shows those that there are");
}

void take(postgres::Connection &sql, outbox::LetterSelection &selection) {
    if (const auto holder = outbox::take_letters(sql, selection.stream))
        throw Error(Remedy::stop,
                    fmt::format("another command works the dead letters of stream {} (server "
                                "process {})",
                                selection.stream, *holder))
            .with_hint("wait until it is done; its session is in pg_stat_activity");
    selection.failed_until = outbox::server_time(sql);
    require_found(sql, selection);
}

} // namespace dead_letters

namespace {

using dead_letters::Choice;

CLI::App &add_verb(Program &program, CLI::App &parent, const std::string &name,
                   const std::string &description, std::function<int()> command) {
    CLI::App *verb = parent.add_subcommand(name, description);
    verb->fallthrough();
    verb->callback([&program, command = std::move(command)] { program.command = command; });
    return *verb;
}

// A whole number, no smaller than `least`; `what` it is, for the error.
std::function<std::string(const std::string &)> number_from(std::int64_t least, std::string what) {
    return [least, what = std::move(what)](const std::string &text) {
        std::int64_t number = 0;
        const char *const end = text.data() + text.size();
        const auto read = std::from_chars(text.data(), end, number);
        const bool good = read.ec == std::errc() && read.ptr == end && number >= least;
        return good ? std::string() : fmt::format("{} is not {}", text, what);
    };
}

CLI::Option *add_ids(CLI::App &verb, Choice &choice) {
    return verb.add_option("ID", choice.ids, "The events' ids, as `dead-letters list` shows them")
        ->type_name("")
        ->check(number_from(1, "the id of an event"));
}

void add_ids_or_all(CLI::App &verb, Choice &choice) {
    CLI::Option *const ids = add_ids(verb, choice);
    verb.add_flag("--all", choice.all, "Every dead letter of the stream")->excludes(ids);
}

void require_some(const Choice &choice, std::string_view verb) {
    if (choice.all || !choice.ids.empty()) return;
    throw Error(Remedy::configure, fmt::format("which dead letters to {}?", verb))
        .with_hint("give their ids, or --all");
}

void add_list(Program &program, CLI::App &parent) {
    const auto choice = std::make_shared<Choice>();
    CLI::App &verb =
        add_verb(program, parent, "list", "Show them, the newest events first", [&program, choice] {
            return dead_letters::list(load_configuration(program), *choice);
        });
    add_ids(verb, *choice);
    verb.add_option("--limit", choice->limit,
                    "So many at most; default: 50, and all with --json; 0: all")
        ->type_name("N")
        ->check(number_from(0, "a number of letters"));
    verb.add_flag("--json", choice->json, "Write a JSON array, with the payloads in full");
    verb.footer("Example: postgres-async-triggers dead-letters list --json | jq '.[].reason'");
}

void add_retry(Program &program, CLI::App &parent) {
    const auto choice = std::make_shared<Choice>();
    CLI::App &verb = add_verb(
        program, parent, "retry", "Deliver them; those delivered are removed", [&program, choice] {
            require_some(*choice, "retry");
            return dead_letters::retry(program, load_configuration(program), *choice);
        });
    add_ids_or_all(verb, *choice);
    verb.add_flag("--json", choice->json, "Write what became of them as a JSON object");
    verb.footer(
        "Each is offered to the sink once, by the order of ids. One that fails again stays, with "
        "the new\nreason and one attempt more. A sink that is away is asked again for "
        "retry.max_backoff_ms, at\nleast retry.attempts times. The running stream is not "
        "touched: events of it may arrive in between.\n"
        "Exit status: 0 all were delivered, 1 not all, 2 bad arguments or configuration.\n"
        "Examples: postgres-async-triggers dead-letters retry 1042 1043\n"
        "          postgres-async-triggers dead-letters retry --all");
}

void add_discard(Program &program, CLI::App &parent) {
    const auto choice = std::make_shared<Choice>();
    CLI::App &verb = add_verb(
        program, parent, "discard", "Remove them undelivered; asks first", [&program, choice] {
            require_some(*choice, "discard");
            return dead_letters::discard(load_configuration(program), *choice);
        });
    add_ids_or_all(verb, *choice);
    CLI::Option *const yes = verb.add_flag("-y,--yes", choice->yes, "Do not ask");
    verb.add_flag("--json", choice->json, "Write how many as a JSON object")->needs(yes);
    verb.footer("Example: postgres-async-triggers dead-letters discard 1042");
}

} // namespace

void add_dead_letters(Program &program) {
    CLI::App &command =
        add_command(program, "dead-letters",
                    "List, retry or discard the events that the sink rejected for good", nullptr);
    // Runs after the verb's own.
    command.callback([&program, &command] {
        if (!command.get_subcommands().empty()) return;
        program.command = []() -> int {
            throw Error(Remedy::configure, "what to do with the dead letters?")
                .with_hint(
                    "list, retry or discard; see postgres-async-triggers dead-letters --help");
        };
    });
    command.require_subcommand(0, 1);
    add_list(program, command);
    add_retry(program, command);
    add_discard(program, command);
}

} // namespace pgat::cli
