// The http sink over TLS.
#include <gtest/gtest.h>

#include "plugins/sink_under_test.hpp"
#include "support/certificate.hpp"
#include "support/http_receiver.hpp"

namespace pgat::test {

using nlohmann::json;
using support::Certificate;
using support::HttpReceiver;

TEST(HttpTls, TrustsTheAuthorityThatIsConfigured) {
    const Certificate certificate;
    const HttpReceiver receiver({&certificate, nullptr});
    SinkUnderTest sink("http", {{"url", receiver.url("/x")},
                                {"tls", {{"ca_file", certificate.certificate_file().string()}}}});
    EXPECT_EQ(sink.probe().status, Status::ok);
    const Outcomes outcomes = sink.publish(Events().fill(20));
    EXPECT_EQ(outcomes.verdicts, verdicts(20)) << outcomes.reason;
    EXPECT_EQ(receiver.connections(), 1U);
}

TEST(HttpTls, SendsNothingToAServerItDoesNotKnow) {
    const Certificate certificate;
    const Certificate other;
    const HttpReceiver receiver({&certificate, nullptr});
    SinkUnderTest unknown("http", {{"url", receiver.url("/x")}});
    EXPECT_EQ(unknown.publish(Events().fill(1)).status, Status::unavailable);
    SinkUnderTest wrong("http", {{"url", receiver.url("/x")},
                                 {"tls", {{"ca_file", other.certificate_file().string()}}}});
    const Outcomes outcomes = wrong.publish(Events().fill(1));
    EXPECT_EQ(outcomes.status, Status::unavailable);
    EXPECT_NE(outcomes.reason.find("certificate"), std::string::npos) << outcomes.reason;
    EXPECT_EQ(wrong.probe().status, Status::unavailable);
    EXPECT_TRUE(receiver.requests().empty());
}

TEST(HttpTls, ChecksTheServersName) {
    const Certificate certificate;
    const HttpReceiver receiver({&certificate, nullptr});
    // The certificate is for localhost and 127.0.0.1; this is the same machine by another address.
    SinkUnderTest sink("http", {{"url", "https://127.0.0.2:" + std::to_string(receiver.port())},
                                {"tls", {{"ca_file", certificate.certificate_file().string()}}}});
    EXPECT_EQ(sink.publish(Events().fill(1)).status, Status::unavailable);
    EXPECT_TRUE(receiver.requests().empty());
}

TEST(HttpTls, TrustsAnybodyWhereTheUserSaysSo) {
    const Certificate certificate;
    const HttpReceiver receiver({&certificate, nullptr});
    SinkUnderTest sink("http", {{"url", receiver.url("/x")}, {"tls", {{"verify", false}}}});
    EXPECT_EQ(sink.publish(Events().fill(1)).verdicts, verdicts(1));
}

TEST(HttpTls, ShowsItsOwnCertificate) {
    const Certificate server;
    const Certificate client;
    const HttpReceiver receiver({&server, &client});
    const json trust = {{"ca_file", server.certificate_file().string()}};
    SinkUnderTest nobody("http", {{"url", receiver.url("/x")}, {"tls", trust}});
    EXPECT_EQ(nobody.publish(Events().fill(1)).status, Status::unavailable);

    json both = trust;
    both["cert_file"] = client.certificate_file().string();
    both["key_file"] = client.key_file().string();
    SinkUnderTest known("http", {{"url", receiver.url("/x")}, {"tls", both}});
    const Outcomes outcomes = known.publish(Events().fill(1));
    EXPECT_EQ(outcomes.verdicts, verdicts(1)) << outcomes.reason;
}

} // namespace pgat::test
