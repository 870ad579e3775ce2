#include "sinks/conformance/child.hpp"

#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <exception>
#include <system_error>
#include <utility>

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fmt/format.h>

#include "sinks/conformance/crash_report.hpp"
#include "sinks/text.hpp"

namespace pgat::conformance {
namespace {

constexpr std::size_t most_read = 1 << 16;

int scratch_file(const char *name) {
    const int fd = ::memfd_create(name, MFD_CLOEXEC);
    if (fd < 0) throw std::system_error(errno, std::generic_category(), "memfd_create");
    return fd;
}

std::string read_all(int fd) {
    std::string text(most_read, '\0');
    const ssize_t got = ::pread(fd, text.data(), text.size(), 0);
    text.resize(got < 0 ? 0 : static_cast<std::size_t>(got));
    return text;
}

// Of what a program says as it dies, the line that names the reason: a sanitizer's, or the last.
std::string telling_line(const std::string &text) {
    std::string last;
    for (std::size_t begin = 0; begin < text.size();) {
        const auto end = std::min(text.find('\n', begin), text.size());
        const std::string line = text.substr(begin, end - begin);
        for (const char *mark : {"ERROR: ", "WARNING: ThreadSanitizer", "runtime error: "})
            if (line.find(mark) != std::string::npos) return line;
        if (!line.empty()) last = line;
        begin = end + 1;
    }
    return last;
}

} // namespace

Child::Child(const std::function<Finding()> &check) {
    std::fflush(nullptr); // or the child would write it again
    slate_ = Slate::make();
    out_ = scratch_file("stdout");
    err_ = scratch_file("stderr");
    const pid_t parent = ::getpid();
    pid_ = ::fork();
    if (pid_ < 0) throw std::system_error(errno, std::generic_category(), "fork");
    if (pid_ > 0) return;
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (::getppid() != parent) ::_exit(0);
    be(check);
}

Child::Child(Child &&other) noexcept
    : slate_(std::exchange(other.slate_, nullptr)), out_(std::exchange(other.out_, -1)),
      err_(std::exchange(other.err_, -1)), pid_(std::exchange(other.pid_, -1)),
      status_(other.status_), reaped_(other.reaped_), killed_(other.killed_) {}

Child::~Child() {
    if (pid_ > 0) kill();
    if (pid_ > 0 && !reaped_) ::waitpid(pid_, nullptr, 0);
    if (slate_ != nullptr) Slate::destroy(slate_);
    if (out_ >= 0) ::close(out_);
    if (err_ >= 0) ::close(err_);
}

// The group, so that what a plugin forks goes too.
void Child::kill() noexcept {
    ::kill(-pid_, SIGKILL);
    if (!reaped_) ::kill(pid_, SIGKILL);
}

void Child::be(const std::function<Finding()> &check) {
    ::setpgid(0, 0);
    set_slate(slate_);
    const int nothing = ::open("/dev/null", O_RDONLY | O_CLOEXEC);
    ::dup2(nothing, STDIN_FILENO);
    ::close(nothing);
    ::dup2(out_, STDOUT_FILENO);
    ::dup2(err_, STDERR_FILENO);
    const rlimit no_core{0, 0};
    ::setrlimit(RLIMIT_CORE, &no_core);
    // As a program is started: the kit's caller may have left something else.
    sigset_t none;
    sigemptyset(&none);
    ::sigprocmask(SIG_SETMASK, &none, nullptr);
    report_crashes();
    Finding finding;
    try {
        finding = check();
    } catch (const Stop &stop) {
        finding = stop.finding;
    } catch (const std::exception &error) {
        finding = {Mark::failed, error.what(), {}};
    }
    slate_->write(finding);
    ::_exit(0);
}

bool Child::ended() {
    if (reaped_) return true;
    if (!killed_ && !slate_->done() && slate_->overdue()) {
        kill();
        killed_ = true;
    }
    reaped_ = ::waitpid(pid_, &status_, WNOHANG) == pid_;
    return reaped_;
}

std::string Child::last_words() const {
    return sinks::one_line(telling_line(read_all(err_)), sinks::max_reason);
}

Finding Child::finding() const {
    if (slate_->done()) return slate_->finding();
    const std::string step = slate_->step().empty() ? "the check" : slate_->step();
    if (killed_) return {Mark::failed, fmt::format("{} {}", step, slate_->overdue_words()), {}};
    std::vector<std::string> advice;
    if (const std::string words = last_words(); !words.empty())
        advice.push_back("it said: " + words);
    if (const std::string crash = slate_->crash(); !crash.empty())
        return {Mark::failed, fmt::format("{} crashed: {}", step, crash), advice};
    if (WIFSIGNALED(status_))
        return {Mark::failed,
                fmt::format("{} was ended by signal {} ({})", step, WTERMSIG(status_),
                            ::strsignal(WTERMSIG(status_))), // NOLINT(concurrency-mt-unsafe)
                advice};
    if (!advice.empty() && advice[0].find("Sanitizer") != std::string::npos)
        return {Mark::failed, fmt::format("{}: {}", step, advice[0].substr(9)), {}};
    advice.insert(advice.begin(), "a plugin does not exit: it returns a status, and gives the "
                                  "reason through host->fail()");
    return {Mark::failed,
            fmt::format("{} ended the process with exit status {}", step, WEXITSTATUS(status_)),
            advice};
}

std::string written_to_output() {
    std::fflush(nullptr);
    return read_all(STDOUT_FILENO) + read_all(STDERR_FILENO);
}

} // namespace pgat::conformance
