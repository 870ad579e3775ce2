// Overrides by ASYNC_TRIGGERS_…__… variables, ${VAR}, and the log level.
#include "config/fixture.hpp"

namespace pgat::config {

namespace {

class ConfigEnvironment : public ConfigTest {};

TEST_F(ConfigEnvironment, OverridesAValueOfTheFile) {
    const Config config =
        load_text("stream: {id: 1, pg_connection: {password: file}}",
                  {{"ASYNC_TRIGGERS_STREAM__PG_CONNECTION__PASSWORD", "p$$w${x}[1]"},
                   {"ASYNC_TRIGGERS_STREAM__ID", "9"}});
    EXPECT_EQ(config.stream.pg_connection.password, "p$$w${x}[1]");
    EXPECT_EQ(config.stream.id, StreamId(9));
    EXPECT_EQ(config.stream.slot_name, "async_triggers_stream_9");
}

TEST_F(ConfigEnvironment, SetsWhatTheFileLeavesOutAndNeedsNoFile) {
    const Environment::Variables variables = {
        {"ASYNC_TRIGGERS_STREAM__BATCH__MAX_FILL_MS", "20"},
        {"ASYNC_TRIGGERS_SINK__TYPE", "http"},
        {"ASYNC_TRIGGERS_SINK__URL", "http://h/p"},
        {"ASYNC_TRIGGERS_SINK__TLS__CA_FILE", "/ca"},
        {"ASYNC_TRIGGERS_OBSERVABILITY__HOSTS", R"(["a","b"])"},
        {"ASYNC_TRIGGERS_PLUGINS__DIRECTORY", "/plugins"}};
    for (const Config &config : {load("", Environment(variables)), load_text("", variables)}) {
        EXPECT_EQ(config.stream.batch.max_fill, std::chrono::milliseconds(20));
        EXPECT_EQ(config.sink.type, "http");
        EXPECT_EQ(config.sink.settings,
                  nlohmann::json::parse(R"({"url": "http://h/p", "tls": {"ca_file": "/ca"}})"));
        EXPECT_EQ(config.observability.hosts, (std::vector<std::string>{"a", "b"}));
        EXPECT_EQ(config.plugins.directories, std::vector<std::string>{"/plugins"});
    }
}

TEST_F(ConfigEnvironment, GivesASinkJsonWhereTheTextIsJson) {
    const Config config = load_text("", {{"ASYNC_TRIGGERS_SINK__CAPACITY", "5"},
                                         {"ASYNC_TRIGGERS_SINK__PRINT", "true"},
                                         {"ASYNC_TRIGGERS_SINK__TOPIC", "{/queue_name}"},
                                         {"ASYNC_TRIGGERS_SINK__CODE", "\"12\""},
                                         {"ASYNC_TRIGGERS_SINK__PASSWORD", "12345"},
                                         {"ASYNC_TRIGGERS_SINK__TOKEN", "[1]"},
                                         {"ASYNC_TRIGGERS_SINK__SIGNING_SECRET", R"(["a", "b"])"},
                                         {"ASYNC_TRIGGERS_SINK__HEADERS", R"({"X-A": "b"})"}});
    EXPECT_EQ(config.sink.settings, nlohmann::json::parse(R"({"capacity": 5, "print": true,
        "topic": "{/queue_name}", "code": "12", "password": "12345", "token": "[1]", "signing_secret": ["a", "b"], "headers": {"X-A": "b"}})"));
}

TEST_F(ConfigEnvironment, MeetsANameOfTheFileWhateverItsCase) {
    const Config config =
        load_text("sink: {type: x, headers: {X-Tenant-Id: a}, properties: {linger.ms: 5}}",
                  {{"ASYNC_TRIGGERS_SINK__HEADERS__X_TENANT_ID", "b"},
                   {"ASYNC_TRIGGERS_SINK__PROPERTIES__LINGER_MS", "6"}});
    EXPECT_EQ(config.sink.settings,
              nlohmann::json::parse(
                  R"({"headers": {"X-Tenant-Id": "b"}, "properties": {"linger.ms": 6}})"));
}

TEST_F(ConfigEnvironment, OverridesTheOtherWayToSayTheSame) {
    const Config config =
        load_text("stream: {batch: {max_fill_secs: 5}, pg_connection: {password_file: /absent}}\n"
                  "sink: {type: x, token_file: /absent, capacity_file: kept}",
                  {{"ASYNC_TRIGGERS_STREAM__BATCH__MAX_FILL_MS", "7"},
                   {"ASYNC_TRIGGERS_STREAM__PG_CONNECTION__PASSWORD", "p"},
                   {"ASYNC_TRIGGERS_SINK__TOKEN", "t"},
                   {"ASYNC_TRIGGERS_SINK__CAPACITY", "1"}});
    EXPECT_EQ(config.stream.batch.max_fill, std::chrono::milliseconds(7));
    EXPECT_EQ(config.stream.pg_connection.password, "p");
    EXPECT_EQ(config.sink.settings,
              nlohmann::json::parse(R"({"token": "t", "capacity_file": "kept", "capacity": 1})"));
}

TEST_F(ConfigEnvironment, IsNamedInErrors) {
    EXPECT_EQ(refusal("", {{"ASYNC_TRIGGERS_STREAM__BATCH__MAX_SIZE", "many"}}),
              "environment variable ASYNC_TRIGGERS_STREAM__BATCH__MAX_SIZE: stream.batch.max_size: "
              "must be a whole number from 1 to 1000000, is \"many\"");
    EXPECT_EQ(refusal("", {{"ASYNC_TRIGGERS_STREAM__BATCH__MAX_SISE", "1"}}),
              "environment variable ASYNC_TRIGGERS_STREAM__BATCH__MAX_SISE: stream.batch.max_sise: "
              "unknown key; did you mean stream.batch.max_size "
              "(ASYNC_TRIGGERS_STREAM__BATCH__MAX_SIZE)?");
    EXPECT_EQ(refusal("", {{"ASYNC_TRIGGERS_STEAM__ID", "1"}}),
              "environment variable ASYNC_TRIGGERS_STEAM__ID: steam.id: unknown key; did you mean "
              "stream.id (ASYNC_TRIGGERS_STREAM__ID)?");
    EXPECT_EQ(
        refusal("", {{"ASYNC_TRIGGERS_STREAM____ID", "1"}}),
        "environment variable ASYNC_TRIGGERS_STREAM____ID: names no key; two underscores stand "
        "between the parts of a key");
    EXPECT_EQ(
        refusal("", {{"ASYNC_TRIGGERS_STREAM_PG_CONNECTION_PASSWORD", "x"}}),
        "environment variable ASYNC_TRIGGERS_STREAM_PG_CONNECTION_PASSWORD: sets nothing; did "
        "you mean ASYNC_TRIGGERS_STREAM__PG_CONNECTION__PASSWORD?");
}

TEST_F(ConfigEnvironment, IgnoresWhatKubernetesSetsForAServiceOfOurName) {
    EXPECT_EQ(refusal("", {{"ASYNC_TRIGGERS_SERVICE_HOST", "10.0.0.1"},
                           {"ASYNC_TRIGGERS_PORT", "tcp://10.0.0.1:9464"},
                           {"ASYNC_TRIGGERS_PORT_9464_TCP_ADDR", "10.0.0.1"},
                           {"ASYNC_TRIGGERS_CONFIG", "whatever"}}),
              "");
}

TEST_F(ConfigEnvironment, ReplacesVariablesInAnyString) {
    const Config config = load_text(R"(
stream:
  id: ${ID}
  pg_connection: {host: "db.${DOMAIN}", password: "${PW}", username: "a$b$$c$"}
sink:
  type: http
  headers: {Authorization: "Bearer ${PW}"}
  list: ["${DOMAIN}"]
  number: ${ID}
  text: "${ID}"
  token: ${ID}
)",
                                    {{"ID", "3"}, {"DOMAIN", "example.com"}, {"PW", "x${ID}$$"}});
    EXPECT_EQ(config.stream.id, StreamId(3));
    EXPECT_EQ(config.stream.pg_connection.host, "db.example.com");
    EXPECT_EQ(config.stream.pg_connection.password, "x${ID}$$");
    EXPECT_EQ(config.stream.pg_connection.username, "a$b$c$");
    EXPECT_EQ(config.sink.settings, nlohmann::json::parse(R"({
        "headers": {"Authorization": "Bearer x${ID}$$"}, "list": ["example.com"],
        "number": 3, "text": "3", "token": "3"})"));
}

TEST_F(ConfigEnvironment, RefusesAVariableThatIsNotSet) {
    EXPECT_EQ(
        refusal("stream:\n  pg_connection:\n    password: ${PW}\n"),
        "config.yaml:3: stream.pg_connection.password: environment variable PW is not set; set "
        "it, or write '$${' for the characters themselves");
    EXPECT_EQ(refusal("sink:\n  type: http\n  list:\n    - a\n    - ${PW\n"),
              "config.yaml:5: sink.list: holds '${' without a '}'; write '$${' for the characters "
              "themselves");
    EXPECT_EQ(
        refusal("sink: {type: http, a: '${}'}"),
        "config.yaml:1: sink.a: holds '${…}' that does not name an environment variable; write "
        "'$${' for the characters themselves");
}

TEST_F(ConfigEnvironment, SetsTheLogLevelInEveryDocumentedWay) {
    const std::string file = "log: {level: error}";
    const auto level = [&](Environment::Variables variables) {
        return load_text(file, std::move(variables)).log.level;
    };
    EXPECT_EQ(level({}), "error");
    EXPECT_EQ(level({{"RUST_LOG", "debug"}}), "debug");
    EXPECT_EQ(level({{"RUST_LOG", "info,hyper=warn"}}), "info");
    EXPECT_EQ(level({{"RUST_LOG", "hyper=warn,postgres_async_triggers=trace"}}), "trace");
    EXPECT_EQ(level({{"RUST_LOG", "hyper=warn"}}), "error");
    EXPECT_EQ(level({{"RUST_LOG", "nonsense"}}), "error");
    EXPECT_EQ(level({{"ASYNC_TRIGGERS_LOG", "WARN"}, {"RUST_LOG", "debug"}}), "warn");
    EXPECT_EQ(level({{"ASYNC_TRIGGERS_LOG__LEVEL", "info"}, {"RUST_LOG", "debug"}}), "info");
    EXPECT_EQ(
        refusal(file, {{"ASYNC_TRIGGERS_LOG", "loud"}}),
        "environment variable ASYNC_TRIGGERS_LOG: log.level: must be one of trace, debug, info, "
        "warn, error, is \"loud\"");
}

} // namespace

} // namespace pgat::config
