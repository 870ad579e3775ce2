#include "outbox/report/findings.hpp"

#include <algorithm>
#include <set>

#include <gtest/gtest.h>

#include "outbox/report/report_json.hpp"

namespace pgat::outbox {
namespace {

constexpr std::int64_t second = 1'000'000;
constexpr Timestamp now(1'790'000'000 * second);

Timestamp ago(std::int64_t seconds) { return Timestamp(now.value() - seconds * second); }

class FindingsTest : public testing::Test {
  protected:
    // A stream with which all is well.
    FindingsTest() {
        report.stream = StreamId(1);
        report.server = {"17.2", "shop", false, now, Lsn(1000)};
        report.schema = report.newest_schema = 8;
        report.row = StreamRowReport{};
        report.row->generation = 3;
        report.row->updated_at = ago(1);
        SlotReport slot;
        slot.slot.name = request.slot_name;
        slot.slot.slot_type = "logical";
        slot.slot.plugin = "pgoutput";
        slot.slot.database = "shop";
        slot.slot.active = true;
        slot.slot.confirmed_flush = slot.slot.restart = Lsn(900);
        slot.slot.wal_status = "reserved";
        slot.reader = "async_triggers_1_2_00000000";
        report.slot = slot;
        report.publication = true;
        report.daemons = {{slot.reader, "", ago(60), true}};
        report.partitions = PartitionsReport{};
        report.partitions->today = true;
        report.partitions->days_ahead = 3;
        report.dead_letters = DeadLettersReport{};
        report.subscriptions = report.subscribed_tables = 1;
    }

    void take_daemon_away() {
        report.daemons.clear();
        report.slot->slot.active = false;
        report.slot->reader.clear();
    }
    std::string codes() const {
        std::string all;
        for (const auto &finding : findings_of(report, request, problems))
            all +=
                (finding.severity == Severity::notice ? "(" + finding.code + ")" : finding.code) +
                " ";
        return all;
    }
    Finding only() const {
        const auto found = findings_of(report, request, problems);
        EXPECT_EQ(found.size(), 1U) << codes();
        return found.empty() ? Finding{} : found.front();
    }

    StreamReport report;
    ReportRequest request{StreamId(1), "async_triggers_stream_1"};
    std::vector<SubscriptionProblem> problems;
};

TEST_F(FindingsTest, AreNoneWhereAllIsWell) { EXPECT_EQ(codes(), ""); }

TEST_F(FindingsTest, ComeTheWorstFirst) {
    report.subscriptions = 0;
    report.partitions->default_rows = 3;
    problems = {{StreamId(1), "signup", "trigger async_triggers_insert on users is missing", "x;"}};
    report.row->outage = Outage{ago(60), "refused", 12, ago(-5)};
    EXPECT_EQ(codes(), "sink_down trigger_broken (no_subscriptions) (default_partition) ");
}

TEST_F(FindingsTest, TellAnOutageFromItsEndAndFromADaemonThatHangs) {
    report.row->outage = Outage{ago(724), "refused", 12, ago(-5)};
    report.lag.events_at_least = report.lag.events_at_most = 12;
    EXPECT_EQ(only().what,
              "the sink is down for 12 min 04 s: refused; 12 events wait in the table");
    EXPECT_NE(only().remedy.front().find("tries again in 5 s"), std::string::npos);
    report.row->outage->next_attempt = ago(600);
    EXPECT_NE(only().remedy.front().find("was due 10 min 00 s ago"), std::string::npos);
    report.row->outage->next_attempt = std::nullopt;
    EXPECT_EQ(codes(), "(catching_up) ");
    take_daemon_away();
    EXPECT_EQ(codes(), "daemon_away sink_down ");
    // What the daemon counted, where we look at no more.
    report.lag.events_at_most = 5'000'000;
    report.row->outage->waiting = 1'234'567;
    EXPECT_NE(findings_of(report, request, problems).at(1).what.find("1,234,567 events wait"),
              std::string::npos);
}

TEST_F(FindingsTest, SayOfALostSlotThatNoEventIs) {
    report.slot->slot.invalidated = true;
    report.slot->slot.invalidation_reason = "wal_removed";
    report.slot->slot.active = false;
    EXPECT_EQ(codes(), "slot_lost (starting) ");
    report.slot = std::nullopt;
    EXPECT_EQ(codes(), "slot_missing (starting) ");
    EXPECT_EQ(findings_of(report, request, problems).at(0).remedy.at(1),
              "no event is lost: what the slot had is delivered from the table");
}

TEST_F(FindingsTest, KnowWhoReadsTheSlot) {
    report.daemons.front().reads_slot = false;
    report.slot->reader = "pg_recvlogical";
    report.slot->slot.active_pid = 4711;
    EXPECT_EQ(only().code, "slot_taken");
    EXPECT_NE(only().what.find("\"pg_recvlogical\" (server process 4711)"), std::string::npos);
    // Who may not know is not told a tale.
    report.slot->reader.clear();
    EXPECT_EQ(codes(), "");
    report.slot->slot.plugin = "wal2json";
    EXPECT_EQ(codes(), "slot_of_another ");
}

TEST_F(FindingsTest, SayWhatASlotThatIsBeingCreatedWaitsFor) {
    report.slot->slot.confirmed_flush = Lsn();
    report.slot->waits_for = {"a transaction of alice"};
    EXPECT_EQ(codes(), "slot_waits (starting) ");
    EXPECT_EQ(report.state(), StreamState::starting);
}

TEST_F(FindingsTest, CallOnlyTodayAndTomorrowAlarming) {
    report.partitions->days_ahead = 2;
    report.partitions->missing = {"events_20261129"};
    EXPECT_EQ(codes(), "(partitions_missing) ");
    report.partitions->days_ahead = 0;
    EXPECT_EQ(codes(), "partitions_missing ");
    report.partitions->today = false;
    EXPECT_NE(only().what.find("today's events go into the default one"), std::string::npos);
    // Tomorrow's is there, and today's cannot be made any more.
    report.partitions->days_ahead = 3;
    report.partitions->missing = {"events_20261126"};
    EXPECT_EQ(codes(), "partitions_missing ");
    report.partitions->default_rows = 5;
    EXPECT_EQ(codes(), "(partitions_missing) ");
    EXPECT_EQ(only().remedy.front(), "nothing to do: today's events stay in the default partition");
    report.row->generation = 0;
    take_daemon_away();
    EXPECT_EQ(codes(), "(never_started) ");
}

TEST_F(FindingsTest, SayWhenEventsWaitForTooLong) {
    report.lag.events_at_least = report.lag.events_at_most = 1;
    report.lag.oldest = ago(30);
    EXPECT_EQ(codes(), "");
    report.lag.oldest = ago(90);
    EXPECT_EQ(codes(), "(slow) ");
    report.lag.oldest = ago(4 * 86400);
    EXPECT_EQ(codes(), "old_events ");
    EXPECT_EQ(only().remedy.front(),
              "none is lost: their partitions are kept, and the table grows");
    request.drop_undelivered = true;
    EXPECT_NE(only().remedy.front().find("drop_undelivered"), std::string::npos);
}

TEST_F(FindingsTest, NameTheWalThatADaemonAwayHoldsOnTheDisk) {
    take_daemon_away();
    EXPECT_EQ(only().what.find("WAL"), std::string::npos);
    report.slot->wal_held = std::uint64_t{3} << 30;
    EXPECT_NE(only().what.find("its slot holds 3.0 GB of WAL"), std::string::npos);
    report.slot->slot.wal_status = "unreserved";
    EXPECT_EQ(codes(), "daemon_away slot_in_danger ");
}

TEST_F(FindingsTest, AreToldToProgramsInTheSameWords) {
    report.dead_letters->count = 2;
    report.dead_letters->last_hour = 1;
    report.dead_letters->newest = EventId(7);
    report.dead_letters->newest_at = ago(5);
    report.dead_letters->newest_reason = "not \xff utf-8";
    const auto findings = findings_of(report, request, problems);
    EXPECT_FALSE(healthy(findings));
    const auto json = nlohmann::json::parse(dump(to_json(report, findings)));
    EXPECT_EQ(json.at("findings").at(0).at("code"), "dead_letters");
    EXPECT_EQ(json.at("healthy"), false);
    EXPECT_EQ(json.at("dead_letters").at("newest_event_id"), 7);
    EXPECT_EQ(json.at("slot").at("confirmed_flush_lsn"), "0/384");
}

} // namespace
} // namespace pgat::outbox
