#include "sinks/crash_handler.hpp"

#include <array>
#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <random>

#include <fmt/format.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/own_thread.hpp"

namespace pgat::sinks {

namespace {

constexpr std::array fatal{SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT};

// All that the handler needs, made beforehand: it may call nothing that allocates or locks.
struct Prepared {
    const CallWatch *calls;
    int marker;
    std::array<char, 160> head; // of the marker, up to what only the crash can tell
    std::size_t head_size;
    std::array<struct sigaction, fatal.size()> before;
};
Prepared prepared;
std::atomic_flag handling;

const char *name_of(int signal) noexcept {
    switch (signal) {
    case SIGSEGV:
        return "SIGSEGV";
    case SIGBUS:
        return "SIGBUS";
    case SIGFPE:
        return "SIGFPE";
    case SIGILL:
        return "SIGILL";
    case SIGABRT:
        return "SIGABRT";
    default:
        return "a signal";
    }
}

// Text for write(), of a size that cannot run over.
class Text {
  public:
    Text &add(const char *text, std::size_t size) noexcept {
        size = std::min(size, text_.size() - size_);
        std::memcpy(text_.data() + size_, text, size);
        size_ += size;
        return *this;
    }
    Text &add(const char *text) noexcept { return add(text, std::strlen(text)); }
    Text &add(std::uint64_t number) noexcept {
        std::array<char, 20> digits{};
        std::size_t at = digits.size();
        do {
            digits[--at] = static_cast<char>('0' + number % 10);
            number /= 10;
        } while (number != 0);
        return add(digits.data() + at, digits.size() - at);
    }
    void write_to(int fd) const noexcept {
        std::size_t written = 0;
        while (written < size_) {
            const auto more = ::write(fd, text_.data() + written, size_ - written);
            if (more < 0 && errno != EINTR) return;
            if (more > 0) written += static_cast<std::size_t>(more);
        }
    }
    void write_at_start_of(int fd) const noexcept {
        if (::lseek(fd, 0, SEEK_SET) == 0) write_to(fd);
    }

