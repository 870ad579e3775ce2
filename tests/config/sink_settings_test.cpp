#include "config/fixture.hpp"

#include "config/secrets.hpp"

namespace pgat::config {

namespace {

class SinkSettings : public ConfigTest {};

TEST_F(SinkSettings, KeepYamlsTypes) {
    const Config config = load_text(R"(
sink:
  type: any
  whole: 5
  negative: -7
  signed: +7
  large: 18446744073709551615
  real: 2.5e3
  hex: 0x1F
  octal: 0o17
  yes: true
  no: False
  nothing: null
  tilde: ~
  empty:
  quoted: "5"
  single: 'true'
  block: |
    17
  tagged: !!str 12
  word: hello
  yaml_1_1: yes
  infinity: .inf
  version: 1.2.3
  minus: "-"
  dash: a-b
  list: [1, "1", [true]]
  map: {a: {b: 1}}
)");
    EXPECT_EQ(config.sink.settings, nlohmann::json::parse(R"({
        "whole": 5, "negative": -7, "signed": 7, "large": 18446744073709551615, "real": 2500.0,
        "hex": 31, "octal": 15, "yes": true, "no": false, "nothing": null, "tilde": null,
        "empty": null, "quoted": "5", "single": "true", "block": "17\n", "tagged": "12",
        "word": "hello", "yaml_1_1": "yes", "infinity": ".inf", "version": "1.2.3", "minus": "-",
        "dash": "a-b", "list": [1, "1", [true]], "map": {"a": {"b": 1}}})"));
}

TEST_F(SinkSettings, TakeASecretAsAStringWhateverItLooksLike) {
    EXPECT_EQ(
        load_text("sink: {password: 0123, signing_secret: [1, 2], map: {token: true}}")
            .sink.settings,
        nlohmann::json::parse(
            R"({"password": "0123", "signing_secret": ["1", "2"], "map": {"token": "true"}})"));
}

TEST_F(SinkSettings, ReadSecretsFromFilesWithoutTheLastLineEnd) {
    const std::string one = write("one", "pa$${ss}\n");
    const std::string two = write("two", "second");
    const Config config = load_text("stream: {pg_connection: {password_file: " + one +
                                    ", uri_file: " + write("uri", "postgres://h/d\r\n") +
                                    "}}\nsink:\n  type: http\n  password_file: " + one +
                                    "\n  signing_secret_file: [" + one + ", " + two +
                                    "]\n  tls: {ca_file: /ca, key_file: /k, "
                                    "cert_file: /c}\n  properties: {sasl.password_file: " +
                                    two + "}\n");
    EXPECT_EQ(config.stream.pg_connection.password, "pa$${ss}");
    EXPECT_EQ(config.stream.pg_connection.uri, "postgres://h/d");
    EXPECT_EQ(config.sink.settings, nlohmann::json::parse(R"({
        "password": "pa$${ss}", "signing_secret": ["pa$${ss}", "second"],
        "tls": {"ca_file": "/ca", "key_file": "/k", "cert_file": "/c"},
        "properties": {"sasl.password": "second"}})"));
}

TEST_F(SinkSettings, RefuseASecretsFileThatCannotBeRead) {
    EXPECT_EQ(
        refusal("stream: {pg_connection: {password_file: /absent/pw}}"),
        "config.yaml:1: stream.pg_connection.password_file: cannot read /absent/pw: No such file "
        "or directory");
    EXPECT_EQ(refusal("sink:\n  type: http\n  signing_secret_file: /absent/s\n"),
              "config.yaml:3: sink.signing_secret_file: cannot read /absent/s: No such file or "
              "directory");
    EXPECT_EQ(refusal("sink:\n  token_file: " + write("empty", "\n")),
              "config.yaml:2: sink.token_file: empty is empty");
    EXPECT_EQ(refusal("", {{"ASYNC_TRIGGERS_SINK__TOKEN_FILE", "/absent/t"}}),
              "environment variable ASYNC_TRIGGERS_SINK__TOKEN_FILE: sink.token_file: cannot read "
              "/absent/t: No such file or directory");
}

TEST_F(SinkSettings, KeepThePlaceOfEachKeyForThePluginsErrors) {
    const Config config = load_text(
        "sink:\n  type: x\n  tls:\n    ca_file: /ca\n  token_file: " + write("t", "t") + "\n",
        {{"ASYNC_TRIGGERS_SINK__CAPACITY", "5"}});
    Places places = config.sink.places;
    for (auto &[key, place] : places)
        place = without_folder(place);
    EXPECT_EQ(places,
              (Places{{"sink", "config.yaml:1"},
                      {"sink.tls", "config.yaml:3"},
                      {"sink.tls.ca_file", "config.yaml:4"},
                      {"sink.token", "config.yaml:5"},
                      {"sink.capacity", "environment variable ASYNC_TRIGGERS_SINK__CAPACITY"}}));
}

TEST_F(SinkSettings, RefuseASecretGivenTwice) {
    EXPECT_EQ(refusal("sink:\n  token: a\n  token_file: /x\n"),
              "config.yaml:3: sink.token_file: and sink.token (config.yaml:2) are both set; remove "
              "one");
    EXPECT_EQ(
        refusal("stream:\n  pg_connection:\n    password: a\n    password_file: /x\n"),
        "config.yaml:4: stream.pg_connection.password_file: and stream.pg_connection.password "
        "(config.yaml:3) are both set; remove one");
}

TEST(Secrets, AreToldFromOtherFilesByTheirName) {
    for (const char *key : {"password_file", "signing_secret_file", "uri_file", "token_file",
                            "ssl_key_password_file", "sasl.password_file", "api_key_file"})
        EXPECT_FALSE(secret_of_file_key(key).empty()) << key;
    for (const char *key :
         {"ca_file", "cert_file", "key_file", "file", "_file", "password", "curi_file", "log_file"})
        EXPECT_TRUE(secret_of_file_key(key).empty()) << key;
}

} // namespace

} // namespace pgat::config
