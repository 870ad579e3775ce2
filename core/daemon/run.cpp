#include "daemon/run.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include "base/own_thread.hpp"
#include "daemon/foreground.hpp"
#include "daemon/service_manager.hpp"
#include "daemon/sink_watch.hpp"
#include "daemon/status/history.hpp"
#include "daemon/status/pages.hpp"
#include "daemon/supervisor.hpp"
#include "observe/endpoint.hpp"
#include "observe/log.hpp"
#include "sinks/crash_handler.hpp"
#include "sinks/crash_marker.hpp"

namespace pgat::daemon {

namespace {

constexpr observe::Log log{"daemon"};

// A thread of it is still at work with what destructors would take away.
[[noreturn]] void leave_sink_behind(const Supervisor &supervisor) {
    const auto call = supervisor.sink_calls().running();
    log.error(
        fmt::format("{}, and is left behind",
                    call ? describe(*call) : "the sink did not end in time"),
        {{"consequence", supervisor.has_stored_the_cursor()
                             ? "none: the cursor is stored, nothing is lost or comes again"
                             : "nothing is lost; events delivered since the cursor was last stored "
                               "come again"}});
    ::_exit(1);
}

} // namespace

int run(const config::Config &config) {
    Halt halt;
    this_thread_is_ours();
    sinks::CrashMarker marker(config.stream.id);
    Supervisor supervisor(config, halt, marker);
    const sinks::CrashHandler crash_handler(supervisor.sink_calls(), config.stream.id, marker.fd());
    ServiceManager service_manager;
    History history;
    int status = 1;
    Foreground foreground;
    foreground.work = [&] {
        this_thread_is_ours();
        const sinks::SignalStack signal_stack;
        // On this thread: its own inherit that no signal is for them.
        const observe::Endpoint endpoint(config.observability,
                                         pages_of(config, supervisor, history));
        status = supervisor.run();
    };
    foreground.stopping = [&](const char *signal) {
        log.info("stopping: finishing the batch in hand", {{"signal", signal}});
        service_manager.stopping(config.stream.shutdown_timeout);
    };
    foreground.cancel = [&] { supervisor.cancel_sink(); };
    SinkWatch watch(supervisor.sink_calls());
    foreground.tick = [&] {
        history.sample(supervisor);
        watch.look();
        if (service_manager.present())
            service_manager.tell(supervisor.situation().look(), supervisor.ailment());
    };
    if (!run_in_foreground(halt, config.stream.shutdown_timeout, foreground))
        leave_sink_behind(supervisor);
    return status;
}

} // namespace pgat::daemon