  private:
    std::array<char, 1024> text_{};
    std::size_t size_ = 0;
};

// The number between the last two dashes of an event's id.
std::uint64_t number_in(pgat_str id) noexcept {
    std::size_t end = id.len;
    while (end > 0 && id.ptr[end - 1] != '-')
        --end;
    if (end == 0) return 0;
    std::uint64_t number = 0;
    std::uint64_t unit = 1;
    for (std::size_t i = end - 1; i > 0 && id.ptr[i - 1] >= '0' && id.ptr[i - 1] <= '9'; --i) {
        number += unit * static_cast<std::uint64_t>(id.ptr[i - 1] - '0');
        unit *= 10;
    }
    return number;
}

// Of the events in hand.
struct Blamed {
    const pgat_event *first = nullptr; // without a verdict
    std::uint64_t through = 0;
};

Blamed blame(const CallWatch &calls) noexcept {
    Blamed blamed;
    const auto events = calls.events();
    const Verdict *const verdicts = calls.verdicts();
    for (std::size_t i = 0; i < events.size() && verdicts != nullptr; ++i) {
        if (blamed.first == nullptr && verdicts[i] != Verdict::not_attempted) continue;
        if (blamed.first == nullptr) blamed.first = &events[i];
        blamed.through = std::max(blamed.through, number_in(events[i].id));
    }
    return blamed;
}

void tell(int signal) noexcept {
    const CallWatch &calls = *prepared.calls;
    const bool inside = calls.inside();
    const bool own_thread = !calls.inside_on_this_thread();
    const Blamed blamed = inside ? blame(calls) : Blamed();

    if (prepared.marker >= 0) {
        Text text;
        text.add(prepared.head.data(), prepared.head_size);
        text.add("plugin ").add(calls.plugin());
        text.add("\nsignal ").add(name_of(signal));
        if (inside) text.add("\nfunction ").add(calls.function());
        if (own_thread) text.add("\nthread own");
        if (blamed.first != nullptr && blamed.first->id.len < 200)
            text.add("\nevent ").add(blamed.first->id.ptr, blamed.first->id.len);
        text.add("\nthrough ").add(blamed.through).add("\nend\n");
        text.write_at_start_of(prepared.marker);
    }

    Text line;
    line.add("postgres-async-triggers: the plugin ").add(calls.plugin()).add(" crashed: ");
    line.add(name_of(signal));
    if (own_thread) line.add(" in a thread of its own");
    if (inside) line.add(own_thread ? " during " : " in ").add(calls.function()).add("()");
    if (blamed.first != nullptr && blamed.first->id.len < 200)
        line.add(", the first event without a verdict was ")
            .add(blamed.first->id.ptr, blamed.first->id.len);
    line.add("\n").write_to(STDERR_FILENO);
}

void handle(int signal, siginfo_t *info, void *) {
    const int error = errno;
    // A second thread that crashes meanwhile waits for the end.
    while (handling.test_and_set())
        ::pause();
    const bool sent = info->si_code == SI_USER || info->si_code == SI_QUEUE;
    const bool by_another = sent && info->si_pid != ::getpid();
    const CallWatch &calls = *prepared.calls;
    if (!by_another && (calls.inside_on_this_thread() || !is_own_thread())) {
        tell(signal);
    } else {
        Text line;
        line.add("postgres-async-triggers: ").add(name_of(signal));
        if (by_another)
            line.add(" from process ").add(static_cast<std::uint64_t>(info->si_pid));
        else
            line.add(" outside of any plugin: a fault of this program, please report it");
        if (calls.inside())
            line.add(", while in ").add(calls.plugin()).add(" ").add(calls.function()).add("()");
        line.add("\n").write_to(STDERR_FILENO);
    }
    for (std::size_t i = 0; i < fatal.size(); ++i)
        ::sigaction(fatal[i], &prepared.before[i], nullptr);
    // A fault is met again where it was, with the registers as they were; what was sent is sent again.
    if (info->si_code <= 0) ::syscall(SYS_tgkill, ::getpid(), ::syscall(SYS_gettid), signal);
    errno = error;
}

} // namespace

CrashHandler::CrashHandler(const CallWatch &calls, StreamId stream, int marker) {
    prepared.calls = &calls;
    prepared.marker = marker;
    std::random_device random;
    const auto head =
        fmt::format_to_n(prepared.head.data(), prepared.head.size(),
                         "postgres-async-triggers crash 1\nstream {}\ntoken {:08x}{:08x}\n", stream,
                         random(), random());
    prepared.head_size = head.size;
    struct sigaction action {};
    action.sa_sigaction = handle;
    action.sa_flags = SA_SIGINFO | SA_ONSTACK;
    sigemptyset(&action.sa_mask);
    for (const int signal : fatal)
        sigaddset(&action.sa_mask, signal);
    for (std::size_t i = 0; i < fatal.size(); ++i)
        ::sigaction(fatal[i], &action, &prepared.before[i]);
}

CrashHandler::~CrashHandler() {
    for (std::size_t i = 0; i < fatal.size(); ++i)
        ::sigaction(fatal[i], &prepared.before[i], nullptr);
}

namespace {
constexpr std::size_t signal_stack_size = 65536;
}

SignalStack::SignalStack()
    : memory_(::mmap(nullptr, signal_stack_size, PROT_READ | PROT_WRITE,
                     MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK, -1, 0)) {
    if (memory_ == MAP_FAILED) return;
    stack_t stack{};
    stack.ss_sp = memory_;
    stack.ss_size = signal_stack_size;
    ::sigaltstack(&stack, nullptr);
}

SignalStack::~SignalStack() {
    if (memory_ == MAP_FAILED) return;
    stack_t none{};
    none.ss_flags = SS_DISABLE;
    ::sigaltstack(&none, nullptr);
    ::munmap(memory_, signal_stack_size);
}

} // namespace pgat::sinks
