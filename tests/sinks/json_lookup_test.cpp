// What a plugin gets when it asks for a part of a JSON document.
#include <cstdlib>
#include <map>
#include <random>
#include <string>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>
#include <pgat/sink.h>

#include "sinks/json_lookup.hpp"

namespace pgat::sinks {
namespace {

struct Found {
    std::int32_t kind;
    std::string text;
    bool operator==(const Found &) const = default;
};

void PrintTo(const Found &found, std::ostream *out) { *out << found.kind << " " << found.text; }

const Found missing{PGAT_JSON_MISSING, ""};
const Found invalid{PGAT_JSON_INVALID, ""};

class JsonLookupTest : public testing::TestWithParam<Lifetime> {
  protected:
    Found get(std::string_view document, std::string_view pointer) {
        std::string_view text;
        const auto kind = lookup.get(document, GetParam(), pointer, text);
        return {kind, std::string(text)};
    }

    JsonLookup lookup;
};

INSTANTIATE_TEST_SUITE_P(, JsonLookupTest, testing::Values(Lifetime::passing, Lifetime::lasting),
                         [](const auto &one) {
                             return one.param == Lifetime::passing ? "Passing" : "Lasting";
                         });

TEST_P(JsonLookupTest, NumbersComeOutAsWritten) {
    for (const char *number :
         {"123456789012345678901234567890", "12345678901234567890.123456789", "-0", "0.10", "1e400",
          "1E-7", "-1.5e+300000", "0", "9223372036854775808"}) {
        const std::string document =
            std::string(R"({"a": [ )") + number + R"( , 1], "z": )" + number + " }";
        EXPECT_EQ(get(document, "/a/0"), (Found{PGAT_JSON_NUMBER, number}));
        EXPECT_EQ(get(document, "/z"), (Found{PGAT_JSON_NUMBER, number}));
        EXPECT_EQ(get(number, ""), (Found{PGAT_JSON_NUMBER, number}));
    }
}

TEST_P(JsonLookupTest, StringsComeOutUnescaped) {
    const std::string document =
        R"({"s": "a\"b\\c\/d\n\t\b\f\r é\u00e9 \ud83d\ude00 \u0041", "plain": "p", "empty": ""})";
    EXPECT_EQ(get(document, "/s"),
              (Found{PGAT_JSON_STRING, "a\"b\\c/d\n\t\b\f\r éé \xF0\x9F\x98\x80 A"}));
    EXPECT_EQ(get(document, "/plain"), (Found{PGAT_JSON_STRING, "p"}));
    EXPECT_EQ(get(document, "/empty"), (Found{PGAT_JSON_STRING, ""}));
    EXPECT_EQ(get(R"("root\u0021")", ""), (Found{PGAT_JSON_STRING, "root!"}));
}

TEST_P(JsonLookupTest, OtherKindsComeOutAsTheyStandInTheDocument) {
    const std::string document =
        R"( {"o": {"x" : [1,  2]} , "a": [ ], "t": true, "f":false,"n": null } )";
    EXPECT_EQ(get(document, "/o"), (Found{PGAT_JSON_OBJECT, R"({"x" : [1,  2]})"}));
    EXPECT_EQ(get(document, "/o/x"), (Found{PGAT_JSON_ARRAY, "[1,  2]"}));
    EXPECT_EQ(get(document, "/a"), (Found{PGAT_JSON_ARRAY, "[ ]"}));
    EXPECT_EQ(get(document, "/t"), (Found{PGAT_JSON_BOOL, "true"}));
    EXPECT_EQ(get(document, "/f"), (Found{PGAT_JSON_BOOL, "false"}));
    EXPECT_EQ(get(document, "/n"), (Found{PGAT_JSON_NULL, "null"}));
    EXPECT_EQ(get(document, "").text, document.substr(1, document.size() - 2));
    EXPECT_EQ(get(" true ", ""), (Found{PGAT_JSON_BOOL, "true"}));
    EXPECT_EQ(get("[]", ""), (Found{PGAT_JSON_ARRAY, "[]"}));
}

// The table of RFC 6901, section 5.
TEST_P(JsonLookupTest, FollowsThePointersOfTheStandard) {
    const std::string document = R"({"foo": ["bar", "baz"], "": 0, "a/b": 1, "c%d": 2, "e^f": 3,
                                     "g|h": 4, "i\\j": 5, "k\"l": 6, " ": 7, "m~n": 8})";
    const std::map<std::string, std::string> answers{
        {"/foo/0", "bar"}, {"/", "0"},     {"/a~1b", "1"}, {"/c%d", "2"}, {"/e^f", "3"},
        {"/g|h", "4"},     {"/i\\j", "5"}, {"/k\"l", "6"}, {"/ ", "7"},   {"/m~0n", "8"}};
    for (const auto &[pointer, text] : answers)
        EXPECT_EQ(get(document, pointer).text, text) << pointer;
    EXPECT_EQ(get(document, "/foo"), (Found{PGAT_JSON_ARRAY, R"(["bar", "baz"])"}));
    EXPECT_EQ(get(R"({"~1": 5, "/": 6})", "/~01"), (Found{PGAT_JSON_NUMBER, "5"}));
    EXPECT_EQ(get(R"({"a\u0062": 5})", "/ab"), (Found{PGAT_JSON_NUMBER, "5"}));
}

