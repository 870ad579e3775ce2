#include "config/fixture.hpp"

#include <cstdlib>

#include "config/keys.hpp"

namespace pgat::config {

namespace {

class Load : public ConfigTest {};

constexpr const char *seed_config = R"(stream:
  id: 1  # Unique stream ID
  pg_connection:
    host: localhost
    port: 5432
    name: mydb
    username: postgres
    password: postgres
    tls:
      enabled: false
  batch:
    max_size: 1000      # Events per batch
    max_fill_secs: 5    # Max time to fill batch

sink:
  type: memory  # Built-in test sink
)";

TEST_F(Load, TakesTheSeedsConfigurationAsItStands) {
    const Config config = load_text(seed_config);
    EXPECT_EQ(config.stream.id, StreamId(1));
    EXPECT_EQ(config.stream.slot_name, "async_triggers_stream_1");
    EXPECT_EQ(config.stream.pg_connection.host, "localhost");
    EXPECT_EQ(config.stream.pg_connection.port, 5432);
    EXPECT_EQ(config.stream.pg_connection.name, "mydb");
    EXPECT_EQ(config.stream.pg_connection.username, "postgres");
    EXPECT_EQ(config.stream.pg_connection.password, "postgres");
    EXPECT_FALSE(config.stream.pg_connection.tls.enabled);
    EXPECT_EQ(config.stream.batch.max_fill, std::chrono::seconds(5));
    EXPECT_EQ(config.sink.type, "memory");
    EXPECT_EQ(config.sink.settings, nlohmann::json::object());
}

TEST_F(Load, SetsEveryMemberOfTheStream) {
    const Config config = load_text(R"(
stream:
  id: 7
  slot_name: mine
  pg_connection: {uri: "postgres://h/db", tls: {enabled: true, mode: verify-ca, ca_file: /ca, cert_file: /c, key_file: /k}}
  batch: {max_size: 10, max_bytes: 2000, min_size: 3, max_fill_ms: 250}
  retry: {attempts: 1, initial_backoff_ms: 5, max_backoff_ms: 50, max_event_attempts: 4}
  on_rejected: block
  max_consecutive_rejected: 9
  group_key: /new/~1id
  partitions: {days_ahead: 2, retention_days: 30, drop_undelivered: true}
  call_timeout_secs: 4
  shutdown_timeout_secs: 3
)");
    const Stream &stream = config.stream;
    EXPECT_EQ(stream.id, StreamId(7));
    EXPECT_EQ(stream.slot_name, "mine");
    EXPECT_EQ(stream.pg_connection.uri, "postgres://h/db");
    EXPECT_TRUE(stream.pg_connection.tls.enabled);
    EXPECT_EQ(stream.pg_connection.tls.mode, "verify-ca");
    EXPECT_EQ(stream.pg_connection.tls.ca_file, "/ca");
    EXPECT_EQ(stream.pg_connection.tls.cert_file, "/c");
    EXPECT_EQ(stream.pg_connection.tls.key_file, "/k");
    EXPECT_EQ(stream.batch.max_size, 10U);
    EXPECT_EQ(stream.batch.max_bytes, 2000U);
    EXPECT_EQ(stream.batch.min_size, 3U);
    EXPECT_EQ(stream.batch.max_fill, std::chrono::milliseconds(250));
    EXPECT_EQ(stream.retry.attempts, 1U);
    EXPECT_EQ(stream.retry.initial_backoff, std::chrono::milliseconds(5));
    EXPECT_EQ(stream.retry.max_backoff, std::chrono::milliseconds(50));
    EXPECT_EQ(stream.retry.max_event_attempts, 4U);
    EXPECT_EQ(stream.on_rejected, OnRejected::block);
    EXPECT_EQ(stream.max_consecutive_rejected, 9U);
    EXPECT_EQ(stream.group_key, "/new/~1id");
    EXPECT_EQ(stream.partitions.days_ahead, 2U);
    EXPECT_EQ(stream.partitions.retention_days, 30U);
    EXPECT_TRUE(stream.partitions.drop_undelivered);
    EXPECT_EQ(stream.call_timeout, std::chrono::seconds(4));
    EXPECT_EQ(stream.shutdown_timeout, std::chrono::seconds(3));
}

TEST_F(Load, SetsEveryMemberBesideTheStream) {
    const Config config = load_text(R"(
sink: {type: my_http2}
plugins: {directory: [/a, /b]}
observability: {listen: "[::1]:0", hosts: [status.example.com]}
log: {level: debug, format: json}
)");
    EXPECT_EQ(config.sink.type, "my_http2");
    EXPECT_EQ(config.plugins.directories, (std::vector<std::string>{"/a", "/b"}));
    EXPECT_EQ(config.observability.listen, "[::1]:0");
    EXPECT_EQ(config.observability.hosts, std::vector<std::string>{"status.example.com"});
    EXPECT_EQ(config.log.level, "debug");
    EXPECT_EQ(config.log.format, LogFormat::json);
    EXPECT_EQ(load_text("plugins: {directory: /one}").plugins.directories,
              std::vector<std::string>{"/one"});
    EXPECT_EQ(load_text("observability: {listen: ''}").observability.listen, "");
}

TEST_F(Load, TakesDefaultsForAnEmptyFileAndEmptyValues) {
    for (const char *text :
         {"", "# nothing\n", "stream:\nsink:\n", "stream: {batch: {max_size: }}"}) {
        const Config config = load_text(text);
        EXPECT_EQ(config.stream.batch.max_size, 1000U) << text;
        EXPECT_EQ(config.sink.type, "memory") << text;
    }
}

TEST_F(Load, DerivesTheSlotFromTheStream) {
    EXPECT_EQ(load_text("stream: {id: 42}").stream.slot_name, "async_triggers_stream_42");
}

TEST_F(Load, FindsTheFileInTheDocumentedOrder) {
    const Environment named(Environment::Variables{{"ASYNC_TRIGGERS_CONFIG", "b.yaml"}});
    EXPECT_EQ(find_file("a.yaml", named), "a.yaml");
    EXPECT_EQ(find_file("", named), "b.yaml");
    const auto before = std::filesystem::current_path();
    write("config.yaml", "");
    std::filesystem::current_path(folder());
    EXPECT_EQ(find_file("", Environment()), "./config.yaml");
    std::filesystem::current_path(before);
}

TEST_F(Load, SaysWhereItLookedWhenThereIsNoFile) {
    try {
        load("", Environment());
        FAIL() << "took nothing for a configuration";
    } catch (const Error &error) {
        EXPECT_STREQ(error.what(), "no configuration file: looked for ./config.yaml, /config.yaml, "
                                   "/etc/postgres-async-triggers/config.yaml");
        EXPECT_EQ(error.remedy(), Remedy::configure);
        EXPECT_FALSE(error.hint().empty());
    }
}

TEST_F(Load, NamesAFileThatCannotBeRead) {
    try {
        load(folder() / "absent.yaml", Environment());
        FAIL() << "read a file that is not there";
    } catch (const Error &error) {
        EXPECT_EQ(without_folder(error.what()),
                  "cannot read the configuration file absent.yaml: No such file or directory");
    }
    EXPECT_THROW(load(folder(), Environment()), Error);
}

} // namespace

} // namespace pgat::config
