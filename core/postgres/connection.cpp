#include "postgres/connection.hpp"

#include <algorithm>
#include <cerrno>
#include <system_error>

#include <fmt/format.h>
#include <poll.h>

#include "postgres/refusal.hpp"
#include "postgres/sqlstate.hpp"

namespace pgat::postgres {

namespace {

using Clock = std::chrono::steady_clock;

std::string_view trimmed(std::string_view message) {
    while (!message.empty() && (message.back() == '\n' || message.back() == ' '))
        message.remove_suffix(1);
    return message;
}

std::string_view field(const PGresult *result, int code) {
    const char *const text = PQresultErrorField(result, code);
    return text == nullptr ? std::string_view{} : std::string_view(text);
}

// What an operator reads: the server's primary message and its detail; its hint apart.
Error server_error(const PGresult *result, bool session_lost) {
    const auto code = field(result, PG_DIAG_SQLSTATE);
    std::string text(field(result, PG_DIAG_MESSAGE_PRIMARY));
    if (text.empty()) text = trimmed(PQresultErrorMessage(result));
    if (const auto detail = field(result, PG_DIAG_MESSAGE_DETAIL); !detail.empty())
        text += fmt::format(" ({})", detail);
    const bool reconnect = session_lost || sqlstate::ends_the_session(code);
    return Error(reconnect ? Remedy::reconnect : Remedy::retry, text)
        .with_sqlstate(code)
        .with_hint(std::string(field(result, PG_DIAG_MESSAGE_HINT)));
}

void receive_notice(void *receiver, const PGresult *notice) {
    const auto &function = *static_cast<std::function<void(std::string_view)> *>(receiver);
    if (function) function(trimmed(PQresultErrorMessage(notice)));
}

void add_default(Keywords &keywords, const char *name, const char *value) {
    for (const auto &[given, _] : keywords)
        if (given == name) return;
    // In front: a URI or service file behind it may still say otherwise.
    keywords.insert(keywords.begin(), {name, value});
}

} // namespace

Connection Connection::open(const SessionOptions &options) {
    Keywords keywords = options.keywords;
    const auto database = std::find_if(keywords.begin(), keywords.end(),
                                       [](const auto &pair) { return pair.first == "dbname"; });
    if (database != keywords.end()) require_readable(database->second);
    add_default(keywords, "keepalives_idle", "2");
    add_default(keywords, "keepalives_interval", "2");
    add_default(keywords, "keepalives_count", "2");
    add_default(keywords, "tcp_user_timeout", "6000");
    keywords.emplace_back("client_encoding", "UTF8");

    std::vector<const char *> names;
    std::vector<const char *> values;
    for (const auto &[name, value] : keywords) {
        names.push_back(name.c_str());
        values.push_back(value.c_str());
    }
    names.push_back(nullptr);
    values.push_back(nullptr);

    Connection connection(PQconnectStartParams(names.data(), values.data(), 1));
    if (!connection.handle_) throw std::bad_alloc();
    connection.interrupt_ = options.interrupt;
    connection.notice_receiver_ = std::make_unique<std::function<void(std::string_view)>>();
    PQsetNoticeReceiver(connection.handle(), receive_notice, connection.notice_receiver_.get());

    PQsetErrorVerbosity(connection.handle(), PQERRORS_VERBOSE); // for refusal()
    const auto deadline = Clock::now() + options.connect_timeout;
    auto step = PGRES_POLLING_WRITING;
    while (step != PGRES_POLLING_OK) {
        if (PQstatus(connection.handle()) == CONNECTION_BAD || step == PGRES_POLLING_FAILED)
            throw refusal(trimmed(PQerrorMessage(connection.handle())));
        connection.wait(step == PGRES_POLLING_WRITING, deadline);
        step = PQconnectPoll(connection.handle());
    }
    PQsetErrorVerbosity(connection.handle(), PQERRORS_DEFAULT);
    if (PQsetnonblocking(connection.handle(), 1) != 0)
        throw connection.failure("cannot connect to Postgres");

    connection.answer_timeout_ = options.connect_timeout;
    std::string set;
    for (const auto &[name, value] : options.settings)
        set += fmt::format("SET {} = {};", connection.quote_identifier(name),
                           connection.quote_literal(value));
    if (!set.empty()) connection.exec(set);
    connection.answer_timeout_ = options.answer_timeout;
    return connection;
}

Error Connection::failure(std::string_view doing) const {
    if (!handle_) return {Remedy::reconnect, fmt::format("{}: the session is closed", doing)};
    const auto message = trimmed(PQerrorMessage(handle_.get()));
    return {usable() ? Remedy::retry : Remedy::reconnect,
            fmt::format("{}: {}", doing, message.empty() ? "the connection is lost" : message)};
}

void Connection::require_success(const PGresult *result) const {
    switch (PQresultStatus(result)) {
    case PGRES_COMMAND_OK:
    case PGRES_TUPLES_OK:
    case PGRES_EMPTY_QUERY:
    case PGRES_COPY_IN:
    case PGRES_COPY_OUT:
    case PGRES_COPY_BOTH:
        return;
    default:
        throw server_error(result, !usable());
    }
}

void Connection::wait(bool for_writing, Clock::time_point until) const {
    const int socket = PQsocket(handle_.get());
    if (socket < 0) throw failure("cannot reach Postgres");
    pollfd watched[2] = {
        {socket, static_cast<short>(for_writing ? POLLIN | POLLOUT : POLLIN), 0},
        {interrupt_ == nullptr ? -1 : interrupt_->fd(), POLLIN, 0},
    };
    for (;;) {
        int left = -1;
        if (until != Clock::time_point::max()) {
            const auto remaining =
                std::chrono::ceil<std::chrono::milliseconds>(until - Clock::now()).count();
            left = static_cast<int>(std::clamp<std::int64_t>(remaining, 0, 1 << 30));
        }
        // Under TLS what has been read may wait inside OpenSSL, where poll does not see it.
        constexpr int slice = 50;
        const bool sliced = PQsslInUse(handle_.get()) != 0 && (left < 0 || left > slice);
        const int ready = ::poll(watched, 2, sliced ? slice : left);
        if (ready == 0 && sliced) return;
        if (ready < 0) {
            if (errno == EINTR) continue;
            throw std::system_error(errno, std::generic_category(), "poll");
        }
        if (watched[1].revents != 0)
            throw Error(Remedy::interrupted, "stopped while waiting for Postgres");
        if (ready == 0)
            throw Error(Remedy::reconnect, "Postgres did not answer in time")
                .with_hint(
                    "look whether the server is overloaded, paused or cut off by the network");
        return;
    }
}

Clock::time_point Connection::answer_deadline() const {
    return answer_timeout_.count() == 0 ? Clock::time_point::max() : Clock::now() + answer_timeout_;
}

void Connection::flush() {
    const auto deadline = answer_deadline();
    for (;;) {
        const int left = PQflush(handle_.get());
        if (left == 0) return;
        if (left < 0) throw failure("cannot send to Postgres");
        wait(true, deadline);
        if (PQconsumeInput(handle_.get()) == 0) throw failure("the connection to Postgres broke");
    }
}

void Connection::take_in() {
    if (PQconsumeInput(handle_.get()) == 0) throw failure("the connection to Postgres broke");
    // Has libpq read notices and parameter changes; an idle session has no result to be busy with.
    PQisBusy(handle_.get());
}

Result Connection::next_result() {
    const auto deadline = answer_deadline();
    while (PQisBusy(handle_.get()) != 0) {
        wait(false, deadline);
        if (PQconsumeInput(handle_.get()) == 0) throw failure("the connection to Postgres broke");
    }
    return Result(PQgetResult(handle_.get()));
}

Result Connection::last_result() {
    Result last(nullptr);
    Result failed(nullptr);
    for (;;) {
        Result result = next_result();
        if (result.handle() == nullptr) break;
        const auto status = PQresultStatus(result.handle());
        if (status == PGRES_FATAL_ERROR || status == PGRES_BAD_RESPONSE) {
            if (failed.handle() == nullptr) failed = std::move(result);
            continue;
        }
        last = std::move(result);
        if (status == PGRES_COPY_OUT || status == PGRES_COPY_BOTH || status == PGRES_COPY_IN) break;
    }
    if (failed.handle() != nullptr) require_success(failed.handle());
    if (last.handle() == nullptr) throw failure("Postgres gave no answer");
    return last;
}

Result Connection::exec(const std::string &sql, const Parameters &parameters) {
    if (!handle_) throw failure("cannot send to Postgres");
    // The answer that nobody waited for would be taken for this one's.
    if (given_up_ && PQtransactionStatus(handle_.get()) == PQTRANS_ACTIVE) throw *given_up_;
    int sent = 0;
    if (parameters.empty()) {
        sent = PQsendQuery(handle_.get(), sql.c_str());
    } else {
        std::vector<const char *> values;
        values.reserve(parameters.size());
        for (const auto &parameter : parameters)
            values.push_back(parameter.c_str());
        sent = PQsendQueryParams(handle_.get(), sql.c_str(), static_cast<int>(values.size()),
                                 nullptr, values.data(), nullptr, nullptr, 0);
    }
    if (sent == 0) throw failure("cannot send to Postgres");
    try {
        flush();
        return last_result();
    } catch (const Error &error) {
        if (error.sqlstate().empty()) given_up_ = error;
        throw;
    }
}

void Connection::copy_out(const std::string &sql,
                          const std::function<void(std::string_view)> &row) {
    copy_out_while(sql, [&row](std::string_view bytes) {
        row(bytes);
        return true;
    });
}

bool Connection::copy_out_while(const std::string &sql,
                                const std::function<bool(std::string_view)> &row) {
    const Result start = exec(sql);
    if (PQresultStatus(start.handle()) != PGRES_COPY_OUT)
        throw Error(Remedy::stop, "not a COPY … TO STDOUT: " + sql);
    bool wanted = true;
    try {
        for (;;) {
            char *bytes = nullptr;
            const int length = PQgetCopyData(handle_.get(), &bytes, 1);
            if (length > 0) {
                const std::unique_ptr<char, decltype(&PQfreemem)> owner(bytes, &PQfreemem);
                if (wanted && !row({bytes, static_cast<std::size_t>(length)})) {
                    wanted = false;
                    cancel(); // if it cannot be cancelled, it is read to its end
                }
            } else if (length == 0) {
                wait(false, answer_deadline());
                if (PQconsumeInput(handle_.get()) == 0)
                    throw failure("the connection to Postgres broke");
            } else if (length == -1) {
                break;
            } else {
                throw failure("COPY failed");
            }
        }
    } catch (...) {
        handle_.reset();
        throw;
    }
    try {
        last_result();
    } catch (const Error &error) {
        if (wanted || error.sqlstate() != sqlstate::query_canceled) throw;
    }
    return wanted;
}

std::string Connection::quote_identifier(std::string_view name) const {
    const std::unique_ptr<char, decltype(&PQfreemem)> quoted(
        PQescapeIdentifier(handle_.get(), name.data(), name.size()), &PQfreemem);
    if (!quoted) throw failure("cannot quote an identifier");
    return quoted.get();
}

std::string Connection::quote_literal(std::string_view text) const {
    const std::unique_ptr<char, decltype(&PQfreemem)> quoted(
        PQescapeLiteral(handle_.get(), text.data(), text.size()), &PQfreemem);
    if (!quoted) throw failure("cannot quote a literal");
    return quoted.get();
}

void Connection::cancel() const noexcept {
    const std::unique_ptr<PGcancel, decltype(&PQfreeCancel)> request(PQgetCancel(handle_.get()),
                                                                     &PQfreeCancel);
    char why_not[256];
    if (request) PQcancel(request.get(), why_not, sizeof why_not);
}

void Connection::on_notice(std::function<void(std::string_view)> receiver) {
    *notice_receiver_ = std::move(receiver);
}

} // namespace pgat::postgres
