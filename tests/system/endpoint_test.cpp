// What the endpoint of a running daemon says: whether it is ready, how it is, and nothing that is nobody's business.
#include <map>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "support/http_get.hpp"
#include "system/outage_site.hpp"

namespace pgat {
namespace {

using support::Daemon;
using support::eventually;

class TheEndpoint : public testing::Test {
  protected:
    const int port = support::free_port();
    OutageSite site;
    const std::filesystem::path configuration = site.configuration();

    std::map<std::string, std::string> environment() const {
        return {{"ASYNC_TRIGGERS_OBSERVABILITY__LISTEN", "127.0.0.1:" + std::to_string(port)}};
    }
    support::HttpGot get(const std::string &path) const { return support::http_get(port, path); }
    nlohmann::json status() const {
        return nlohmann::json::parse(get("/status").body, nullptr, false);
    }
    bool becomes(const std::string &state) const {
        return eventually([&] { return status().value("state", "") == state; });
    }
    // What the finding says; empty: there is none of this code.
    std::string finding(const std::string &code) const {
        const auto found = status();
        for (const auto &each : found.value("findings", nlohmann::json::array()))
            if (each["code"] == code) return each["what"];
        return "";
    }
    bool finds(const std::string &code, const std::string &text = "") const {
        return eventually([&] {
            const auto what = finding(code);
            return !what.empty() && what.find(text) != what.npos;
        });
    }
};

TEST_F(TheEndpoint, IsReadyWhileTheStreamIsItsOwnAlsoInAnOutage) {
    Daemon daemon(configuration, environment());
    ASSERT_TRUE(daemon.wait_until_streaming()) << daemon.err();
    EXPECT_EQ(get("/readyz").status, 200);
    EXPECT_EQ(get("/readyz").body, "streaming\n");
    EXPECT_EQ(get("/healthz").status, 200);

    const int other = support::free_port();
    auto elsewhere = environment();
    elsewhere["ASYNC_TRIGGERS_OBSERVABILITY__LISTEN"] = "127.0.0.1:" + std::to_string(other);
    Daemon standby(configuration, elsewhere);
    ASSERT_TRUE(standby.wait_for_err("standing by")) << standby.err();
    EXPECT_EQ(support::http_get(other, "/readyz").status, 503);
    EXPECT_EQ(support::http_get(other, "/readyz").body, "standby\n");
    EXPECT_EQ(support::http_get(other, "/healthz").status, 200);

    site.lose_sink(1);
    EXPECT_TRUE(becomes("failover"));
    EXPECT_EQ(get("/readyz").status, 200);
    EXPECT_EQ(standby.stop(), 0);
    EXPECT_EQ(daemon.stop(), 0);
}

TEST_F(TheEndpoint, NamesTheSinkThatIsDownAndForgetsItWhenItIsBack) {
    Daemon daemon(configuration, environment());
    ASSERT_TRUE(daemon.wait_until_streaming()) << daemon.err();
    EXPECT_TRUE(eventually([&] { return status().value("healthy", false); }));
    site.lose_sink(1);
    EXPECT_TRUE(finds("sink_down", std::to_string(site.receiver.port()))) << get("/status").body;
    EXPECT_TRUE(eventually([&] { return status()["live"]["events_waiting"] == 1; }));
    EXPECT_FALSE(status()["healthy"]);
    EXPECT_FALSE(status()["log"].empty());
    site.give_sink_back();
    EXPECT_TRUE(becomes("streaming"));
    EXPECT_EQ(finding("sink_down"), "");
    EXPECT_EQ(daemon.stop(), 0);
}

TEST_F(TheEndpoint, TellsOfAWrongPasswordAndIsNotReady) {
    auto environment = this->environment();
    site.exec("ALTER ROLE " + site.role() + " PASSWORD 'the right one'");
    environment["ASYNC_TRIGGERS_STREAM__PG_CONNECTION__USERNAME"] = "nobody_has_this_name";
    environment["ASYNC_TRIGGERS_STREAM__PG_CONNECTION__PASSWORD"] = "hunter2-the-secret";
    Daemon daemon(configuration, environment);
    ASSERT_TRUE(daemon.wait_for_err("a new one follows")) << daemon.err();
    EXPECT_TRUE(finds("login_refused", "nobody_has_this_name") ||
                finds("wrong_password", "nobody_has_this_name"))
        << get("/status").body;
    EXPECT_EQ(get("/readyz").status, 503);
    for (const char *path : {"/", "/status", "/history", "/metrics", "/readyz", "/healthz"})
        EXPECT_EQ(get(path).body.find("hunter2"), std::string::npos) << path;
    EXPECT_EQ(daemon.stop(), 0);
}

TEST_F(TheEndpoint, ListsDeadLettersWithTheirReasonAndWithoutWhatTheyCarry) {
    Daemon daemon(configuration, environment());
    ASSERT_TRUE(daemon.wait_until_streaming()) << daemon.err();
    site.receiver.answer_with(422);
    site.insert_items(4711, 4712);
    EXPECT_TRUE(finds("dead_letters", "422")) << get("/status").body;
    const auto found = status();
    ASSERT_EQ(found["dead_letter_list"].size(), 2U);
    EXPECT_NE(found["dead_letter_list"][0]["reason"].get<std::string>().find("422"),
              std::string::npos);
    EXPECT_EQ(get("/status").body.find("tg_op"), std::string::npos) << "no payload";
    EXPECT_EQ(get("/status").body.find("4711"), std::string::npos) << "no payload";
    EXPECT_EQ(daemon.stop(), 0);
}

TEST_F(TheEndpoint, TellsThatTheSlotWasLost) {
    Daemon daemon(configuration, environment());
    ASSERT_TRUE(daemon.wait_until_streaming()) << daemon.err();
    site.exec("SELECT pg_terminate_backend(active_pid) FROM pg_replication_slots "
              "WHERE slot_name = $1",
              {site.slot()});
    ASSERT_TRUE(eventually([&] {
        try {
            site.exec("SELECT pg_drop_replication_slot($1)", {site.slot()});
            return true;
        } catch (const Error &) {
            return false;
        }
    }));
    EXPECT_TRUE(finds("slot_replaced")) << get("/status").body;
    EXPECT_TRUE(becomes("streaming"));
    EXPECT_EQ(daemon.stop(), 0);
}

TEST_F(TheEndpoint, NamesTheSubscriptionWhoseColumnHasGone) {
    Daemon daemon(configuration, environment());
    ASSERT_TRUE(daemon.wait_until_streaming()) << daemon.err();
    site.exec("ALTER TABLE public.items DROP COLUMN id");
    EXPECT_TRUE(finds("trigger_broken", "item-added")) << get("/status").body;
    EXPECT_EQ(status()["subscription_list"][0]["problems"].size(), 1U);
    EXPECT_EQ(daemon.stop(), 0);
}

TEST_F(TheEndpoint, KeepsTheLastHourForAPageThatIsOpenedLater) {
    Daemon daemon(configuration, environment());
    ASSERT_TRUE(daemon.wait_until_streaming()) << daemon.err();
    site.insert_items(1, 3);
    EXPECT_TRUE(eventually([&] {
        const auto history = nlohmann::json::parse(get("/history").body, nullptr, false);
        const auto &samples = history["samples"];
        return samples.size() >= 2 && samples.back()[1] == 3 && samples.back()[5] == 0;
    })) << get("/history").body;
    EXPECT_EQ(daemon.stop(), 0);
}

} // namespace
} // namespace pgat
