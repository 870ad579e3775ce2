// What an operator reads when the keys under `sink` are not what the plugin takes.
#include <gtest/gtest.h>

#include "sinks/config_schema.hpp"

namespace pgat::sinks {
namespace {

using nlohmann::json;

std::string check(const char *schema, const json &settings) {
    return to_text(check_settings(json::parse(schema), settings, "sink"));
}

constexpr auto http = R"({
    "type": "object",
    "required": ["url"],
    "additionalProperties": false,
    "properties": {
        "url": {"type": "string", "pattern": "^https?://", "minLength": 10, "maxLength": 40},
        "mode": {"enum": ["event", "array", "ndjson"], "default": "event"},
        "timeout_ms": {"type": "integer", "minimum": 1, "maximum": 600000},
        "ratio": {"type": "number", "exclusiveMinimum": 0, "exclusiveMaximum": 1},
        "gzip": {"type": "boolean"},
        "version": {"const": 2},
        "headers": {"type": "object", "additionalProperties": {"type": "string"}},
        "statuses": {"type": "array", "items": {"type": "integer"}, "minItems": 1, "maxItems": 3},
        "secret": {"oneOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}}]},
        "wait": {"anyOf": [{"type": "integer"}, {"type": "null"}]},
        "size": {"type": ["integer", "string"]},
        "never": false
    }
})";

json with(json more) {
    json settings{{"url", "http://localhost/"}};
    settings.update(more);
    return settings;
}

TEST(ConfigSchema, FindsNothingWrongWithWhatFits) {
    EXPECT_EQ(check(http, with({{"mode", "array"},
                                {"timeout_ms", 15000},
                                {"ratio", 0.5},
                                {"gzip", true},
                                {"version", 2},
                                {"headers", {{"accept", "text/plain"}}},
                                {"statuses", {400, 413}},
                                {"secret", {"old", "new"}},
                                {"wait", nullptr},
                                {"size", "10MB"}})),
              "");
    EXPECT_EQ(check(http, with({{"timeout_ms", 5.0}})), "");
    EXPECT_EQ(check("{}", {{"any", "thing"}}), "");
}

TEST(ConfigSchema, NamesTheNearestKeyForAnUnknownOne) {
    EXPECT_EQ(check(http, with({{"timout_ms", 5}})), "sink.timout_ms: unknown key; did you mean "
                                                     "sink.timeout_ms?");
}

TEST(ConfigSchema, ReportsEverythingAtOnce) {
    EXPECT_EQ(check(http, {{"gzip", "yes"}, {"mode", "batch"}}),
              "sink.url: is required\n"
              "sink.gzip: must be a boolean, not a string\n"
              "sink.mode: must be one of \"event\", \"array\", \"ndjson\", not \"batch\"");
}

TEST(ConfigSchema, SaysWhichLimitIsPassed) {
    EXPECT_EQ(check(http, with({{"timeout_ms", 0}})), "sink.timeout_ms: must be at least 1, not 0");
    EXPECT_EQ(check(http, with({{"timeout_ms", 600001}})),
              "sink.timeout_ms: must be at most 600000, not 600001");
    EXPECT_EQ(check(http, with({{"timeout_ms", 1.5}})),
              "sink.timeout_ms: must be an integer, not 1.5");
    EXPECT_EQ(check(http, with({{"ratio", 0}})), "sink.ratio: must be more than 0, not 0");
    EXPECT_EQ(check(http, with({{"ratio", 1}})), "sink.ratio: must be less than 1, not 1");
    EXPECT_EQ(check(http, with({{"statuses", json::array()}})),
              "sink.statuses: must have at least 1 item, not 0");
    EXPECT_EQ(check(http, with({{"statuses", {1, 2, 3, 4}}})),
              "sink.statuses: must have at most 3 items, not 4");
    EXPECT_EQ(check(http, with({{"url", "http://x"}})),
              "sink.url: must have at least 10 characters, not 8");
}

TEST(ConfigSchema, CountsCharactersAndNotBytes) {
    EXPECT_EQ(check(R"({"properties": {"k": {"maxLength": 2}}})", {{"k", "äö"}}), "");
    EXPECT_EQ(check(R"({"properties": {"k": {"minLength": 3}}})", {{"k", "äö"}}),
              "sink.k: must have at least 3 characters, not 2");
}

TEST(ConfigSchema, NamesPlacesInsideArraysAndMaps) {
    EXPECT_EQ(check(http, with({{"statuses", {400, "x"}}})),
              "sink.statuses[1]: must be an integer, not a string");
    EXPECT_EQ(check(http, with({{"headers", {{"accept", 5}}}})),
              "sink.headers.accept: must be a string, not a number");
}

TEST(ConfigSchema, SaysWhatWouldFitWhereSeveralFormsMay) {
    EXPECT_EQ(check(http, with({{"secret", 5}})),
              "sink.secret: fits none of the forms allowed here: must be a string, not a number; "
              "or must be "
              "an array, not a number");
    EXPECT_EQ(
        check(http, with({{"secret", {"a", 5}}})),
        "sink.secret: fits none of the forms allowed here: must be a string, not an array; or "
        "sink.secret[1] must be a string, not a number");
    EXPECT_EQ(check(http, with({{"wait", "x"}})), "sink.wait: fits none of the forms allowed here: "
                                                  "must be an integer, not a string; or must be "
                                                  "null, not a string");
    EXPECT_EQ(check(http, with({{"size", true}})),
              "sink.size: must be an integer or a string, not a boolean");
    EXPECT_EQ(check(R"({"oneOf": [{"type": "object"}, {"required": ["a"]}]})", {{"a", 1}}),
              "sink: fits several forms of which only one may fit");
}

TEST(ConfigSchema, NeverShowsAStringThatTheSchemaDoesNotList) {
    const std::string secret = "hunter2";
    for (const json &settings :
         {with({{"url", secret}}), with({{"timeout_ms", secret}}), with({{"version", secret}}),
          with({{"headers", secret}}), with({{"never", secret}}), with({{"wait", secret}}),
          with({{"statuses", {secret}}}), with({{"unknown", secret}})}) {
        const std::string text = check(http, settings);
        EXPECT_NE(text, "") << settings;
        EXPECT_EQ(text.find(secret), std::string::npos) << text;
    }
}

TEST(ConfigSchema, RefusesWhatAPatternDoesNotFind) {
    EXPECT_EQ(check(http, with({{"url", "ftp://localhost/"}})), "sink.url: must match ^https?://");
    EXPECT_EQ(check(R"({"properties": {"k": {"pattern": "b+"}}})", {{"k", "abc"}}), "");
    EXPECT_EQ(
        check(R"({"properties": {"k": {"pattern": "^(a|b)*$"}}})", {{"k", std::string(4096, 'a')}}),
        "");
    EXPECT_EQ(check(R"({"properties": {"k": {"pattern": "^(a+)+$"}}})",
                    {{"k", std::string(60, 'a') + "b"}}),
              "sink.k: must match ^(a+)+$");
    EXPECT_EQ(check(R"({"properties": {"k": {"pattern": "^(a|b)*$"}}})",
                    {{"k", std::string(1000000, 'a')}}),
              "sink.k: must not be longer than 4096 bytes");
}

TEST(ConfigSchema, ListsWhatItDoesNotCheck) {
    EXPECT_EQ(schema_warnings(json::parse(http)), std::vector<std::string>{});
    const auto warnings = schema_warnings(json::parse(R"({
        "title": "t", "properties": {"a": {"if": {}, "pattern": "("}, "b": {"items": {"multipleOf": 2}}}})"));
    ASSERT_EQ(warnings.size(), 3U);
    EXPECT_EQ(warnings[0],
              "its config_schema uses if, which this daemon does not check, at /properties/a/");
    EXPECT_EQ(warnings[1],
              "its config_schema has a pattern that cannot be checked, at /properties/a/");
    EXPECT_EQ(warnings[2], "its config_schema uses multipleOf, which this daemon does not check, "
                           "at /properties/b/items/");
}

TEST(ConfigSchema, SurvivesASchemaThatIsItselfWrong) {
    for (const char *schema :
         {R"({"type": 5})", R"({"type": []})", R"({"properties": []})", R"({"required": "a"})",
          R"({"required": [1]})", R"({"enum": 1})", R"({"minLength": "x", "pattern": 1})",
          R"({"oneOf": {}})", R"({"anyOf": []})", R"({"items": 5})",
          R"({"additionalProperties": 5})",
          R"({"properties": {"a": {"minLength": -1, "maxItems": -1, "pattern": "["}}})"})
        EXPECT_EQ(check(schema, {{"a", "text"}}), "") << schema;
}

} // namespace
} // namespace pgat::sinks
