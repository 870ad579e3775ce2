// What a process has for itself and a plugin must not change under it: taken before and after, and compared.
#pragma once

#include <array>
#include <csignal>
#include <map>
#include <set>
#include <string>
#include <vector>

#include <clocale>
#include <sys/types.h>

namespace pgat::conformance {

struct Surroundings {
    std::array<struct sigaction, 65> handlers{}; // by number
    sigset_t mask{};                             // of the calling thread
    std::vector<std::string> environment;        // sorted
    std::string locale;
    locale_t thread_locale{};
    mode_t umask = 0;
    std::string working_directory;

    static Surroundings now();
};

// What of the signals, and of the rest, is not as it was before: "the handler of SIGPIPE", "umask 0022, now 0000".
std::vector<std::string> changed_signals(const Surroundings &before, const Surroundings &after);
std::vector<std::string> changed_process(const Surroundings &before, const Surroundings &after);

// The process's open descriptors, with what each is of; and its threads.
std::map<int, std::string> open_files();
std::set<pid_t> threads();

// "NAME (thread 4711)"
std::string thread_name(pid_t thread);
// The signals that a thread does not block, of those that others send; empty: it blocks all, or is gone.
std::vector<std::string> unblocked_signals(pid_t thread);

} // namespace pgat::conformance
