// A check: one rule of pgat/sink.h that can be seen to be kept from outside, tried on a plugin.
//
// run() has a process of its own. It returns where the rule is kept and throws where it is not (fail()) or
// cannot be tried (skip()); whatever else becomes of its process is a failure, too.
#pragma once

#include <span>

#include "sinks/conformance/finding.hpp"
#include "sinks/conformance/subject.hpp"

namespace pgat::conformance {

// What there is to try with. What a check proves, those after it may take for granted.
enum class Stage {
    nothing,
    file,     // whole, and trusted
    library,  // loaded
    table,    // returned by the entry point, and usable
    sink,     // made and destroyed
    delivery, // its receiver is there, and one event got an answer
};

struct Check {
    const char *group;
    const char *name;     // for --only and programs
    const char *sentence; // "<type>.so …", for people
    Stage needs;
    Stage proves; // nothing: no other check depends on it
    Finding (*run)(const Subject &);
};

// All of them, in the order in which they are shown. Those that prove something come before those that need it.
std::span<const Check> all_checks();

// A group a file.
namespace checks {
Finding file_is_whole(const Subject &);
Finding file_is_trusted(const Subject &);
Finding exports_one_symbol(const Subject &);

Finding loads(const Subject &);
Finding loads_quietly(const Subject &);
Finding entry_returns_table(const Subject &);

Finding type_is_file_name(const Subject &);
Finding version_is_semantic(const Subject &);
Finding description_is_a_line(const Subject &);
Finding license_is_spdx(const Subject &);
Finding schema_is_checkable(const Subject &);
Finding answers_unknown_extensions(const Subject &);

Finding makes_a_sink(const Subject &);
Finding refuses_bad_settings(const Subject &);
Finding survives_odd_settings(const Subject &);
Finding keeps_secrets(const Subject &);

Finding reaches_its_receiver(const Subject &);
Finding publishes_one_event(const Subject &);
Finding publishes_many_events(const Subject &);
Finding publishes_huge_events(const Subject &);
Finding publishes_odd_events(const Subject &);

Finding settles_every_event(const Subject &);
Finding settles_once(const Subject &);
Finding says_why_not(const Subject &);
Finding statuses_are_true(const Subject &);

Finding reads_within_bounds(const Subject &);
Finding forgets_after_return(const Subject &);

Finding leaves_no_memory(const Subject &);
Finding leaves_no_file_open(const Subject &);
Finding leaves_nothing_of_refused(const Subject &);
Finding leaves_no_thread(const Subject &);
Finding is_destroyed_in_time(const Subject &);

Finding returns_when_cancelled_before(const Subject &);
Finding returns_when_cancelled_during(const Subject &);
Finding returns_after_deadline(const Subject &);
Finding probe_keeps_its_deadline(const Subject &);

Finding leaves_signals_alone(const Subject &);
Finding leaves_the_process_alone(const Subject &);
Finding writes_no_output(const Subject &);
Finding forks_nothing(const Subject &);
Finding logs_lines(const Subject &);

Finding threads_block_signals(const Subject &);
Finding calls_on_the_right_thread(const Subject &);
Finding calls_only_during_life(const Subject &);
Finding uses_services_as_described(const Subject &);
Finding two_sinks_on_two_threads(const Subject &);

Finding works_with_first_release(const Subject &);
Finding works_with_future_host(const Subject &);
} // namespace checks

} // namespace pgat::conformance
