#include "sinks/conformance/crash_report.hpp"

#include <algorithm>
#include <array>
#include <csignal>
#include <cstdint>
#include <cstring>
#include <string_view>

#include <dlfcn.h>
#include <ucontext.h>
#include <unistd.h>

#include <fmt/format.h>

#include "sinks/conformance/slate.hpp"

namespace pgat::conformance {
namespace {

struct Forbidden {
    std::uintptr_t begin;
    std::uintptr_t end;
    const char *what;
};

// Enough for the texts of a few events; what is beyond is named by its address alone.
std::array<Forbidden, 512> forbidden;
std::size_t forbidden_count = 0;

// A deep recursion leaves no room on the usual stack.
alignas(16) std::array<char, 65536> spare_stack;

std::uintptr_t program_counter(const void *context) noexcept {
    const auto &machine = static_cast<const ucontext_t *>(context)->uc_mcontext;
#if defined(__x86_64__)
    return static_cast<std::uintptr_t>(machine.gregs[REG_RIP]);
#elif defined(__aarch64__)
    return machine.pc;
#else
    static_cast<void>(machine);
    return 0;
#endif
}

const char *signal_name(int number) noexcept {
    switch (number) {
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
    case SIGSYS:
        return "SIGSYS";
    default:
        return "SIGTRAP";
    }
}

// Formatting and dladdr are not promised to work in a handler; the process is lost anyway, and the kit still
// sees by which signal it ended.
void on_crash(int number, siginfo_t *info, void *context) {
    std::array<char, 1024> text{};
    std::size_t used = 0;
    const auto say = [&](std::string_view format, const auto &...values) {
        const auto rest = text.size() - 1 - used;
        used += std::min(rest, fmt::vformat_to_n(text.data() + used, rest, format,
                                                 fmt::make_format_args(values...))
                                   .size);
    };
    say("{}", signal_name(number));
    if (number == SIGABRT) {
        say(": abort() was called");
    } else {
        const auto address = reinterpret_cast<std::uintptr_t>(info->si_addr);
        const Forbidden *touched = nullptr;
        for (std::size_t i = 0; i < forbidden_count; ++i)
            if (address >= forbidden[i].begin && address < forbidden[i].end)
                touched = &forbidden[i];
        Dl_info where{};
        const std::uintptr_t at = program_counter(context);
        if (at != 0 && ::dladdr(reinterpret_cast<void *>(at), &where) != 0 &&
            where.dli_fname != nullptr) {
            const char *slash = std::strrchr(where.dli_fname, '/');
            say(" at {}+{:#x}", slash != nullptr ? slash + 1 : where.dli_fname,
                at - reinterpret_cast<std::uintptr_t>(where.dli_fbase));
            if (where.dli_sname != nullptr) say(" ({})", where.dli_sname);
        }
        if (touched != nullptr)
            say(", touching memory {}", touched->what);
        else if (number == SIGSEGV || number == SIGBUS)
            say(", address {:#x}", address);
    }
    slate().crashed(text.data());
    ::_exit(128 + number);
}

} // namespace

void report_crashes() {
    stack_t stack{};
    stack.ss_sp = spare_stack.data();
    stack.ss_size = spare_stack.size();
    ::sigaltstack(&stack, nullptr);
    struct sigaction action {};
    action.sa_sigaction = on_crash;
    action.sa_flags = static_cast<int>(SA_SIGINFO | SA_ONSTACK | SA_RESETHAND);
    for (const int number : {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT, SIGTRAP, SIGSYS})
        ::sigaction(number, &action, nullptr);
}

void name_forbidden(const void *begin, std::size_t size, const char *what) {
    if (forbidden_count == forbidden.size()) return;
    const auto address = reinterpret_cast<std::uintptr_t>(begin);
    forbidden[forbidden_count++] = {address, address + size, what};
}

} // namespace pgat::conformance
