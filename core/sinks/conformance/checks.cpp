#include "sinks/conformance/check.hpp"

#include <array>

namespace pgat::conformance {
namespace {

using namespace checks;
using enum Stage;

constexpr std::array list = {
    Check{"the file", "whole", "is a whole shared library for this machine", nothing, file,
          file_is_whole},
    Check{"the file", "trusted", "can be written by nobody but root and its owner", file, file,
          file_is_trusted},
    Check{"the file", "exports", "exports pgat_sink_entry and nothing else", file, nothing,
          exports_one_symbol},

    Check{"loading", "loads", "loads at once, with all that it needs", file, library, loads},
    Check{"loading", "loads-quietly",
          "starts no thread, opens no file and writes nothing when loaded", library, nothing,
          loads_quietly},
    Check{"loading", "entry", "returns the same valid table each time, to every host", library,
          table, entry_returns_table},

    Check{"the table", "type", "is named like its file", table, nothing, type_is_file_name},
    Check{"the table", "version", "has a semantic version", table, nothing, version_is_semantic},
    Check{"the table", "description", "describes itself in one line", table, nothing,
          description_is_a_line},
    Check{"the table", "license", "names its license as an SPDX expression", table, nothing,
          license_is_spdx},
    Check{"the table", "schema", "has a schema of which everything is checked", table, nothing,
          schema_is_checkable},
    Check{"the table", "extension", "answers NULL to the name of an extension it does not have",
          table, nothing, answers_unknown_extensions},

    Check{"settings", "sink", "makes a sink and destroys it", table, sink, makes_a_sink},
    Check{"settings", "bad-settings", "refuses bad settings, and says why", table, nothing,
          refuses_bad_settings},
    Check{"settings", "odd-settings", "takes or refuses odd settings that fit its schema", sink,
          nothing, survives_odd_settings},
    Check{"settings", "secrets", "says no secret of its settings", sink, nothing, keeps_secrets},

    Check{"delivery", "receiver", "reaches its receiver", sink, sink, reaches_its_receiver},
    Check{"delivery", "one-event", "publishes one event", sink, delivery, publishes_one_event},
    Check{"delivery", "many-events", "publishes the largest batch", delivery, nothing,
          publishes_many_events},
    Check{"delivery", "huge-event", "publishes an event of 16 MB", delivery, nothing,
          publishes_huge_events},
    Check{"delivery", "odd-events", "publishes odd JSON, odd keys and empty metadata", delivery,
          nothing, publishes_odd_events},

    Check{"verdicts", "settles-all", "returns PGAT_OK only with a verdict for every event",
          delivery, nothing, settles_every_event},
    Check{"verdicts", "settles-once", "gives each event one verdict, in its own publish()",
          delivery, nothing, settles_once},
    Check{"verdicts", "reasons", "says why: for every other status, retry and rejection", sink,
          nothing, says_why_not},
    Check{"verdicts", "statuses", "returns statuses that its functions may return", sink, nothing,
          statuses_are_true},

    Check{"memory", "bounds", "reads nothing beyond what it is given", delivery, nothing,
          reads_within_bounds},
    Check{"memory", "after-return", "forgets what it was given once the call has returned",
          delivery, nothing, forgets_after_return},
    Check{"memory", "leaks-memory", "leaves no memory behind", sink, nothing, leaves_no_memory},
    Check{"memory", "leaks-refused", "leaves nothing behind where create() refuses", sink, nothing,
          leaves_nothing_of_refused},
    Check{"memory", "leaks-files", "leaves no file open", sink, nothing, leaves_no_file_open},

    Check{"time", "cancelled-before", "returns at once if it is cancelled already", sink, nothing,
          returns_when_cancelled_before},
    Check{"time", "cancelled-during", "returns within a second of cancellation", sink, nothing,
          returns_when_cancelled_during},
    Check{"time", "deadline", "returns within a second of the deadline", sink, nothing,
          returns_after_deadline},
    Check{"time", "probe-deadline", "returns from probe() by its deadline, or when it is cancelled",
          sink, nothing, probe_keeps_its_deadline},
    Check{"time", "destroy", "is destroyed within a second, with events in flight too", sink,
          nothing, is_destroyed_in_time},

    Check{"manners", "signals", "leaves signal handlers and masks as they are", sink, nothing,
          leaves_signals_alone},
    Check{"manners", "process",
          "leaves umask, locale, environment and working directory as they are", sink, nothing,
          leaves_the_process_alone},
    Check{"manners", "output", "writes nothing to standard output or standard error", sink, nothing,
          writes_no_output},
    Check{"manners", "forks", "starts no process", sink, nothing, forks_nothing},
    Check{"manners", "log-lines", "logs single lines of UTF-8", sink, nothing, logs_lines},
    Check{"manners", "services", "uses the host's services as they are described", sink, nothing,
          uses_services_as_described},

    Check{"threads", "leaks-threads", "leaves no thread running", sink, nothing, leaves_no_thread},
    Check{"threads", "blocked-signals", "blocks all signals in its threads", sink, nothing,
          threads_block_signals},
    Check{"threads", "right-thread", "calls [sink] functions on the sink's thread only", sink,
          nothing, calls_on_the_right_thread},
    Check{"threads", "lifetime", "calls the host no more after destroy()", sink, nothing,
          calls_only_during_life},
    Check{"threads", "two-sinks", "lets two sinks work on two threads at once", sink, nothing,
          two_sinks_on_two_threads},

    Check{"other hosts", "first-host", "works with a host of ABI 1.0", sink, nothing,
          works_with_first_release},
    Check{"other hosts", "future-host", "works with a host that knows more than its header", sink,
          nothing, works_with_future_host},
};

} // namespace

std::span<const Check> all_checks() { return list; }

} // namespace pgat::conformance
