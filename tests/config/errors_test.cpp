// The text of every refusal: file and line, full key, what is wrong, what would be right.
#include "config/fixture.hpp"

namespace pgat::config {

namespace {

class ConfigErrors : public ConfigTest {};

TEST_F(ConfigErrors, NameTheNearestKeyForAnUnknownOne) {
    EXPECT_EQ(refusal("stream:\n  id: 1\n  batch:\n    max_sise: 5\n"),
              "config.yaml:4: stream.batch.max_sise: unknown key; did you mean "
              "stream.batch.max_size?");
    EXPECT_EQ(refusal("steam:\n  id: 1\n"),
              "config.yaml:1: steam: unknown key; did you mean stream?");
    EXPECT_EQ(refusal("stream:\n  max_bytes: 1\n"),
              "config.yaml:2: stream.max_bytes: unknown key; did you mean stream.batch.max_bytes?");
    EXPECT_EQ(refusal("stream: {pg_connection: {user: x}}"),
              "config.yaml:1: stream.pg_connection.user: unknown key; did you mean "
              "stream.pg_connection.username?");
    EXPECT_EQ(refusal("stream: {pg_connection: {usernmae: x}}"),
              "config.yaml:1: stream.pg_connection.usernmae: unknown key; did you mean "
              "stream.pg_connection.username?");
}

TEST_F(ConfigErrors, NameTheTypeThatIsWanted) {
    EXPECT_EQ(refusal("stream:\n  batch:\n    max_size: lots\n"),
              "config.yaml:3: stream.batch.max_size: must be a whole number from 1 to 1000000, is "
              "\"lots\"");
    EXPECT_EQ(refusal("stream: {id: 1.5}"),
              "config.yaml:1: stream.id: must be a whole number from 0 to 9223372036854775807, is "
              "\"1.5\"");
    EXPECT_EQ(
        refusal("stream: {batch: {max_size: [1]}}"),
        "config.yaml:1: stream.batch.max_size: must be a whole number from 1 to 1000000, is a "
        "list");
    EXPECT_EQ(
        refusal("stream: {partitions: {drop_undelivered: yes}}"),
        "config.yaml:1: stream.partitions.drop_undelivered: must be true or false, is \"yes\"");
    EXPECT_EQ(refusal("stream: {pg_connection: {host: {a: b}}}"),
              "config.yaml:1: stream.pg_connection.host: must be a string, is a map");
    EXPECT_EQ(refusal("stream: 5"),
              "config.yaml:1: stream: must be a map of keys, is a single value");
    EXPECT_EQ(refusal("sink: memory"),
              "config.yaml:1: sink: must be a map of keys, is a single value");
    EXPECT_EQ(refusal("plugins: {directory: {a: b}}"),
              "config.yaml:1: plugins.directory: must be a string or a list of strings, is a map");
    EXPECT_EQ(refusal("plugins: {directory: [[a]]}"),
              "config.yaml:1: plugins.directory: must be a list of strings, is a list");
    EXPECT_EQ(refusal("- stream"), "config.yaml:1: must be a map of keys at the top, is a list");
}

TEST_F(ConfigErrors, NameTheRange) {
    EXPECT_EQ(
        refusal("stream: {pg_connection: {port: 70000}}"),
        "config.yaml:1: stream.pg_connection.port: must be a whole number from 1 to 65535, is "
        "\"70000\"");
    EXPECT_EQ(refusal("stream: {batch: {max_size: 0}}"),
              "config.yaml:1: stream.batch.max_size: must be a whole number from 1 to 1000000, is "
              "\"0\"");
    EXPECT_EQ(
        refusal("stream: {batch: {max_bytes: 99999999999999999999}}"),
        "config.yaml:1: stream.batch.max_bytes: must be a whole number from 1 to 1073741824, is "
        "\"99999999999999999999\"");
    EXPECT_EQ(refusal("stream: {on_rejected: drop}"),
              "config.yaml:1: stream.on_rejected: must be one of dead_letter, block, is \"drop\"");
    EXPECT_EQ(
        refusal("log: {level: loud}"),
        "config.yaml:1: log.level: must be one of trace, debug, info, warn, error, is \"loud\"");
    EXPECT_EQ(refusal("log: {format: xml}"),
              "config.yaml:1: log.format: must be one of text, json, is \"xml\"");
    EXPECT_EQ(
        refusal("stream: {pg_connection: {tls: {mode: strict}}}"),
        "config.yaml:1: stream.pg_connection.tls.mode: must be one of disable, allow, prefer, "
        "require, verify-ca, verify-full, is \"strict\"");
    EXPECT_EQ(refusal("stream: {slot_name: My-Slot}"),
              "config.yaml:1: stream.slot_name: must be 1 to 63 lower-case letters, digits and "
              "underscores, is \"My-Slot\"");
    EXPECT_EQ(
        refusal("stream: {group_key: group_id}"),
        "config.yaml:1: stream.group_key: must be a JSON pointer such as /group_id, or \"\", is "
        "\"group_id\"");
    EXPECT_EQ(
        refusal("stream: {group_key: /a~2}"),
        "config.yaml:1: stream.group_key: must be a JSON pointer such as /group_id, or \"\", is "
        "\"/a~2\"");
    EXPECT_EQ(refusal("observability: {listen: localhost}"),
              "config.yaml:1: observability.listen: must be an address and port such as "
              "127.0.0.1:9464 or [::1]:9464, or \"\", is \"localhost\"");
    EXPECT_EQ(
        refusal("sink: {type: ../evil}"),
        "config.yaml:1: sink.type: must be the name of a plugin: a lower-case letter, then up to "
        "31 lower-case letters, digits and underscores, is \"../evil\"");
}

TEST_F(ConfigErrors, NameWhatDoesNotFitTogether) {
    EXPECT_EQ(
        refusal("stream: {batch: {min_size: 20, max_size: 10}}"),
        "config.yaml:1: stream.batch.min_size: must not be over stream.batch.max_size, is 20 and "
        "10");
    EXPECT_EQ(refusal("stream: {retry: {initial_backoff_ms: 50, max_backoff_ms: 10}}"),
              "config.yaml:1: stream.retry.initial_backoff_ms: must not be over "
              "stream.retry.max_backoff_ms, is 50 and 10");
    EXPECT_EQ(refusal("stream:\n  retry:\n    max_backoff_ms: 10\n"),
              "config.yaml:3: stream.retry.initial_backoff_ms: must not be over "
              "stream.retry.max_backoff_ms, is 100 and 10");
    EXPECT_EQ(refusal("stream:\n  batch:\n    max_fill_ms: 1\n    max_fill_secs: 1\n"),
              "config.yaml:4: stream.batch.max_fill_secs: and stream.batch.max_fill_ms "
              "(config.yaml:3) are both set; remove one");
}

TEST_F(ConfigErrors, NameBothPlacesOfADuplicate) {
    EXPECT_EQ(refusal("stream:\n  id: 1\n  id: 2\n"),
              "config.yaml:3: stream.id: is set twice, first at config.yaml:2");
    EXPECT_EQ(refusal("sink:\n  type: http\n  url: a\n  tls: {x: 1}\n  tls: {y: 1}\n"),
              "config.yaml:5: sink.tls: is set twice, first at config.yaml:4");
}

TEST_F(ConfigErrors, AreToldAllAtOnce) {
    EXPECT_EQ(
        refusal("stream:\n  id: x\n  batch:\n    max_sise: 5\nlog: {level: loud}\n"),
        "3 errors in the configuration:\n"
        "  config.yaml:2: stream.id: must be a whole number from 0 to 9223372036854775807, is "
        "\"x\"\n"
        "  config.yaml:4: stream.batch.max_sise: unknown key; did you mean "
        "stream.batch.max_size?\n"
        "  config.yaml:5: log.level: must be one of trace, debug, info, warn, error, is "
        "\"loud\"");
}

TEST_F(ConfigErrors, PlaceWhatIsNotYaml) {
    EXPECT_EQ(refusal("stream:\n  id: 1\n bad: [\n").substr(0, 34),
              "config.yaml:3: not valid YAML (col");
    EXPECT_EQ(refusal("stream: {id: 1}\n---\nlog: {}\n"),
              "config.yaml: holds 2 YAML documents, one is wanted");
    EXPECT_EQ(refusal(",\n"),
              "config.yaml:1: not valid YAML (column 1): no value begins like this");
}

TEST_F(ConfigErrors, EndWhatWouldFillTheMemory) {
    std::string text = "a0: &a0 [1, 1, 1, 1, 1, 1, 1, 1, 1, 1]\n";
    for (int i = 1; i < 9; ++i) {
        text += fmt::format("a{}: &a{} [", i, i);
        for (int n = 0; n < 10; ++n)
            text += fmt::format("{}*a{}", n == 0 ? "" : ", ", i - 1);
        text += "]\n";
    }
    EXPECT_EQ(refusal(text), "config.yaml:1: a4: its aliases stand for too many values");
}

TEST_F(ConfigErrors, NeverShowASecret) {
    const std::string secret = "hunter2";
    for (const std::string text : {
             "stream: {pg_connection: {password: [hunter2]}}",
             "stream: {pg_connection: {password: {hunter2: 1}, passwrod: hunter2}}",
             "stream: {pg_connection: 'postgres://u:hunter2@h/d'}",
             "stream: {pg_connection: {uri: hunter2}}",
             "stream: {pg_connection: {password: *hunter2}}",
             "stream: {pg_connection: {password: '${hunter2!}'}}",
             "sink: {password: hunter2, password_file: /x}",
             "stream: {pg_connection: {port: '${SECRET}'}}",
             "stream: {pg_connection: {password: hunter2, password_file: /x}}",
             "stream: {pg_connection: {password: &hunter2\n}, batch: {max_size: x}",
         }) {
        const std::string message = refusal(text, {{"SECRET", secret}});
        EXPECT_FALSE(message.empty()) << text;
        // A key's name is shown; whoever writes a password there gets it back.
        if (text.find("{hunter2: 1}") != std::string::npos) continue;
        EXPECT_EQ(message.find(secret), std::string::npos) << message;
    }
}

} // namespace

} // namespace pgat::config
