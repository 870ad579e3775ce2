// `subscriptions`: what its verbs are on the command line.
#include <memory>

#include "cli/subscriptions/verbs.hpp"

namespace pgat::cli {

namespace {

using subscriptions::ApplyChoice;
using subscriptions::ListShape;

CLI::App &add_verb(Program &program, CLI::App &parent, const std::string &name,
                   const std::string &description, std::function<int()> command) {
    CLI::App *verb = parent.add_subcommand(name, description);
    verb->fallthrough();
    verb->callback([&program, command = std::move(command)] { program.command = command; });
    return *verb;
}

void add_list(Program &program, CLI::App &parent) {
    const auto json = std::make_shared<bool>(false);
    const auto yaml = std::make_shared<bool>(false);
    CLI::App &verb =
        add_verb(program, parent, "list", "Show those of the stream, and what is wrong",
                 [&program, json, yaml] {
                     const auto shape = *json ? ListShape::json : ListShape::table;
                     return subscriptions::list(load_configuration(program),
                                                *yaml ? ListShape::yaml : shape);
                 });
    CLI::Option *const as_json =
        verb.add_flag("--json", *json, "Write a JSON array, an object a row");
    verb.add_flag("--yaml", *yaml, "Write a file that `subscriptions apply` takes")
        ->excludes(as_json);
}

void add_apply(Program &program, CLI::App &parent) {
    const auto choice = std::make_shared<ApplyChoice>();
    CLI::App &verb = add_verb(
        program, parent, "apply", "Make those of the stream what a file says, in one transaction",
        [&program, choice] { return subscriptions::apply(load_configuration(program), *choice); });
    verb.add_option("FILE", choice->file, "The file; `subscriptions list --yaml` writes one")
        ->type_name("")
        ->required();
    verb.add_flag("--dry-run", choice->dry_run, "Show what would change, and what is refused");
    verb.add_flag("-y,--yes", choice->yes, "Do not ask");
    verb.add_flag("--json", choice->json, "Write what changes as a JSON object");
    verb.footer("What the file does not name is removed; what is equal is not touched.\n"
                "It asks first on a terminal; elsewhere it goes ahead, but to remove\n"
                "something takes --yes.\n"
                "Exit status: 0 the stream is as the file says, 1 it is not,\n"
                "2 bad arguments, configuration or file.\n"
                "Example: postgres-async-triggers subscriptions apply FILE.yaml --dry-run");
}

} // namespace

void add_subscriptions(Program &program) {
    CLI::App &command = add_command(program, "subscriptions",
                                    "List what the stream subscribes to, or declare it", nullptr);
    // Runs after the verb's own.
    command.callback([&program, &command] {
        if (!command.get_subcommands().empty()) return;
        program.command = []() -> int {
            throw Error(Remedy::configure, "what to do with the subscriptions?")
                .with_hint("list or apply; see postgres-async-triggers subscriptions --help");
        };
    });
    command.require_subcommand(0, 1);
    add_list(program, command);
    add_apply(program, command);
}

} // namespace pgat::cli
