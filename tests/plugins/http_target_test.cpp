// The parts of the http sink that decide where a request goes and with which signature.
#include <gtest/gtest.h>

#include "http/cloudevent.hpp"
#include "http/gzip.hpp"
#include "http/signature.hpp"
#include "http/url.hpp"
#include "pgat/template.hpp"

namespace pgat::test {

using plugin::Failure;
using plugin::Template;

TEST(Template, KnowsWhatIsTheSameForEveryEvent) {
    EXPECT_TRUE(Template("").constant());
    EXPECT_EQ(Template("").prefix(), "");
    EXPECT_TRUE(Template("plain {{text}}").constant());
    EXPECT_EQ(Template("plain {{text}}").prefix(), "plain {text}");
    EXPECT_FALSE(Template("a{/b}").constant());
    EXPECT_EQ(Template("a{/b}").prefix(), "a");
    EXPECT_EQ(Template("{metadata:/b}c").prefix(), "");
}

TEST(Template, RefusesWhatIsNoPointer) {
    for (const char *text : {"{", "}", "{}", "{queue}", "{metadata:}", "{metadata:topic}", "a{/b",
                             "{payload:/a}", "{/a}}"})
        EXPECT_THROW(Template{text}, Failure) << text;
}

TEST(Template, NamesTheOptionAndNotItsText) {
    try {
        const Template text("Bearer s3cr3t {oops}", "headers.Authorization");
        FAIL();
    } catch (const Failure &failure) {
        EXPECT_EQ(failure.status(), PGAT_E_CONFIG);
        EXPECT_NE(std::string(failure.what()).find("headers.Authorization"), std::string::npos);
        EXPECT_EQ(std::string(failure.what()).find("s3cr3t"), std::string::npos);
    }
}

TEST(PercentEncoding, LeavesOnlyUnreservedCharactersAsTheyAre) {
    std::string out = "?";
    plugin::append_percent_encoded(out, "aZ09-._~/ %+&=#\x01\x7fü");
    EXPECT_EQ(out, "?aZ09-._~%2F%20%25%2B%26%3D%23%01%7F%C3%BC");
}

TEST(Url, GivesWhomToConnectTo) {
    const http::Origin plain = http::read_origin(Template("http://user:pass@h.example/x{/y}"));
    EXPECT_EQ(plain.url, "http://h.example:80");
    EXPECT_EQ(plain.host, "h.example:80");
    EXPECT_FALSE(plain.https);
    const http::Origin secure = http::read_origin(Template("https://[::1]:8443?x={/y}"));
    EXPECT_EQ(secure.url, "https://[::1]:8443");
    EXPECT_TRUE(secure.https);
}

TEST(Url, IsRefusedWhereAnEventCouldChooseTheHost) {
    for (const char *url : {"https://{/host}/", "https://h{/x}", "https://h:{/port}/", "{/url}",
                            "http{/s}://h/", "https://{/user}@h/", "h/x", "", "https://",
                            "file:///x", "https://h/#{/x}", "https://h/a b"})
        EXPECT_THROW(http::read_origin(Template(url)), Failure) << url;
}

TEST(Url, SeesSegmentsThatLeadElsewhere) {
    for (const char *url : {"https://h/..", "https://h/a/../b", "https://h/./b", "https://h/a/.?q"})
        EXPECT_TRUE(http::has_dot_segment(url)) << url;
    for (const char *url : {"https://h/", "https://h/a..b", "https://h/...", "https://h/a?b=/../c",
                            "https://h/.a/b."})
        EXPECT_FALSE(http::has_dot_segment(url)) << url;
}

TEST(Signature, IsTheOneOfTheStandardsExample) {
    // From the test of the reference libraries of Standard Webhooks.
    http::Signer signer(http::parse_signing_secrets("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"));
    std::string out;
    signer.sign("msg_p5jXN8AQM9LWM0D4loKWxJek", "1614265330", R"({"test": 2432232314})", out);
    EXPECT_EQ(out, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
}

TEST(SigningSecrets, AreReadWithOrWithoutPadding) {
    EXPECT_EQ(http::parse_signing_secrets("whsec_YWI= whsec_YWI\nplain\t"),
              (std::vector<std::string>{"ab", "ab", "plain"}));
    EXPECT_TRUE(http::parse_signing_secrets(" \n").empty());
    for (const char *bad : {"whsec_", "whsec_A", "whsec_a*b=", "whsec_YWI=YWI="})
        EXPECT_THROW(http::parse_signing_secrets(bad), Failure) << bad;
}

TEST(CloudEvent, WritesTimesAndStringsAsTheStandardsHaveThem) {
    EXPECT_EQ(http::rfc3339(0), "1970-01-01T00:00:00.000000Z");
    EXPECT_EQ(http::rfc3339(-1), "1969-12-31T23:59:59.999999Z");
    EXPECT_EQ(http::rfc3339(4102444799000001), "2099-12-31T23:59:59.000001Z");
    std::string out;
    http::append_json_string(out, "a\"b\\c\x1f\nü");
    EXPECT_EQ(out, "\"a\\\"b\\\\c\\u001f\\u000aü\"");
}

} // namespace pgat::test
