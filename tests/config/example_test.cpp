// config.example.yaml is documentation that cannot go stale: it holds every key, with the default.
#include "config/fixture.hpp"

#include <set>
#include <string_view>

#include "config/keys.hpp"

namespace pgat::config {

namespace {

const std::string example = PGAT_SOURCE_DIR "/config.example.yaml";

TEST(ExampleConfiguration, HoldsTheDefaults) {
    const Config loaded = load(example, Environment());
    const Config defaults;
    EXPECT_EQ(loaded.stream.id, defaults.stream.id);
    EXPECT_EQ(loaded.stream.slot_name, "async_triggers_stream_1");
    const PgConnection &connection = loaded.stream.pg_connection;
    EXPECT_EQ(connection.uri + connection.host + connection.name + connection.username +
                  connection.password + connection.tls.mode + connection.tls.ca_file +
                  connection.tls.cert_file + connection.tls.key_file,
              "");
    EXPECT_EQ(connection.port, std::nullopt);
    EXPECT_EQ(connection.tls.enabled, defaults.stream.pg_connection.tls.enabled);
    EXPECT_EQ(loaded.stream.batch.max_size, defaults.stream.batch.max_size);
    EXPECT_EQ(loaded.stream.batch.max_bytes, defaults.stream.batch.max_bytes);
    EXPECT_EQ(loaded.stream.batch.min_size, defaults.stream.batch.min_size);
    EXPECT_EQ(loaded.stream.batch.max_fill, defaults.stream.batch.max_fill);
    EXPECT_EQ(loaded.stream.retry.attempts, defaults.stream.retry.attempts);
    EXPECT_EQ(loaded.stream.retry.initial_backoff, defaults.stream.retry.initial_backoff);
    EXPECT_EQ(loaded.stream.retry.max_backoff, defaults.stream.retry.max_backoff);
    EXPECT_EQ(loaded.stream.retry.max_event_attempts, defaults.stream.retry.max_event_attempts);
    EXPECT_EQ(loaded.stream.on_rejected, defaults.stream.on_rejected);
    EXPECT_EQ(loaded.stream.max_consecutive_rejected, defaults.stream.max_consecutive_rejected);
    EXPECT_EQ(loaded.stream.group_key, defaults.stream.group_key);
    EXPECT_EQ(loaded.stream.partitions.days_ahead, defaults.stream.partitions.days_ahead);
    EXPECT_EQ(loaded.stream.partitions.retention_days, defaults.stream.partitions.retention_days);
    EXPECT_EQ(loaded.stream.partitions.drop_undelivered,
              defaults.stream.partitions.drop_undelivered);
    EXPECT_EQ(loaded.stream.call_timeout, defaults.stream.call_timeout);
    EXPECT_EQ(loaded.stream.shutdown_timeout, defaults.stream.shutdown_timeout);
    EXPECT_EQ(loaded.sink.type, defaults.sink.type);
    EXPECT_EQ(loaded.sink.settings, defaults.sink.settings);
    EXPECT_EQ(loaded.plugins.directories, defaults.plugins.directories);
    EXPECT_EQ(loaded.observability.listen, defaults.observability.listen);
    EXPECT_EQ(loaded.observability.hosts, defaults.observability.hosts);
    EXPECT_EQ(loaded.log.level, defaults.log.level);
    EXPECT_EQ(loaded.log.format, defaults.log.format);
}

// Keys as their indentation nests them, those in comments ("# uri: …") too.
std::set<std::string> keys_written() {
    std::set<std::string> found;
    std::vector<std::pair<std::size_t, std::string>> open;
    std::ifstream file(example);
    for (std::string line; std::getline(file, line);) {
        const auto depth = line.find_first_not_of(' ');
        if (depth == std::string::npos) continue;
        std::string_view rest = std::string_view(line).substr(depth);
        if (rest.starts_with("# ")) rest.remove_prefix(2);
        const auto colon = rest.find(':');
        if (colon == std::string_view::npos || rest.substr(colon + 1, 1) == "/") continue;
        const std::string name(rest.substr(0, colon));
        if (name.find_first_not_of("abcdefghijklmnopqrstuvwxyz_") != std::string::npos) continue;
        while (!open.empty() && open.back().first >= depth)
            open.pop_back();
        const std::string path = open.empty() ? name : open.back().second + "." + name;
        open.emplace_back(depth, path);
        found.insert(path);
    }
    return found;
}

TEST(ExampleConfiguration, ShowsEveryKey) {
    const std::set<std::string> written = keys_written();
    for (const Key &key : keys())
        EXPECT_TRUE(written.contains(key.path)) << key.path;
}

} // namespace

} // namespace pgat::config
