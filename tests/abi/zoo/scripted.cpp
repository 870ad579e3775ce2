// Does what the configuration and each event's payload say: {"do": "reject", …}. Good and bad
// manners alike, so that the host's side of publish() can be tried from an event.
#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>

#include <pgat/sink.h>
#include <poll.h>
#include <unistd.h>

namespace {

struct Scripted {
    const pgat_host *host;
    std::uint32_t seen;  // counter
    std::uint32_t level; // gauge
};

pgat_str str(std::string_view text) { return {text.data(), text.size()}; }

std::string get(const pgat_host *host, pgat_str document, std::string_view pointer) {
    pgat_str text{};
    const auto kind = host->json_get(host, document, str(pointer), &text);
    return kind > 0 ? std::string(text.ptr, text.len) : kind == PGAT_JSON_INVALID ? "invalid" : "";
}

Scripted *scripted(pgat_sink *sink) { return reinterpret_cast<Scripted *>(sink); }

std::atomic<int> created{0}; // how often, in this process

pgat_status create(const pgat_host *host, pgat_str config, pgat_sink **out) {
    ++created;
    const std::string what = get(host, config, "/create");
    if (what == "throw") throw std::runtime_error("thrown by create");
    if (what == "nothing") return PGAT_OK;
    const bool again = what == "status_when_again";
    if (what == "status" || (again && created > 1)) {
        host->fail(host, str("said by create"), 1500);
        return std::atoi(get(host, config, "/status").c_str());
    }
    auto *sink = new Scripted{host, host->counter(host, str("events_seen"), str("Events seen.")),
                              host->gauge(host, str("level"), str("As set by an event."))};
    host->log(host, PGAT_LOG_INFO, str("made\nwith " + get(host, config, "/greeting")));
    *out = reinterpret_cast<pgat_sink *>(sink);
    return PGAT_OK;
}

void destroy(pgat_sink *sink) { delete scripted(sink); }

std::int32_t join(void *arg, pgat_str key, std::int32_t kind, pgat_str text) {
    auto &joined = *static_cast<std::string *>(arg);
    joined += std::string(key.ptr, key.len) + ":" + std::to_string(kind) + ":" +
              std::string(text.ptr, text.len) + ";";
    return 0;
}

pgat_status publish(pgat_sink *sink, const pgat_batch *batch, pgat_outcomes *outcomes) {
    const pgat_host *host = scripted(sink)->host;
    for (std::uint32_t i = 0; i < batch->count; ++i) {
        const pgat_event &event = *batch->events[i];
        host->counter_add(host, scripted(sink)->seen, 1);
        const std::string what = get(host, event.payload, "/do");
        const std::string text = get(host, event.payload, "/text");
        const auto number = static_cast<std::int32_t>(std::atoi(text.c_str()));
        const auto settle = [&](pgat_verdict verdict, std::string_view why,
                                std::uint64_t after = 0) {
            const pgat_outcome outcome{sizeof(pgat_outcome), verdict, after, str(why)};
            return host->settle(host, outcomes, i, &outcome);
        };
        if (what == "retry") {
            settle(PGAT_RETRY, text, 250);
        } else if (what == "reject") {
            settle(PGAT_REJECTED, text);
        } else if (what == "verdict") {
            settle(number, "as told");
        } else if (what == "look_up") {
            settle(PGAT_REJECTED, get(host, event.payload, text));
        } else if (what == "look_up_own") {
            settle(PGAT_REJECTED, get(host, str(R"({"own": [1, 2]})"), text));
        } else if (what == "visit") {
            std::string joined;
            host->json_each(host, event.metadata, str(text), join, &joined);
            settle(PGAT_REJECTED, joined);
        } else if (what == "describe") {
            settle(PGAT_REJECTED,
                   std::string(event.id.ptr, event.id.len) + " " +
                       std::string(event.key.ptr, event.key.len) + " " +
                       std::to_string(event.attempt) + " " + std::to_string(event.stream_id) + " " +
                       std::to_string(event.xid) + " " + std::to_string(event.commit_lsn) + " " +
                       std::to_string(event.created_at_us) + " " +
                       std::to_string(batch->deadline_ns > host->now_ns(host)));
        } else if (what == "throw") {
            throw std::runtime_error(text);
        } else if (what == "throw_number") {
            throw 42;
        } else if (what == "status") {
            host->fail(host, str("said by publish"), 700);
            return number;
        } else if (what == "status_alone") {
            return number;
        } else if (what == "ok_but_failed") {
            host->delivered(host, outcomes, i, 1);
            host->fail(host, str("not really"), 0);
        } else if (what == "twice") {
            host->delivered(host, outcomes, i, 1);
            const auto second = settle(PGAT_REJECTED, "changed its mind");
            const auto third = host->delivered(host, outcomes, i, 1);
            if (second != PGAT_E_UNSUPPORTED || third != PGAT_E_UNSUPPORTED) std::abort();
        } else if (what == "beyond") {
            const pgat_outcome outcome{sizeof(pgat_outcome), PGAT_DELIVERED, 0, {}};
            if (host->settle(host, outcomes, batch->count, &outcome) != PGAT_E_UNSUPPORTED ||
                host->delivered(host, outcomes, i, 0xFFFFFFFFU) != PGAT_E_UNSUPPORTED ||
                host->settle(host, outcomes, i, nullptr) != PGAT_E_UNSUPPORTED ||
                host->settle(host, nullptr, i, &outcome) != PGAT_E_UNSUPPORTED)
                std::abort();
        } else if (what == "other_thread") {
            std::thread([&] { host->delivered(host, outcomes, i, 1); }).join();
        } else if (what == "gauge") {
            host->gauge_set(host, scripted(sink)->level, std::strtod(text.c_str(), nullptr));
            host->delivered(host, outcomes, i, 1);
        } else if (what == "signals") { // writes where nobody reads, and says what it may not see
            int ends[2];
            if (::pipe(ends) != 0) std::abort();
            ::close(ends[0]);
            const bool wrote = ::write(ends[1], "x", 1) >= 0;
            const int error = errno;
            ::close(ends[1]);
            sigset_t mask;
            pthread_sigmask(SIG_SETMASK, nullptr, &mask);
            std::string seen = wrote ? "wrote" : error == EPIPE ? "EPIPE" : "another error";
            for (const int signal : {SIGTERM, SIGINT, SIGCHLD, SIGALRM})
                if (sigismember(&mask, signal) == 0) seen += " sees " + std::to_string(signal);
            if (sigismember(&mask, SIGSEGV) != 0) seen += " would not see a crash";
            settle(PGAT_REJECTED, seen);
        } else if (what == "chatter") { // all that any thread may do, while this one goes on
            std::thread chatter([&] {
                host->log(host, PGAT_LOG_DEBUG, str("chatter"));
                host->counter_add(host, scripted(sink)->seen, 1);
                if (host->is_cancelled(host) == 0 && host->now_ns(host) == 0) std::abort();
                if (host->extension(host, str("none")) != nullptr) std::abort();
            });
            host->delivered(host, outcomes, i, 1);
            get(host, event.payload, "/text");
            chatter.join();
        } else if (what == "hang") { // whatever it is told
            host->log(host, PGAT_LOG_INFO, str("hanging"));
            for (;;)
                ::pause();
        } else if (what == "wait") {
            host->log(host, PGAT_LOG_INFO, str("waiting"));
            pollfd fds[2] = {{batch->cancel_fd, POLLIN, 0}, {host->cancel_fd, POLLIN, 0}};
            ::poll(&fds[0], 1, 20000);
            ::poll(&fds[1], 1, 20000);
            const bool both = fds[0].revents == POLLIN && fds[1].revents == POLLIN;
            const bool told = host->is_cancelled(host) != 0;
            host->fail(host, str(both && told ? "cancelled" : "not cancelled"), 0);
            return PGAT_E_CANCELLED;
        } else if (what != "forget") {
            host->delivered(host, outcomes, i, 1);
        }
    }
    return PGAT_OK;
}

pgat_status probe(pgat_sink *sink, std::uint64_t deadline_ns) {
    const pgat_host *host = scripted(sink)->host;
    if (deadline_ns == 0) return PGAT_OK;
    host->fail(host, str("nobody there"), 5);
    return PGAT_E_UNAVAILABLE;
}

} // namespace

const pgat_sink_plugin *pgat_sink_entry(std::uint32_t, std::uint32_t) {
    static const pgat_sink_plugin table = {sizeof(pgat_sink_plugin),
                                           PGAT_ABI_MAJOR,
                                           PGAT_ABI_MINOR,
                                           0,
                                           PGAT_LIT("scripted"),
                                           PGAT_LIT("0.1.0"),
                                           PGAT_LIT("does what it is told"),
                                           PGAT_LIT("MIT"),
                                           PGAT_LIT(R"({
            "type": "object",
            "properties": {
                "create": {"enum": ["throw", "nothing", "status", "status_when_again"]},
                "status": {"type": "integer"},
                "greeting": {"type": "string"}
            },
            "additionalProperties": false
        })"),
                                           100,
                                           0,
                                           create,
                                           destroy,
                                           publish,
                                           probe,
                                           nullptr};
    return &table;
}
