// A plugin that crashes the whole process, under a service manager that starts it again each time.
#include <csignal>
#include <filesystem>
#include <fstream>
#include <iterator>

#include <gtest/gtest.h>

#include "system/unruly_site.hpp"

namespace pgat {
namespace {

using namespace std::chrono_literals;
using support::Daemon;
using support::eventually;
using support::numbers;
using support::occurrences;

constexpr int fault_point_status = 86;

// What a sanitizer makes of the signal is its own affair: that the process has died is what counts.
bool is_crash(int status) { return status > 128 || status == 1; }

class CrashingSink : public testing::Test {
  protected:
    // Starts the daemon again and again until it has delivered so many, or another start would be one too many. How often it
    // crashed; the last daemon still runs.
    int run_until_delivered(std::size_t count, int most_crashes, const std::string &more = "") {
        for (int crashes = 0;; ++crashes) {
            daemon = std::make_unique<Daemon>(site.configuration(more));
            if (eventually(
                    [&] { return !daemon->running() || site.delivered_once().size() >= count; }) &&
                daemon->running())
                return crashes;
            const int status = daemon->wait(0ms).value_or(-1);
            daemon->wait_for_end_of_output();
            log += daemon->err();
            if (!is_crash(status) || crashes == most_crashes) return -1;
        }
    }
    std::string dead_letters() {
        const auto found = site.exec(
            "SELECT coalesce(string_agg(format('%s %s %s', payload->>'n', attempts, reason), E'\n'"
            " ORDER BY event_id), '') FROM async_triggers.dead_letters WHERE stream_id = $1",
            {site.stream()});
        return std::string(found.text(0, 0));
    }
    std::string counted() {
        return std::string(site.exec("SELECT coalesce(sum(crashes), 0) FROM"
                                     " async_triggers.crashed_events WHERE stream_id = $1",
                                     {site.stream()})
                               .text(0, 0));
    }
    void crash(const std::string &more = "") {
        Daemon once(site.configuration(more));
        EXPECT_TRUE(is_crash(once.wait().value_or(-1))) << once.err();
        once.wait_for_end_of_output();
        log += once.err();
    }
    // Beside the configuration.
    std::filesystem::path marker() {
        return site.configuration().parent_path() /
               ("crash-stream-" + std::to_string(site.stream()));
    }
    std::vector<std::int64_t> all_but(std::int64_t last, std::int64_t bad) const {
        auto all = numbers(1, last);
        all.erase(all.begin() + bad - 1);
        return all;
    }

