// Both ends of the bare measurement of commit-to-sink latency.
//
//     latency write CONNINFO STAMPS COUNT PAUSE_US     commits one event after the other, stamps before each COMMIT
//     latency read CONNINFO STAMPS COUNT SLOT PUBLICATION     reads the slot and stamps what arrives
//
// Nothing but libpq and the loop that its documentation suggests: the least that any reader must do.
#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>

#include <libpq-fe.h>
#include <time.h>

#include "stamps.hpp"

namespace {

using pgat::bench::Stamps;

struct Finish {
    void operator()(PGconn *connection) const noexcept { PQfinish(connection); }
    void operator()(PGresult *result) const noexcept { PQclear(result); }
};
using Connection = std::unique_ptr<PGconn, Finish>;

Connection connect(const std::string &conninfo) {
    Connection connection(PQconnectdb(conninfo.c_str()));
    if (PQstatus(connection.get()) != CONNECTION_OK)
        throw std::runtime_error(PQerrorMessage(connection.get()));
    return connection;
}

void run(PGconn *connection, const std::string &sql, ExecStatusType expected) {
    const std::unique_ptr<PGresult, Finish> result(PQexec(connection, sql.c_str()));
    if (PQresultStatus(result.get()) != expected)
        throw std::runtime_error(PQerrorMessage(connection));
}

void write(const std::string &conninfo, Stamps &stamps, std::size_t count, long pause_us) {
    const Connection connection = connect(conninfo);
    const std::string filler(220, 'x');
    const timespec pause{pause_us / 1'000'000, (pause_us % 1'000'000) * 1000};
    for (std::size_t i = 0; i < count; ++i) {
        run(connection.get(), "begin", PGRES_COMMAND_OK);
        run(connection.get(),
            R"(insert into async_triggers.events (stream_id, payload) values (1, '{"sequence": )" +
                std::to_string(i) + R"(, "filler": ")" + filler + R"("}'))",
            PGRES_COMMAND_OK);
        stamps.set(i);
        run(connection.get(), "commit", PGRES_COMMAND_OK);
        clock_nanosleep(CLOCK_MONOTONIC, 0, &pause, nullptr);
    }
}

void put_int64(char *to, std::uint64_t value) {
    for (int i = 7; i >= 0; --i, value >>= 8)
        to[i] = static_cast<char>(value & 0xff);
}

// "Received, flushed and applied up to here."
void acknowledge(PGconn *connection, std::uint64_t lsn) {
    std::array<char, 34> message{};
    message[0] = 'r';
    for (const int at : {1, 9, 17})
        put_int64(message.data() + at, lsn);
    if (PQputCopyData(connection, message.data(), int{message.size()}) != 1 ||
        PQflush(connection) != 0)
        throw std::runtime_error(PQerrorMessage(connection));
}

void read(const std::string &conninfo, Stamps &stamps, std::size_t count, const std::string &slot,
          const std::string &publication) {
    const Connection connection = connect(conninfo + " replication=database");
    run(connection.get(),
        "START_REPLICATION SLOT " + slot + " LOGICAL 0/0 (proto_version '1', publication_names '" +
            publication + "')",
        PGRES_COPY_BOTH);
    std::puts("reading");
    std::fflush(stdout);
    std::uint64_t last = 0;
    for (std::size_t found = 0; found < count;) {
        char *buffer = nullptr;
        const int size = PQgetCopyData(connection.get(), &buffer, 0);
        if (size < 0) throw std::runtime_error(PQerrorMessage(connection.get()));
        const std::unique_ptr<char, decltype(&PQfreemem)> owner(buffer, &PQfreemem);
        const std::string_view message(buffer, static_cast<std::size_t>(size));
        if (message[0] == 'w') {
            if (stamps.set_from(message)) ++found;
        } else if (message[0] == 'k') {
            std::uint64_t end = 0;
            for (const char byte : message.substr(1, 8))
                end = (end << 8) | static_cast<unsigned char>(byte);
            last = std::max(last, end);
            if (message[17] != 0) acknowledge(connection.get(), last);
        }
    }
}

} // namespace

int main(int argc, char **argv) try {
    const std::string mode = argc > 1 ? argv[1] : "";
    if (mode == "write" && argc == 6) {
        Stamps stamps(argv[3]);
        write(argv[2], stamps, std::stoul(argv[4]), std::stol(argv[5]));
    } else if (mode == "read" && argc == 7) {
        Stamps stamps(argv[3]);
        read(argv[2], stamps, std::stoul(argv[4]), argv[5], argv[6]);
    } else {
        std::fputs("usage: latency write|read …\n", stderr);
        return 2;
    }
    return EXIT_SUCCESS;
} catch (const std::exception &exception) {
    std::fprintf(stderr, "latency: %s\n", exception.what());
    return EXIT_FAILURE;
}