TEST_P(JsonLookupTest, WhatLeadsNowhereIsMissing) {
    const std::string document = R"({"a": [1, {"b": 2}], "s": "x"})";
    for (const char *pointer :
         {"/b", "/a/2", "/a/-", "/a/01", "/a/ 1", "/a/+1", "/a/1/c", "/s/x", "/s/",
          "/a/99999999999999999999", "a", "/a~2", "/~", "//a", "/a/1/b/"})
        EXPECT_EQ(get(document, pointer), missing) << pointer;
    EXPECT_EQ(get("17", "/a"), missing);
    EXPECT_EQ(get("{}", "/"), missing);
    EXPECT_EQ(get("[]", "/0"), missing);
}

TEST_P(JsonLookupTest, BrokenDocumentsAreInvalidWhereTheyAreRead) {
    for (const char *document :
         {"", "   ", "nonsense", "{\"a\": ", "{\"a\": 1x}", "{\"a\" 1}", "{\"a\": tru}",
          "{\"a\": 01}", "{\"a\": \"\\x\"}", "{\"a\": 1.}", "{\"a\": -}", "{\"a\": \"\xFF\"}",
          "{\"a\": \"open", "{a: 1}", "{\"a\": .5}", "{\"a\": +1}", "{\"a\": 1e}"})
        for (int i = 0; i < 2; ++i)
            EXPECT_EQ(get(document, "/a"), invalid) << document;
}

TEST_P(JsonLookupTest, GoesFromDocumentToDocumentAndBack) {
    const std::string payload = R"({"a": 1, "b": {"c": "x"}})";
    const std::string metadata = R"({"topic": "t"})";
    const std::string third = R"({"a": 3})";
    for (int i = 0; i < 3; ++i) {
        EXPECT_EQ(get(payload, "/b/c").text, "x");
        EXPECT_EQ(get(metadata, "/topic").text, "t");
        EXPECT_EQ(get(payload, "/a").text, "1");
        EXPECT_EQ(get(third, "/a").text, "3");
    }
}

TEST_P(JsonLookupTest, AnswersStayUntilCleared) {
    const std::string first = R"({"a": "one\n", "b": [1]})";
    const std::string second = R"({"a": "two\n", "b": [2]})";
    std::string_view a;
    std::string_view b;
    lookup.get(first, GetParam(), "/a", a);
    lookup.get(first, GetParam(), "/b", b);
    std::string_view other;
    for (int i = 0; i < 1000; ++i) {
        lookup.get(second, GetParam(), "/a", other);
        lookup.get(first, GetParam(), "", other);
    }
    EXPECT_EQ(a, "one\n");
    EXPECT_EQ(b, "[1]");
}

TEST_P(JsonLookupTest, TakesNoAnswerFromBeforeItWasCleared) {
    std::string document = R"({"a": 1})";
    EXPECT_EQ(get(document, "/a").text, "1");
    lookup.clear();
    document[6] = '2'; // same place, same length
    EXPECT_EQ(get(document, "/a").text, "2");
}

TEST_P(JsonLookupTest, VisitsMembersInTheirOrderUntilToldToStop) {
    const std::string document =
        R"({"o": {"x\n": 1, "y": "a\tb", "x": null}, "a": [true, [1, 2], {}]})";
    std::string seen;
    const auto record = [&](std::string_view key, std::int32_t kind, std::string_view text) {
        seen += std::string(key) + "=" + std::to_string(kind) + ":" + std::string(text) + ";";
        return 0;
    };
    EXPECT_EQ(lookup.each(document, GetParam(), "/o", record), PGAT_JSON_OBJECT);
    EXPECT_EQ(seen, "x\n=3:1;y=4:a\tb;x=1:null;");
    seen.clear();
    EXPECT_EQ(lookup.each(document, GetParam(), "/a", record), PGAT_JSON_ARRAY);
    EXPECT_EQ(seen, "=2:true;=5:[1, 2];=6:{};");
    seen.clear();
    EXPECT_EQ(lookup.each("[7, 8]", GetParam(), "", record), PGAT_JSON_ARRAY);
    EXPECT_EQ(seen, "=3:7;=3:8;");
    int count = 0;
    lookup.each(document, GetParam(), "/a", [&](auto, auto, auto) { return ++count == 2 ? 1 : 0; });
    EXPECT_EQ(count, 2);

    seen.clear();
    EXPECT_EQ(lookup.each(document, GetParam(), "/o/y", record), PGAT_JSON_STRING);
    EXPECT_EQ(lookup.each(document, GetParam(), "/none", record), PGAT_JSON_MISSING);
    EXPECT_EQ(lookup.each("5", GetParam(), "", record), PGAT_JSON_NUMBER);
    EXPECT_EQ(lookup.each("{", GetParam(), "", record), PGAT_JSON_INVALID);
    EXPECT_EQ(seen, "");
}

