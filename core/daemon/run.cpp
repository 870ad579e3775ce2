#include "daemon/run.hpp"

#include <unistd.h>

#include "daemon/foreground.hpp"
#include "daemon/service_manager.hpp"
#include "daemon/status/history.hpp"
#include "daemon/status/pages.hpp"
#include "daemon/supervisor.hpp"
#include "observe/endpoint.hpp"
#include "observe/log.hpp"

namespace pgat::daemon {

namespace {

constexpr observe::Log log{"daemon"};

} // namespace

int run(const config::Config &config) {
    Halt halt;
    Supervisor supervisor(config, halt);
    ServiceManager service_manager;
    History history;
    int status = 1;
    Foreground foreground;
    foreground.work = [&] {
        // On this thread: its own inherit that no signal is for them.
        const observe::Endpoint endpoint(config.observability,
                                         pages_of(config, supervisor, history));
        status = supervisor.run();
    };
    foreground.stopping = [&](const char *signal) {
        log.info("stopping: finishing the batch in hand", {{"signal", signal}});
        service_manager.stopping(config.stream.shutdown_timeout);
    };
    foreground.tick = [&] {
        history.sample(supervisor);
        if (service_manager.present()) service_manager.tell(supervisor.situation().look());
    };
    foreground.cancel = [&] { supervisor.cancel_sink(); };
    if (!run_in_foreground(halt, config.stream.shutdown_timeout, foreground)) {
        log.error(
            "the sink did not return in time and is left behind",
            {{"consequence", "events delivered since the cursor was last stored come again"}});
        // A thread is still at work with what destructors would take away.
        ::_exit(1);
    }
    return status;
}

} // namespace pgat::daemon
