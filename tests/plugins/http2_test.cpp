// The http sink over HTTP/2, against nghttpd (package nghttp2-server).
#include <gtest/gtest.h>

#include "plugins/sink_under_test.hpp"
#include "support/certificate.hpp"
#include "support/cluster.hpp"
#include "support/process.hpp"
#include "support/waiting.hpp"

namespace pgat::test {

using support::Certificate;
using support::Process;

TEST(Http2, CarriesManyRequestsAtOnceOnOneConnection) {
    const std::string nghttpd = "/usr/sbin/nghttpd";
    if (!std::filesystem::exists(nghttpd)) GTEST_SKIP() << "nghttp2-server is not installed";
    const Certificate certificate;
    const std::string port = std::to_string(support::free_port());
    Process server({nghttpd, "--verbose", "--echo-upload", "--address=127.0.0.1", port,
                    certificate.key_file(), certificate.certificate_file()});
    SinkUnderTest sink("http", {{"url", "https://127.0.0.1:" + port + "/hook"},
                                {"concurrency", 20},
                                {"tls", {{"ca_file", certificate.certificate_file().string()}}}});
    ASSERT_TRUE(support::eventually([&] { return sink.probe().status == Status::ok; }))
        << server.err();

    Events events;
    events.fill(200, [](std::size_t i) { return std::to_string(i); });
    const Outcomes outcomes = sink.publish(events);
    EXPECT_EQ(outcomes.status, Status::ok) << outcomes.reason;
    EXPECT_EQ(outcomes.verdicts, verdicts(200));
    EXPECT_EQ(sink.counter("connections_total"), 1U);
    EXPECT_TRUE(server.wait_for_out("webhook-id: event-200"));
    EXPECT_NE(server.out().find(":method: POST"), std::string::npos);
}

} // namespace pgat::test
