// The two-way COPY that START_REPLICATION opens: messages in, messages out, nothing ever waits
// unasked.
//
// What is sent is queued in libpq and flushed as the socket takes it, so a server that does not
// read cannot keep us from reading, and a caller that does not read can go on sending. One thread.
#pragma once

#include <chrono>
#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/wakeup.hpp"
#include "postgres/connection.hpp"

namespace pgat::postgres {

class CopyBoth {
  public:
    using Deadline = std::chrono::steady_clock::time_point;

    enum class Interest {
        receive, // end the wait as soon as next() may have a message
        none,    // messages may pile up where they are: in the kernel and in the server
    };
    enum class Ready {
        data, // next() may have a message
        sent, // (only without interest in data) what was held back is out
        wakeup,
        time,
    };

    // Sends `command` on `session` and takes the session over. Throws Error if the server does not
    // open the COPY.
    CopyBoth(Connection session, const std::string &command);

    // Waits for data (if of interest), for `wakeup` (may be null; stays rung), or for the time.
    // Meanwhile it goes on flushing what was sent. Throws Error (reconnect) when the connection is
    // lost.
    Ready poll(Deadline deadline, Interest interest, const Wakeup *wakeup);

    // The next message that is here in full; nothing if there is none yet. The bytes are valid
    // until the following call. Throws Error when the server ended the COPY or the connection.
    std::optional<std::string_view> next();

    // Queues a message and sends what the socket takes of it.
    void send(std::string_view message);
    // Whether something sent is still held back.
    bool sending() const noexcept { return sending_; }

    // A WARNING of the server. Some share a SQLSTATE; what told them apart would be their text, which is
    // translated, were it not for the place in the server that raised them.
    struct Warning {
        std::string sqlstate;
        std::string source_file; // "slot.c"
        std::string message;
    };
    // Those raised since they were taken last, one of each kind.
    bool warned() const noexcept { return !warnings_->empty(); }
    std::vector<Warning> take_warnings();

    // Ends our half, drops what still comes in, and waits until the server has ended its own; the
    // session can then be used again. Throws Error (reconnect) when it has not by `deadline`.
    void finish(Deadline deadline);

    const Connection &session() const noexcept { return session_; }

  private:
    struct Free {
        void operator()(char *bytes) const noexcept { PQfreemem(bytes); }
    };

    std::optional<std::string_view> take();
    void flush();
    [[noreturn]] void ended();

    // Before the session, so that it outlives it: libpq keeps its address.
    std::unique_ptr<std::vector<Warning>> warnings_;
    Connection session_;
    std::unique_ptr<char, Free> message_;
    bool dry_ = false;     // next() found no message; only the socket can bring one
    bool sending_ = false; // libpq holds back what the socket did not take
};

} // namespace pgat::postgres
