// A session with Postgres: one libpq connection, blocking to its caller, never for ever.
//
// Every wait ends at an answer, at the session's `answer_timeout`, at the loss of the connection,
// or when the interrupt is rung. All failures are Error: with the SQLSTATE where the server gave
// one, and the remedy `reconnect` once the session is of no more use. One thread at a time.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <libpq-fe.h>

#include "base/error.hpp"
#include "base/wakeup.hpp"
#include "postgres/parameters.hpp"
#include "postgres/result.hpp"

namespace pgat::postgres {

// libpq's connection keywords with their values, in order; the later of two equal keywords wins.
// "dbname" may be a URI.
// (https://www.postgresql.org/docs/current/libpq-connect.html#LIBPQ-PARAMKEYWORDS)
using Keywords = std::vector<std::pair<std::string, std::string>>;

struct SessionOptions {
    Keywords keywords;
    // Run-time parameters set as soon as the session stands, e.g. {"lock_timeout", "2s"}.
    std::vector<std::pair<std::string, std::string>> settings;
    // Rung when the program stops; every wait then throws Error(interrupted). May be null; outlives
    // the session.
    const Wakeup *interrupt = nullptr;
    std::chrono::milliseconds connect_timeout = std::chrono::seconds(10);
    // How long one answer may take; zero: as long as it takes while the connection lives.
    std::chrono::milliseconds answer_timeout = std::chrono::seconds(60);
};

class Connection {
  public:
    // Connects and applies the settings. Throws Error (reconnect) if the server cannot be reached
    // or refuses. Adds TCP keepalives and a tcp_user_timeout of six seconds unless given, so that a
    // cut network is noticed.
    static Connection open(const SessionOptions &options);

    // One statement with parameters, or (without any) one or more statements; the last one's
    // result. Throws Error: its remedy is `retry` for an error of the statement. After a wait that was
    // interrupted or took too long every further call throws the same.
    Result exec(const std::string &sql, const Parameters &parameters = {});

    // Reads COPY … TO STDOUT row by row. If `row` throws, the session is out of step and closed.
    void copy_out(const std::string &sql, const std::function<void(std::string_view)> &row);

    // The same, until `row` answers false: then the statement is cancelled, what is on its way is
    // dropped, and the session is ready for the next one. True if it was read to its end.
    bool copy_out_while(const std::string &sql, const std::function<bool(std::string_view)> &row);

    std::string quote_identifier(std::string_view name) const;
    std::string quote_literal(std::string_view text) const;

    // 150004 for 15.4.
    int server_version() const noexcept { return PQserverVersion(handle_.get()); }
    // False once an error has shown the session to be lost.
    bool usable() const noexcept { return handle_ && PQstatus(handle_.get()) == CONNECTION_OK; }
    int backend_pid() const noexcept { return PQbackendPID(handle_.get()); }
    // From now on; see SessionOptions.
    void interrupt_by(const Wakeup *interrupt) noexcept { interrupt_ = interrupt; }
    void answer_within(std::chrono::milliseconds timeout) noexcept { answer_timeout_ = timeout; }
    std::chrono::milliseconds answer_timeout() const noexcept { return answer_timeout_; }

    // Asks the server, on a connection of its own, to give up what this session waits for. What it
    // answers then is for the caller to read, or the session to close. Does nothing where the
    // server cannot be reached.
    void cancel() const noexcept;

    // Called with each NOTICE or WARNING, one text. The default drops them.
    void on_notice(std::function<void(std::string_view)> receiver);

    // For the replication stream: the libpq handle, still owned here.
    PGconn *handle() const noexcept { return handle_.get(); }
    // The error that libpq has at hand now, as our exception.
    Error failure(std::string_view doing) const;
    // Throws the error of `result` unless it is a success (or a COPY that begins).
    void require_success(const PGresult *result) const;
    // Waits until the socket is readable (or, if asked, writable), or for no reason at all. Throws at `until`, or when
    // interrupted.
    void wait(bool for_writing, std::chrono::steady_clock::time_point until) const;
    // Sends what libpq holds back.
    void flush();
    // For an idle session whose socket() has become readable: takes in what the server said unasked.
    // Throws Error (reconnect) if that was its end.
    void take_in();
    int socket() const noexcept { return PQsocket(handle_.get()); }

  private:
    struct Finish {
        void operator()(PGconn *handle) const noexcept { PQfinish(handle); }
    };
    explicit Connection(PGconn *handle) noexcept : handle_(handle) {}

    std::chrono::steady_clock::time_point answer_deadline() const;
    Result next_result();
    Result last_result();

    // Before the handle, so that it outlives it: libpq keeps its address.
    std::unique_ptr<std::function<void(std::string_view)>> notice_receiver_;
    std::unique_ptr<PGconn, Finish> handle_;
    const Wakeup *interrupt_ = nullptr;
    std::chrono::milliseconds answer_timeout_{0};
    std::optional<Error> given_up_; // why a statement's answer was not waited for
};

} // namespace pgat::postgres
