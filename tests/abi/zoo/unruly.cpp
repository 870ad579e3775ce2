// Hangs and crashes where it is told to: the configuration says so for create, probe and destroy ("hang", "segv",
// "throw", …), each event's payload for publish ({"n": 7, "do": "segv"}). What is delivered is written to the file
// `out`, a line {"n": 7} an event, so that a test reads it over many lives of the daemon.
#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>

#include <fcntl.h>
#include <pgat/sink.h>
#include <sys/mman.h>
#include <unistd.h>

namespace {

struct Unruly {
    const pgat_host *host;
    std::string out;
    std::string probe;
    std::string destroy;
    std::string while_there; // "hang_while" hangs as long as this file exists
    bool at_end;             // verdicts only once all events are out
};

pgat_str str(std::string_view text) { return {text.data(), text.size()}; }

std::string get(const pgat_host *host, pgat_str document, std::string_view pointer) {
    pgat_str text{};
    return host->json_get(host, document, str(pointer), &text) > 0 ? std::string(text.ptr, text.len)
                                                                   : std::string();
}

Unruly &of(pgat_sink *sink) { return *reinterpret_cast<Unruly *>(sink); }

// Volatile, and kept out of the optimizer's sight: each must really happen.
volatile int zero = 0;
[[gnu::noinline]] int overflow_stack(volatile char *caller) {
    volatile char frame[4096];
    frame[0] = caller[0];
    if (zero != 0) return 0; // never
    return overflow_stack(frame) + frame[0];
}

void misbehave(const std::string &how, const Unruly &self) {
    if (how == "hang") {
        self.host->log(self.host, PGAT_LOG_INFO, str("hanging"));
        for (;;)
            ::pause();
    } else if (how == "hang_while") {
        self.host->log(self.host, PGAT_LOG_INFO, str("hanging"));
        while (::access(self.while_there.c_str(), F_OK) == 0)
            ::usleep(1000);
    } else if (how == "segv") {
        *static_cast<volatile int *>(nullptr) = zero; // NOLINT
    } else if (how == "stack") {
        volatile char first = 0;
        overflow_stack(&first);
    } else if (how == "abort") {
        std::abort();
    } else if (how == "fpe") {
        zero = 1 / zero;
        std::raise(SIGFPE); // where the processor does not mind
    } else if (how == "ill") {
        __builtin_trap();
    } else if (how == "bus") {
        const int fd = ::memfd_create("bus", MFD_CLOEXEC);
        auto *page = static_cast<volatile char *>(
            ::mmap(nullptr, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0));
        page[0] = 1; // beyond the end of the file
    } else if (how == "thread") {
        std::thread([] { *static_cast<volatile int *>(nullptr) = zero; }).join(); // NOLINT
    } else if (how == "throw") {
        throw std::runtime_error("thrown");
    }
}

pgat_status create(const pgat_host *host, pgat_str config, pgat_sink **out) {
    auto *sink = new Unruly{host,
                            get(host, config, "/out"),
                            get(host, config, "/probe"),
                            get(host, config, "/destroy"),
                            get(host, config, "/while"),
                            get(host, config, "/verdicts") == "at_end"};
    misbehave(get(host, config, "/create"), *sink);
    *out = reinterpret_cast<pgat_sink *>(sink);
    return PGAT_OK;
}

void destroy(pgat_sink *sink) {
    misbehave(of(sink).destroy, of(sink));
    delete &of(sink);
}

bool write_out(const Unruly &self, const std::string &line) {
    if (self.out.empty()) return true;
    const int fd = ::open(self.out.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0) return false;
    const bool whole = ::write(fd, line.data(), line.size()) == static_cast<ssize_t>(line.size());
    return ::close(fd) == 0 && whole;
}

pgat_status publish(pgat_sink *sink, const pgat_batch *batch, pgat_outcomes *outcomes) {
    const Unruly &self = of(sink);
    const pgat_host *host = self.host;
    for (std::uint32_t i = 0; i < batch->count; ++i) {
        const pgat_event &event = *batch->events[i];
        const std::string what = get(host, event.payload, "/do");
        if (what == "late_delivery") { // after it was told to return
            host->log(host, PGAT_LOG_INFO, str("waiting"));
            while (host->is_cancelled(host) == 0)
                ::usleep(1000);
        } else {
            misbehave(what, self);
        }
        if (!write_out(self, "{\"n\": " + get(host, event.payload, "/n") + "}\n")) {
            host->fail(host, str(std::strerror(errno)), 0); // NOLINT(concurrency-mt-unsafe)
            return PGAT_E_UNAVAILABLE;
        }
        if (!self.at_end) host->delivered(host, outcomes, i, 1);
    }
    return self.at_end ? host->delivered(host, outcomes, 0, batch->count) : PGAT_OK;
}

pgat_status probe(pgat_sink *sink, std::uint64_t) {
    misbehave(of(sink).probe, of(sink));
    return PGAT_OK;
}

} // namespace

const pgat_sink_plugin *pgat_sink_entry(std::uint32_t, std::uint32_t) {
    static const pgat_sink_plugin table = {sizeof(pgat_sink_plugin),
                                           PGAT_ABI_MAJOR,
                                           PGAT_ABI_MINOR,
                                           0,
                                           PGAT_LIT("unruly"),
                                           PGAT_LIT("0.1.0"),
                                           PGAT_LIT("hangs and crashes where it is told to"),
                                           PGAT_LIT("MIT"),
                                           PGAT_LIT(R"({"type": "object"})"),
                                           0,
                                           0,
                                           create,
                                           destroy,
                                           publish,
                                           probe,
                                           nullptr};
    return &table;
}
