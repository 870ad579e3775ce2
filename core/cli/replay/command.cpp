// `replay`: what it is on the command line.
#include <memory>

#include "cli/replay/replay.hpp"

namespace pgat::cli {

void add_replay(Program &program) {
    const auto choice = std::make_shared<replay::Choice>();
    CLI::App &command =
        add_command(program, "replay", "Deliver stored events again, beside the running stream",
                    [&program, choice] {
                        return replay::replay(program, load_configuration(program), *choice);
                    });
    command
        .add_option("--from", choice->range.from,
                    "The first event: its id, or the time from which on events were written")
        ->type_name("ID|TIME")
        ->required();
    command
        .add_option("--to", choice->range.to,
                    "The last event, or the time up to which; default: the last that is stored now")
        ->type_name("ID|TIME");
    command
        .add_option("--subscription", choice->range.subscription,
                    "Only events whose payload has this key as tg_name")
        ->type_name("KEY");
    command.add_flag("--dry-run", choice->dry_run, "Count the events, and deliver nothing");
    command.add_flag("-y,--yes", choice->yes, "Do not ask");
    command.add_flag("--json", choice->json, "Write the outcome as a JSON object");
    command.footer(
        "Both ends are included. A TIME names its zone: 2026-11-26T13:00Z, "
        "2026-11-26T14:00:00+01:00.\n"
        "Events come by the order of their ids, in no order with what the stream delivers "
        "meanwhile, and\n"
        "under the ids that they had: a receiver that drops repeats drops them. The stream's slot, "
        "cursor\n"
        "and dead letters are not touched. What the sink rejects is reported, and left out. A sink "
        "that\n"
        "is away is asked again for retry.max_backoff_ms, at least retry.attempts times. Where it "
        "ends\n"
        "early (Ctrl-C too) it prints the command with which to go on.\n"
        "Exit status: 0 all were delivered, 1 not all, 2 bad arguments or configuration.\n"
        "Examples: postgres-async-triggers replay --from 2026-11-26T13:00Z --to 2026-11-26T14:00Z "
        "--dry-run\n"
        "          postgres-async-triggers replay --from 1042 --subscription user-signup");
}

} // namespace pgat::cli