    UnrulySite site;
    std::unique_ptr<Daemon> daemon;
    std::string log;
};

TEST_F(CrashingSink, EndsWithThatEventInTheDeadLettersAndTheStreamGoesOn) {
    site.write_at_once(1, 40, 17, "segv");
    // The first time it is not known which of them it was; then three times.
    EXPECT_LE(run_until_delivered(39, 4), 4) << log;
    ASSERT_TRUE(daemon->running()) << log;
    EXPECT_EQ(site.delivered_once(), all_but(40, 17)) << log;
    EXPECT_EQ(dead_letters(), "17 3 the sink crashed: SIGSEGV in unruly.so publish()");
    EXPECT_NE(log.find("the plugin unruly.so crashed: SIGSEGV in publish()"), log.npos) << log;
    EXPECT_NE(log.find("the last run was ended by a crash of the plugin"), log.npos) << log;
    ASSERT_TRUE(daemon->wait_until_streaming()) << daemon->err();
    site.write(41);
    ASSERT_TRUE(site.delivers(40)) << daemon->err();
    EXPECT_TRUE(eventually([&] { return counted() == "0"; })) << "nothing is kept of it";
    EXPECT_EQ(daemon->stop(), 0) << daemon->err();
    EXPECT_FALSE(std::filesystem::exists(marker()));
}

TEST_F(CrashingSink, ThatGivesItsVerdictsAtTheEndLosesNoInnocentEvent) {
    site.sink_option("verdicts", "at_end");
    site.write_at_once(1, 40, 17, "abort");
    EXPECT_GE(run_until_delivered(39, 4), 1) << log;
    EXPECT_EQ(site.delivered_once(), all_but(40, 17)) << log;
    EXPECT_EQ(dead_letters(), "17 3 the sink crashed: SIGABRT in unruly.so publish()");
    EXPECT_EQ(daemon->stop(), 0) << daemon->err();
}

TEST_F(CrashingSink, OnAThreadOfItsOwnChargesTheEventInHand) {
    site.write_at_once(1, 5, 3, "thread");
    EXPECT_GE(run_until_delivered(4, 4), 1) << log;
    EXPECT_EQ(site.delivered_once(), all_but(5, 3)) << log;
    EXPECT_EQ(dead_letters(), "3 3 the sink crashed: SIGSEGV in a thread of unruly.so publish()");
    EXPECT_EQ(daemon->stop(), 0) << daemon->err();
}

TEST_F(CrashingSink, IsNamedByItsSignal) {
    for (const auto &[how, name] :
         {std::pair{"bus", "SIGBUS"}, {"fpe", "SIGFPE"}, {"ill", "SIGILL"}, {"stack", "SIGSEGV"}}) {
        UnrulySite own;
        own.write(1, how);
        Daemon once(own.configuration());
        EXPECT_TRUE(is_crash(once.wait().value_or(-1))) << once.err();
        once.wait_for_end_of_output();
        EXPECT_NE(once.err().find("the plugin unruly.so crashed: " + std::string(name) +
                                  " in publish(), the first event without a verdict was "),
                  std::string::npos)
            << how << ": " << once.err();
    }
}

TEST_F(CrashingSink, WithBlockIsInFailoverAndTriedAgainAtItsPace) {
    const std::string block = "  on_rejected: block\n  retry: {max_backoff_ms: 600000}\n";
    site.write_at_once(1, 3, 2, "segv");
    for (int i = 0; i < 3; ++i)
        crash(block);
    Daemon next(site.configuration(block));
    ASSERT_TRUE(next.wait_for_err("the sink is down")) << log << next.err();
    EXPECT_TRUE(next.running());
    EXPECT_EQ(site.delivered_once(), numbers(1, 1));
    EXPECT_EQ(dead_letters(), "");
    EXPECT_TRUE(eventually([&] {
        return site.exec("SELECT failover_reason FROM async_triggers.streams WHERE id = $1",
                         {site.stream()})
                   .text(0, 0) == "the sink crashed: SIGSEGV in unruly.so publish()";
    }));
    EXPECT_EQ(next.stop(), 0) << next.err();
}

TEST_F(CrashingSink, ThatIsKilledChargesNobody) {
    std::ofstream(site.while_there()) << "";
    site.write(1);
    site.write(2, "hang_while");
    for (int i = 0; i < 4; ++i) {
        Daemon once(site.configuration());
        ASSERT_TRUE(once.wait_for_err("hanging")) << once.err();
        once.signal(i % 2 == 0 ? SIGKILL : SIGABRT); // as by the kernel, and as by a watchdog
        once.wait();
    }
    std::filesystem::remove(site.while_there());
    EXPECT_EQ(run_until_delivered(2, 0), 0) << log;
    EXPECT_EQ(dead_letters(), "");
    EXPECT_EQ(counted(), "0");
    EXPECT_EQ(daemon->stop(), 0) << daemon->err();
}

TEST_F(CrashingSink, InCreateChargesNobodyAndIsNamedAtTheNextStart) {
    site.write(1);
    site.sink_option("create", "segv");
    crash();
    EXPECT_NE(log.find("the plugin unruly.so crashed: SIGSEGV in create()"), log.npos) << log;
    site.sink_option("create", "");
    EXPECT_EQ(run_until_delivered(1, 0), 0) << log;
    EXPECT_NE(daemon->err().find("SIGSEGV in unruly.so create()"), std::string::npos)
        << daemon->err();
    EXPECT_EQ(counted(), "0");
    EXPECT_EQ(daemon->stop(), 0) << daemon->err();
}

// Half written, of another plugin, of an event that is delivered, of another stream: each is said, and ignored.
TEST_F(CrashingSink, LeavesAMarkerThatIsIgnoredWhereItMakesNoSense) {
    site.write(1);
    EXPECT_EQ(run_until_delivered(1, 0), 0) << log;
    EXPECT_EQ(daemon->stop(), 0) << daemon->err();
    const auto id = std::string(
        site.exec("SELECT uid || '-' || e.id || '-' ||"
                  " (extract(epoch FROM e.created_at) * 1000000)::bigint"
                  " FROM async_triggers.streams s, async_triggers.events e WHERE s.id = $1",
                  {site.stream()})
            .text(0, 0));
    const auto text = [&](const std::string &plugin, const std::string &event) {
        return "postgres-async-triggers crash 1\nstream " + std::to_string(site.stream()) +
               "\ntoken 1\nplugin " + plugin + "\nsignal SIGSEGV\nfunction publish\nevent " +
               event + "\nthrough 1\nend\n";
    };
    const auto whole = text("unruly.so", id);
    for (const auto &[content, said] :
         {std::pair{whole.substr(0, whole.size() - 4), "is not whole"},
          {std::string("\0\xff\n\n", 4), "is not whole"},
          {text("other.so", id), "of another stream or plugin"},
          {text("unruly.so", "0-1-2"), "of another stream or plugin"},
          {text("unruly.so", "x"), "of another stream or plugin"},
          {whole, "needs no delivery any more"}}) {
        std::ofstream(marker(), std::ios::binary) << content;
        Daemon next(site.configuration());
        EXPECT_TRUE(next.wait_for_err(said)) << content << next.err();
        ASSERT_TRUE(next.wait_until_streaming()) << next.err();
        EXPECT_EQ(next.stop(), 0) << next.err();
        EXPECT_EQ(counted(), "0");
        EXPECT_FALSE(std::filesystem::exists(marker()));
    }
}

// The daemon dies once more, right before or after the crash is counted: it counts once.
TEST_F(CrashingSink, IsCountedOnceThoughTheNextStartDiesToo) {
    site.write(1, "segv");
    crash();
    for (const char *point : {"crash_counting", "crash_counted", "crash_counted"}) {
        Daemon next(site.configuration(), {{"PGAT_FAULT_POINT", point}});
        ASSERT_EQ(next.wait(), fault_point_status) << next.err();
    }
    EXPECT_EQ(counted(), "1");
}

TEST_F(CrashingSink, ThatCrashesAtEveryEventIsBrokenAndGivesUpFew) {
    site.write_at_once(1, 10);
    site.exec("UPDATE async_triggers.events SET payload = payload || '{\"do\": \"segv\"}'");
    for (int i = 0; i < 13; ++i) {
        Daemon once(site.configuration("  retry: {max_backoff_ms: 600000}\n"));
        if (!once.wait_for_err("the sink is down")) {
            ASSERT_TRUE(is_crash(once.wait().value_or(-1))) << once.err();
            continue;
        }
        EXPECT_EQ(once.stop(), 0) << once.err();
        break;
    }
    EXPECT_EQ(occurrences(dead_letters(), "the sink crashed"), 3U) << dead_letters();
}

} // namespace
} // namespace pgat