TEST_P(JsonLookupTest, ReadsADocumentOf64Megabytes) {
    std::string document = R"({"first": 1, "body": ")";
    document.append(std::size_t{64} << 20, 'x');
    document += R"(", "list": [1, 2, 3], "last": "end"})";
    EXPECT_EQ(get(document, "/last").text, "end");
    EXPECT_EQ(get(document, "/list/2").text, "3");
    EXPECT_EQ(get(document, "/body").text.size(), std::size_t{64} << 20);
    lookup.clear();
    EXPECT_EQ(get(R"({"a": 1})", "/a").text, "1");
}

TEST_P(JsonLookupTest, ReadsNestingDeeperThanPostgresWrites) {
    constexpr std::size_t depth = 900;
    std::string document;
    std::string pointer;
    for (std::size_t i = 0; i < depth; ++i) {
        document += R"({"a":)";
        pointer += "/a";
    }
    document += "1";
    document.append(depth, '}');
    EXPECT_EQ(get(document, pointer), (Found{PGAT_JSON_NUMBER, "1"}));
}

TEST(JsonLookup, ChecksAllOfAPassingDocument) {
    JsonLookup lookup;
    std::string_view text;
    for (const char *document :
         {R"({"a": 1, "b": 01})", R"({"a": 1} x)", R"({"a": 1}})", R"({"a": 1, "b": [1, 2})",
          R"({"a": 1, "b": "\q"})", R"({"a": 1, "b": {"c": nul}})", R"({"a": 1,})",
          R"({"a": 1, "b"})", "1 2", "\"a\" \"b\"", "true false", "[1] [2]"})
        EXPECT_EQ(lookup.get(document, Lifetime::passing, "/a", text), PGAT_JSON_INVALID)
            << document;
}

TEST(JsonLookup, AgreesWithAnotherParserOnRandomDocuments) {
    std::mt19937 random(20261122);
    const auto pick = [&](unsigned n) { return static_cast<unsigned>(random() % n); };
    const std::vector<std::string> keys{"a", "b/c", "~", "ü", "\"", "\\", "", "0", "1"};
    const auto make = [&](auto &self, int depth) -> nlohmann::json {
        switch (depth > 4 ? pick(4) : pick(6)) {
        case 0:
            return nullptr;
        case 1:
            return pick(2) == 0;
        case 2:
            return static_cast<int>(pick(2000)) - 1000;
        case 3:
            return std::string(pick(70), 'q') + keys[pick(9)];
        case 4: {
            nlohmann::json array = nlohmann::json::array();
            for (unsigned n = pick(5); n > 0; --n)
                array.push_back(self(self, depth + 1));
            return array;
        }
        default: {
            nlohmann::json object = nlohmann::json::object();
            for (unsigned n = pick(5); n > 0; --n)
                object[keys[pick(9)]] = self(self, depth + 1);
            return object;
        }
        }
    };
    JsonLookup lookup;
    for (int round = 0; round < 2000; ++round) {
        const nlohmann::json value = make(make, 0);
        const std::string document = value.dump(round % 2 == 0 ? -1 : 2);
        const nlohmann::json flat = value.flatten();
        for (const auto &[pointer, leaf] : flat.items()) {
            if (!value.is_structured()) continue;
            const nlohmann::json &expected = value.at(nlohmann::json::json_pointer(pointer));
            for (const Lifetime lifetime : {Lifetime::passing, Lifetime::lasting}) {
                std::string_view text;
                const auto kind = lookup.get(document, lifetime, pointer, text);
                ASSERT_GT(kind, 0) << document << " " << pointer;
                if (expected.is_string()) {
                    EXPECT_EQ(text, expected.get<std::string>());
                } else {
                    EXPECT_EQ(nlohmann::json::parse(text), expected) << document << " " << pointer;
                }
            }
        }
        lookup.clear();
    }
}

} // namespace
} // namespace pgat::sinks
