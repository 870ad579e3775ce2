// What an event holds arrives byte for byte as Postgres prints it.
#include <filesystem>

#include <gtest/gtest.h>
#include <unistd.h>

#include "replication/publication.hpp"
#include "replication/slot.hpp"
#include "replication/slot_creation.hpp"
#include "replication/stream.hpp"
#include "support/certificate.hpp"
#include "support/cluster.hpp"
#include "support/event_database.hpp"
#include "support/process.hpp"
#include "support/stream_reader.hpp"

namespace pgat::replication {
namespace {

using support::Cluster;
using support::EventDatabase;
using support::StreamReader;

constexpr StreamId id(1);

// The payloads that the stream brings for those written by `write`, which takes their number.
std::vector<std::string> streamed(EventDatabase &database, std::size_t count,
                                  const std::function<void()> &write) {
    const auto slot = "slot_of_" + database.name();
    ensure_publication(database.sql(), id);
    std::vector<std::string> payloads;
    {
        auto session = postgres::Connection::open(replication_session(database.session()));
        create_slot(session, slot);
        write();
        ReplicationStream stream(std::move(session), {slot, stream_object_name(id), Lsn()},
                                 nullptr);
        StreamReader reader(stream, id);
        EXPECT_TRUE(reader.until_events(count));
        for (const auto &event : reader.chunk.events)
            payloads.emplace_back(event.payload);
        stream.finish(std::chrono::steady_clock::now() + std::chrono::seconds(10));
    }
    drop_slot(database.sql(), slot);
    return payloads;
}

std::vector<std::string> stored(EventDatabase &database) {
    const auto rows =
        database.sql().exec("SELECT payload::text FROM async_triggers.events ORDER BY id");
    std::vector<std::string> payloads;
    for (int row = 0; row < rows.rows(); ++row)
        payloads.emplace_back(rows.text(row, 0));
    return payloads;
}

void write(EventDatabase &database, std::string_view payload) {
    database.sql().exec(
        "INSERT INTO async_triggers.events (stream_id, payload) VALUES (1, $1::jsonb)", {payload});
}

std::string utf8(char32_t c) {
    const auto tail = [&](int shift) { return static_cast<char>(0x80 | ((c >> shift) & 0x3F)); };
    if (c < 0x80) return {static_cast<char>(c)};
    if (c < 0x800) return {static_cast<char>(0xC0 | (c >> 6)), tail(0)};
    if (c < 0x10000) return {static_cast<char>(0xE0 | (c >> 12)), tail(6), tail(0)};
    return {static_cast<char>(0xF0 | (c >> 18)), tail(12), tail(6), tail(0)};
}

TEST(StreamedValues, KeepEveryDigit) {
    EventDatabase database(Cluster::shared());
    const std::vector<std::string> payloads = {
        "12345678901234567890.123456789",
        "-0.00000000000000000000000000000000001",
        "1.10",
        "{\"a\": [9007199254740993, 1E+400, true, null], \"b\": {}}",
    };
    const auto arrived = streamed(database, payloads.size(), [&] {
        for (const auto &payload : payloads)
            write(database, payload);
    });
    EXPECT_EQ(arrived, stored(database));
    EXPECT_EQ(arrived[0], payloads[0]);
    EXPECT_EQ(arrived[1], payloads[1]);
    EXPECT_EQ(arrived[2], payloads[2]);
}

TEST(StreamedValues, KeepEveryUnicodeCharacter) {
    EventDatabase database(Cluster::shared());
    std::vector<std::string> payloads;
    for (char32_t plane = 0; plane <= 0x10; ++plane) {
        std::string text;
        for (char32_t c = plane << 16; c < (plane + 1) << 16; ++c) {
            const bool surrogate = c >= 0xD800 && c <= 0xDFFF;
            if (c >= 0x20 && c != '"' && c != '\\' && !surrogate) text += utf8(c);
        }
        payloads.push_back('"' + text + '"');
    }
    const auto arrived = streamed(database, payloads.size(), [&] {
        for (const auto &payload : payloads)
            write(database, payload);
    });
    EXPECT_TRUE(arrived == payloads);
    EXPECT_TRUE(arrived == stored(database));
}

TEST(StreamedValues, ComeAsUtf8FromALatin1Database) {
    auto &cluster = Cluster::shared();
    const std::string name = "latin_1";
    cluster.connect("postgres")
        .exec("CREATE DATABASE latin_1 ENCODING 'LATIN1' LC_COLLATE 'C' LC_CTYPE 'C'"
              " TEMPLATE template0");
    EventDatabase database(cluster, name);
    std::string text;
    for (char32_t c = 0xA0; c <= 0xFF; ++c)
        text += utf8(c);
    const auto payload = "{\"" + text + "\": \"" + text + "\"}";
    const auto arrived = streamed(database, 1, [&] { write(database, payload); });
    EXPECT_EQ(arrived, std::vector<std::string>{payload});
    EXPECT_EQ(arrived, stored(database));
}

TEST(StreamedValues, MayBeLarge) {
    EventDatabase database(Cluster::shared());
    const auto arrived = streamed(database, 2, [&] {
        database.sql().exec("INSERT INTO async_triggers.events (stream_id, payload)"
                            " VALUES (1, to_jsonb(repeat('0123456789abcdef', 4 * 1024 * 1024))),"
                            "  (1, '2')");
    });
    ASSERT_EQ(arrived.size(), 2U);
    EXPECT_EQ(arrived[0].size(), 64U * 1024 * 1024 + 2);
    EXPECT_EQ(arrived[1], "2");
}

// The server reads its key only if nobody else can.
void install(const std::filesystem::path &from, const std::filesystem::path &to) {
    namespace fs = std::filesystem;
    fs::copy_file(from, to);
    fs::permissions(to, fs::perms::owner_read);
    if (const auto account = support::unprivileged_account()) {
        if (::chown(to.c_str(), account->user, account->group) != 0)
            throw std::runtime_error("chown failed: " + to.string());
    }
}

TEST(StreamedValues, ComeThroughTlsWhateverTheirSize) {
    Cluster cluster;
    const support::Certificate certificate;
    install(certificate.certificate_file(), cluster.folder() / "data" / "server.crt");
    install(certificate.key_file(), cluster.folder() / "data" / "server.key");
    cluster.set("ssl", "on");
    cluster.restart();

    EventDatabase database(cluster);
    EXPECT_TRUE(database.sql()
                    .exec("SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()")
                    .boolean(0, 0));
    const auto arrived = streamed(database, 3000, [&] {
        database.sql().exec("INSERT INTO async_triggers.events (stream_id, payload)"
                            " SELECT 1, to_jsonb(repeat('x', n * n % 40009))"
                            " FROM generate_series(1, 3000) n");
    });
    EXPECT_TRUE(arrived == stored(database));
}

} // namespace
} // namespace pgat::replication
