#include "postgres/copy_both.hpp"

#include <algorithm>
#include <cerrno>
#include <system_error>
#include <utility>

#include <poll.h>

namespace pgat::postgres {

namespace {

using Clock = std::chrono::steady_clock;

// OpenSSL may hold bytes that libpq has not taken yet and that no poll(2) sees. Under TLS no wait
// for data is longer than this.
constexpr std::chrono::milliseconds tls_slice{50};

void note_warning(void *receiver, const PGresult *notice) {
    const auto field = [notice](int code) {
        const char *const text = PQresultErrorField(notice, code);
        return std::string(text == nullptr ? "" : text);
    };
    if (field(PG_DIAG_SEVERITY_NONLOCALIZED) != "WARNING") return;
    CopyBoth::Warning warning{field(PG_DIAG_SQLSTATE), field(PG_DIAG_SOURCE_FILE),
                              field(PG_DIAG_MESSAGE_PRIMARY)};
    auto &warnings = *static_cast<std::vector<CopyBoth::Warning> *>(receiver);
    for (const auto &known : warnings)
        if (known.sqlstate == warning.sqlstate && known.source_file == warning.source_file) return;
    warnings.push_back(std::move(warning));
}

int milliseconds_until(CopyBoth::Deadline deadline) {
    if (deadline == CopyBoth::Deadline::max()) return -1;
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - Clock::now()).count();
    return static_cast<int>(std::clamp<std::int64_t>(left, 0, 1 << 30));
}

} // namespace

CopyBoth::CopyBoth(Connection session, const std::string &command)
    : warnings_(std::make_unique<std::vector<Warning>>()), session_(std::move(session)) {
    PQsetNoticeReceiver(session_.handle(), note_warning, warnings_.get());
    const Result opened = session_.exec(command);
    if (PQresultStatus(opened.handle()) != PGRES_COPY_BOTH)
        throw Error(Remedy::stop, "not a command that opens a two-way COPY: " + command);
}

CopyBoth::Ready CopyBoth::poll(Deadline deadline, Interest interest, const Wakeup *wakeup) {
    const bool receive = interest == Interest::receive;
    for (;;) {
        const int socket = PQsocket(session_.handle());
        if (socket < 0) throw session_.failure("the connection to Postgres is lost");
        const auto wanted = (receive ? POLLIN : 0) | (sending_ ? POLLOUT : 0);
        pollfd watched[2] = {
            {socket, static_cast<short>(wanted), 0},
            {wakeup == nullptr ? -1 : wakeup->fd(), POLLIN, 0},
        };
        const bool have_data = receive && !dry_;
        const bool in_slices = receive && PQsslInUse(session_.handle()) != 0;
        int limit = have_data ? 0 : milliseconds_until(deadline);
        const bool cut = in_slices && (limit < 0 || limit > tls_slice.count());
        if (cut) limit = static_cast<int>(tls_slice.count());

        const int ready = ::poll(watched, 2, limit);
        if (ready < 0) {
            if (errno == EINTR) continue;
            throw std::system_error(errno, std::generic_category(), "poll");
        }
        if (watched[1].revents != 0) return Ready::wakeup;
        const auto seen = watched[0].revents;
        if ((seen & POLLOUT) != 0) flush();
        if ((seen & POLLOUT) != 0 && !receive && !sending_) return Ready::sent;
        if (receive && (seen != 0 || have_data || cut)) {
            dry_ = false;
            return Ready::data;
        }
        if ((seen & (POLLERR | POLLHUP | POLLNVAL)) != 0)
            throw Error(Remedy::reconnect, "the connection to Postgres is lost");
        if (ready == 0) return Ready::time;
    }
}

std::optional<std::string_view> CopyBoth::take() {
    char *bytes = nullptr;
    const int length = PQgetCopyData(session_.handle(), &bytes, 1);
    if (length == 0) return std::nullopt;
    if (length == -1) ended();
    if (length < 0) throw session_.failure("the replication stream broke");
    message_.reset(bytes);
    return std::string_view(bytes, static_cast<std::size_t>(length));
}

std::optional<std::string_view> CopyBoth::next() {
    message_.reset();
    if (auto message = take()) return message;
    // Under TLS one read may leave the rest of a record behind; the second takes it.
    const int reads = PQsslInUse(session_.handle()) != 0 ? 2 : 1;
    for (int i = 0; i < reads; ++i) {
        if (PQconsumeInput(session_.handle()) == 0)
            throw session_.failure("the connection to Postgres broke");
        if (auto message = take()) return message;
    }
    dry_ = true;
    return std::nullopt;
}

void CopyBoth::send(std::string_view message) {
    if (PQputCopyData(session_.handle(), message.data(), static_cast<int>(message.size())) != 1)
        throw session_.failure("cannot send to Postgres");
    flush();
}

void CopyBoth::flush() {
    const int left = PQflush(session_.handle());
    if (left < 0) throw session_.failure("the connection to Postgres broke");
    sending_ = left > 0;
    // libpq reads when it cannot write: there may be messages now.
    dry_ = false;
}

std::vector<CopyBoth::Warning> CopyBoth::take_warnings() { return std::exchange(*warnings_, {}); }

void CopyBoth::ended() {
    const Result result(PQgetResult(session_.handle()));
    if (result.handle() != nullptr && PQresultStatus(result.handle()) == PGRES_FATAL_ERROR)
        session_.require_success(result.handle());
    throw Error(Remedy::reconnect, "Postgres ended the replication stream")
        .with_hint("it does so when it shuts down");
}

void CopyBoth::finish(Deadline deadline) {
    if (PQputCopyEnd(session_.handle(), nullptr) != 1)
        throw session_.failure("cannot end the replication stream");
    flush();
    const auto wait_for_more = [&] {
        dry_ = true;
        if (poll(deadline, Interest::receive, nullptr) == Ready::time || Clock::now() >= deadline)
            throw Error(Remedy::reconnect, "Postgres did not end the replication stream in time");
        if (PQconsumeInput(session_.handle()) == 0)
            throw session_.failure("the connection to Postgres broke");
    };
    // What is still in flight, then the end of the server's half.
    for (;;) {
        char *bytes = nullptr;
        const int length = PQgetCopyData(session_.handle(), &bytes, 1);
        message_.reset(bytes);
        if (length == -1) break;
        if (length < 0) throw session_.failure("the replication stream broke");
        if (length == 0 || Clock::now() >= deadline) wait_for_more();
    }
    for (;;) {
        while (PQisBusy(session_.handle()) != 0)
            wait_for_more();
        const Result result(PQgetResult(session_.handle()));
        if (result.handle() == nullptr) return;
        session_.require_success(result.handle());
    }
}

} // namespace pgat::postgres
