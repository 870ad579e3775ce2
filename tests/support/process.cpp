#include "support/process.hpp"

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <fstream>
#include <stdexcept>

#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "support/waiting.hpp"

extern char **environ;

namespace pgat::support {

namespace {

[[noreturn]] void run_child(const std::vector<char *> &argv, const std::vector<char *> &environment,
                            const Process::Options &options, const std::optional<Account> &account,
                            int out, int err) {
    ::dup2(out, STDOUT_FILENO);
    ::dup2(err, STDERR_FILENO);
    const int null = ::open("/dev/null", O_RDONLY);
    if (null >= 0) ::dup2(null, STDIN_FILENO);
    if (account) {
        if (::setgroups(0, nullptr) != 0 || ::setgid(account->group) != 0 ||
            ::setuid(account->user) != 0)
            ::_exit(126);
    }
    if (!options.directory.empty() && ::chdir(options.directory.c_str()) != 0) ::_exit(126);
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    ::execvpe(argv[0], argv.data(), environment.data());
    ::_exit(127);
}

} // namespace

std::optional<Account> unprivileged_account() {
    if (::geteuid() != 0) return std::nullopt;
    const passwd *entry = ::getpwnam("postgres");       // NOLINT(concurrency-mt-unsafe)
    if (entry == nullptr) entry = ::getpwnam("nobody"); // NOLINT(concurrency-mt-unsafe)
    if (entry == nullptr) throw std::runtime_error("no unprivileged user to run servers as");
    return Account{entry->pw_uid, entry->pw_gid};
}

Process::Process(std::vector<std::string> argv, const Options &options) {
    std::vector<std::string> environment;
    for (char **entry = environ; *entry != nullptr; ++entry) {
        const std::string_view given(*entry);
        if (!options.environment.contains(std::string(given.substr(0, given.find('=')))))
            environment.emplace_back(given);
    }
    for (const auto &[name, value] : options.environment)
        environment.push_back(name + "=" + value);

    std::vector<char *> arguments;
    for (auto &argument : argv)
        arguments.push_back(argument.data());
    arguments.push_back(nullptr);
    std::vector<char *> variables;
    for (auto &variable : environment)
        variables.push_back(variable.data());
    variables.push_back(nullptr);
    const auto account = options.as_postgres ? unprivileged_account() : std::nullopt;

    int out[2];
    int err[2];
    if (::pipe2(out, O_CLOEXEC) != 0 || ::pipe2(err, O_CLOEXEC) != 0)
        throw std::runtime_error("pipe: " + std::string(std::strerror(errno)));
    pid_ = ::fork();
    if (pid_ < 0) throw std::runtime_error("fork: " + std::string(std::strerror(errno)));
    if (pid_ == 0) run_child(arguments, variables, options, account, out[1], err[1]);
    ::close(out[1]);
    ::close(err[1]);
    out_reader_ = std::thread([this, fd = out[0]] { gather(fd, out_); });
    err_reader_ = std::thread([this, fd = err[0]] { gather(fd, err_); });
}

Process::~Process() {
    if (running()) {
        signal(SIGKILL);
        wait(std::chrono::seconds(30));
    }
    read_out_lines_up_to(SIZE_MAX);
    out_reader_.join();
    err_reader_.join();
}

void Process::gather(int fd, Captured &into) {
    char block[65536];
    for (;;) {
        {
            std::unique_lock lock(mutex_);
            more_.wait(lock, [&] { return into.lines < into.most_lines; });
        }
        const auto got = ::read(fd, block, sizeof block);
        if (got < 0 && errno == EINTR) continue;
        const std::lock_guard lock(mutex_);
        if (got > 0) {
            into.text.append(block, static_cast<std::size_t>(got));
            into.lines += static_cast<std::size_t>(std::count(block, block + got, '\n'));
        }
        into.ended = got <= 0;
        more_.notify_all();
        if (got <= 0) break;
    }
    ::close(fd);
}

void Process::signal(int number) const { ::kill(pid_, number); }

bool Process::running() { return !wait(std::chrono::milliseconds(0)).has_value(); }

std::optional<int> Process::wait(std::chrono::milliseconds limit) {
    eventually(
        [this] {
            if (status_) return true;
            int raw = 0;
            if (::waitpid(pid_, &raw, WNOHANG) != pid_) return false;
            status_ = WIFEXITED(raw) ? WEXITSTATUS(raw) : 128 + WTERMSIG(raw);
            return true;
        },
        limit);
    return status_;
}

std::string Process::out() const {
    const std::lock_guard lock(mutex_);
    return out_.text;
}

std::string Process::err() const {
    const std::lock_guard lock(mutex_);
    return err_.text;
}

bool Process::wait_for(const Captured &in, std::string_view text, std::chrono::milliseconds limit) {
    std::unique_lock lock(mutex_);
    const auto found = [&] { return in.text.find(text) != std::string::npos; };
    more_.wait_for(lock, limit, [&] { return in.ended || found(); });
    return found();
}

bool Process::wait_for_out(std::string_view text, std::chrono::milliseconds limit) {
    return wait_for(out_, text, limit);
}

bool Process::wait_for_err(std::string_view text, std::chrono::milliseconds limit) {
    return wait_for(err_, text, limit);
}

std::size_t Process::out_lines() const {
    const std::lock_guard lock(mutex_);
    return out_.lines;
}

bool Process::wait_for_out_lines(std::size_t count, std::chrono::milliseconds limit) {
    std::unique_lock lock(mutex_);
    more_.wait_for(lock, limit, [&] { return out_.ended || out_.lines >= count; });
    return out_.lines >= count;
}

void Process::read_out_lines_up_to(std::size_t count) {
    const std::lock_guard lock(mutex_);
    out_.most_lines = count;
    more_.notify_all();
}

bool Process::wait_for_end_of_output(std::chrono::milliseconds limit) {
    std::unique_lock lock(mutex_);
    return more_.wait_for(lock, limit, [&] { return out_.ended && err_.ended; });
}

std::size_t Process::memory_field(std::string_view name) const {
    std::ifstream status("/proc/" + std::to_string(pid_) + "/status");
    for (std::string line; std::getline(status, line);)
        if (line.starts_with(name)) return std::stoul(line.substr(name.size())) * 1024;
    return 0;
}

std::size_t Process::resident() const { return memory_field("VmRSS:"); }
std::size_t Process::peak_resident() const { return memory_field("VmHWM:"); }

Finished run(std::vector<std::string> argv, const Process::Options &options,
             std::chrono::milliseconds limit) {
    Process process(std::move(argv), options);
    const auto status = process.wait(limit);
    if (!status) {
        process.signal(SIGKILL);
        process.wait();
    }
    process.wait_for_end_of_output();
    return {status.value_or(-1), process.out(), process.err()};
}

} // namespace pgat::support
