// Loading the library, and its one function.
#include <algorithm>
#include <array>
#include <cstring>
#include <iterator>
#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "sinks/conformance/check.hpp"
#include "sinks/conformance/child.hpp"
#include "sinks/conformance/slate.hpp"
#include "sinks/conformance/surroundings.hpp"
#include "sinks/text.hpp"

namespace pgat::conformance::checks {

Finding loads(const Subject &subject) {
    load(subject);
    return {};
}

Finding loads_quietly(const Subject &subject) {
    const auto files_before = open_files();
    const auto threads_before = threads();
    const auto entry = load(subject);
    slate().enter("pgat_sink_entry()", patience);
    entry(PGAT_ABI_MAJOR, PGAT_ABI_MINOR);
    slate().leave();
    for (const auto &[fd, what] : open_files())
        if (!files_before.contains(fd))
            fail(fmt::format("it opened {} (descriptor {})", what, fd),
                 {"open what a sink needs in create()"});
    for (const pid_t thread : threads())
        if (!threads_before.contains(thread))
            fail(fmt::format("it started {}", thread_name(thread)),
                 {"start what a sink needs in create(), and join it in destroy()"});
    if (const std::string written = written_to_output(); !written.empty())
        fail(fmt::format("it wrote \"{}\"", sinks::one_line(written, 200)));
    return {};
}

Finding entry_returns_table(const Subject &subject) {
    const auto entry = load(subject);
    const pgat_sink_plugin *first = nullptr;
    const auto call = [&](std::uint32_t major, std::uint32_t minor) {
        const std::string step = fmt::format("pgat_sink_entry({}, {})", major, minor);
        slate().enter(step, patience);
        const pgat_sink_plugin *table = nullptr;
        try {
            table = entry(major, minor);
        } catch (...) {
            fail(step + " threw an exception");
        }
        slate().leave();
        if (table == nullptr)
            fail(step + " returned NULL", {"return a table to every host: it compares versions, "
                                           "and names both when it refuses"});
        return table;
    };
    first = call(PGAT_ABI_MAJOR, PGAT_ABI_MINOR);
    read_table_of(subject); // fails where the daemon would
    if (call(PGAT_ABI_MAJOR, PGAT_ABI_MINOR) != first)
        fail("pgat_sink_entry() returned another table the second time",
             {"return the address of one static, constant table"});
    const pgat_sink_plugin before = *first;
    for (const auto &[major, minor] : {std::pair{PGAT_ABI_MAJOR, PGAT_ABI_MINOR + 9},
                                       {0U, 0U},
                                       {2U, 0U},
                                       {99U, 7U},
                                       {0xFFFFFFFFU, 0xFFFFFFFFU}})
        call(major, minor);
    if (std::memcmp(&before, first, sizeof before) != 0)
        fail("the table changed after it was returned",
             {"a plugin that serves several majors has a table for each"});
    return {};
}

} // namespace pgat::conformance::checks
