// The daemon's HTTP endpoint, asked over the network as a scraper and a browser would.
#include "observe/endpoint.hpp"

#include <atomic>

#include <gtest/gtest.h>

#include "support/http_get.hpp"

namespace pgat::observe {
namespace {

using support::http_get;

config::Observability at(const std::string &listen, std::vector<std::string> hosts = {}) {
    return {listen, std::move(hosts)};
}

TEST(Endpoint, MakesItsPagesAnewForEveryRequest) {
    std::atomic<int> made{0};
    const Endpoint endpoint(at("127.0.0.1:0"),
                            {{"/metrics", [&] {
                                  return Page{"text/plain", std::to_string(++made)};
                              }}});
    ASSERT_GT(endpoint.port(), 0);
    EXPECT_EQ(http_get(endpoint.port(), "/metrics").body, "1");
    const auto got = http_get(endpoint.port(), "/metrics");
    EXPECT_EQ(got.body, "2");
    EXPECT_EQ(got.status, 200);
    EXPECT_EQ(got.type, "text/plain");
    EXPECT_EQ(http_get(endpoint.port(), "/elsewhere").status, 404);
}

TEST(Endpoint, AnswersOnlyToHostNamesOfItsOwn) {
    const Endpoint endpoint(at("127.0.0.1:0", {"Metrics.Example"}),
                            {{"/metrics", [] {
                                  return Page{"text/plain", "1"};
                              }}});
    for (const char *host :
         {"localhost", "127.0.0.1:9464", "metrics.example", "METRICS.example:80"})
        EXPECT_EQ(http_get(endpoint.port(), "/metrics", host).status, 200) << host;
    for (const char *host :
         {"evil.example", "localhost.evil.example", "127.0.0.1.evil.example:9464"})
        EXPECT_EQ(http_get(endpoint.port(), "/metrics", host).status, 403) << host;
}

TEST(Endpoint, GoesWithoutWhereItsAddressIsTaken) {
    const auto page = [] { return Page{"text/plain", "1"}; };
    const Endpoint first(at("127.0.0.1:0"), {{"/metrics", page}});
    const Endpoint second(at("127.0.0.1:" + std::to_string(first.port())), {{"/metrics", page}});
    EXPECT_EQ(second.port(), 0);
    EXPECT_EQ(http_get(first.port(), "/metrics").status, 200);
}

TEST(Endpoint, ListensNowhereIfToldTo) {
    const Endpoint endpoint(at(""), {});
    EXPECT_EQ(endpoint.port(), 0);
}

} // namespace
} // namespace pgat::observe
