#include "sinks/conformance/surroundings.hpp"

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <fstream>

#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sinks/text.hpp"

namespace pgat::conformance {
namespace {

namespace fs = std::filesystem;

std::string signal_name(int number) {
    const char *name = ::sigabbrev_np(number);
    return name != nullptr ? std::string("SIG") + name : fmt::format("signal {}", number);
}

std::vector<int> numbers_in(const char *folder) {
    std::vector<int> numbers;
    std::error_code ignored;
    for (const auto &entry : fs::directory_iterator(folder, ignored)) {
        const std::string name = entry.path().filename();
        int number = 0;
        if (std::from_chars(name.data(), name.data() + name.size(), number).ec == std::errc())
            numbers.push_back(number);
    }
    return numbers;
}

std::string line_of(pid_t thread, const char *file, std::string_view begin) {
    std::ifstream in(fmt::format("/proc/self/task/{}/{}", thread, file));
    for (std::string line; std::getline(in, line);)
        if (line.starts_with(begin)) return line.substr(begin.size());
    return {};
}

// The variable's name: its value may be a secret.
std::string name_of(const std::string &variable) { return variable.substr(0, variable.find('=')); }

} // namespace

Surroundings Surroundings::now() {
    Surroundings found;
    for (int number = 1; number < static_cast<int>(found.handlers.size()); ++number)
        ::sigaction(number, nullptr, &found.handlers[static_cast<std::size_t>(number)]);
    ::pthread_sigmask(SIG_SETMASK, nullptr, &found.mask);
    for (char **variable = environ; variable != nullptr && *variable != nullptr; ++variable)
        found.environment.emplace_back(*variable);
    std::sort(found.environment.begin(), found.environment.end());
    // NOLINTNEXTLINE(concurrency-mt-unsafe): read only
    if (const char *locale = std::setlocale(LC_ALL, nullptr)) found.locale = locale;
    found.thread_locale = ::uselocale(locale_t{});
    found.umask = ::umask(0);
    ::umask(found.umask);
    std::error_code failed;
    found.working_directory = fs::current_path(failed).string();
    return found;
}

std::vector<std::string> changed_signals(const Surroundings &before, const Surroundings &after) {
    std::vector<std::string> changed;
    for (int number = 1; number < static_cast<int>(before.handlers.size()); ++number) {
        const auto &was = before.handlers[static_cast<std::size_t>(number)];
        const auto &is = after.handlers[static_cast<std::size_t>(number)];
        if (was.sa_sigaction != is.sa_sigaction || was.sa_flags != is.sa_flags)
            changed.push_back("the handler of " + signal_name(number));
        if (sigismember(&before.mask, number) != sigismember(&after.mask, number))
            changed.push_back(fmt::format("{} in the calling thread's mask", signal_name(number)));
    }
    return changed;
}

std::vector<std::string> changed_process(const Surroundings &before, const Surroundings &after) {
    std::vector<std::string> changed;
    if (before.umask != after.umask)
        changed.push_back(fmt::format("umask {:04o}, now {:04o}", before.umask, after.umask));
    if (before.locale != after.locale)
        changed.push_back(fmt::format("locale {}, now {}", before.locale, after.locale));
    if (before.thread_locale != after.thread_locale)
        changed.push_back("the locale of the calling thread (uselocale)");
    if (before.working_directory != after.working_directory)
        changed.push_back(fmt::format("working directory {}, now {}", before.working_directory,
                                      after.working_directory));
    const auto lacks = [](const std::vector<std::string> &all, const std::string &one) {
        return !std::binary_search(all.begin(), all.end(), one);
    };
    std::set<std::string> names;
    for (const std::string &variable : before.environment)
        if (lacks(after.environment, variable)) names.insert(name_of(variable));
    for (const std::string &variable : after.environment)
        if (lacks(before.environment, variable)) names.insert(name_of(variable));
    for (const std::string &name : names)
        changed.push_back("environment variable " + name);
    return changed;
}

std::map<int, std::string> open_files() {
    std::map<int, std::string> files;
    for (const int fd : numbers_in("/proc/self/fd")) {
        std::error_code gone; // the one that read the folder
        const fs::path target = fs::read_symlink(fmt::format("/proc/self/fd/{}", fd), gone);
        if (!gone) files[fd] = target.string();
    }
    return files;
}

std::set<pid_t> threads() {
    const auto numbers = numbers_in("/proc/self/task");
    return {numbers.begin(), numbers.end()};
}

std::string thread_name(pid_t thread) {
    return fmt::format("\"{}\" (thread {})", sinks::one_line(line_of(thread, "comm", ""), 20),
                       thread);
}

std::vector<std::string> unblocked_signals(pid_t thread) {
    std::string text = line_of(thread, "status", "SigBlk:");
    text.erase(0, text.find_first_not_of(" \t"));
    std::uint64_t blocked = 0;
    if (std::from_chars(text.data(), text.data() + text.size(), blocked, 16).ec != std::errc())
        return {};
    std::vector<std::string> open;
    for (const int number : {SIGHUP, SIGINT, SIGQUIT, SIGUSR1, SIGUSR2, SIGPIPE, SIGALRM, SIGTERM,
                             SIGCHLD, SIGCONT, SIGTSTP, SIGURG, SIGWINCH, SIGIO})
        if ((blocked >> static_cast<unsigned>(number - 1) & 1U) == 0)
            open.push_back(signal_name(number));
    return open;
}

} // namespace pgat::conformance
