// Dead letters delivered again: what becomes of them is for the command, a real server and the real sinks to say.
#include <atomic>
#include <csignal>
#include <set>

#include "cli/dead_letters_site.hpp"

namespace pgat::cli {

namespace {

TEST_F(DeadLettersCommand, RetryDeliversInOrderAndRemovesWhatWasDelivered) {
    keep(1, 25);
    keep(3, 3, 1'000'000);
    use_http("{max_size: 10}");
    const auto finished = run({"retry", "--all"});
    EXPECT_EQ(finished.status, 0) << finished.err;
    EXPECT_EQ(finished.out,
              fmt::format("stream {}: 25 dead letters delivered and removed\n", site.stream()));
    EXPECT_EQ(received(), support::numbers(1, 25));
    EXPECT_EQ(kept(), Ids{});
    EXPECT_EQ(site.exec("SELECT FROM async_triggers.dead_letters").rows(), 1);
    const auto uid =
        site.exec("SELECT uid FROM async_triggers.streams WHERE id = $1", {site.stream()});
    // 2026-11-22 08:00:01.5 UTC
    EXPECT_EQ(receiver.requests()[0].header("webhook-id"),
              std::string(uid.text(0, 0)) + "-1-1795334401500000");
    EXPECT_EQ(run({"retry", "--all"}).out, "no dead letters to retry\n");
}

TEST_F(DeadLettersCommand, RetryOfSomeLeavesTheOthers) {
    keep(1, 9);
    const auto finished = run({"retry", "7", "2"});
    EXPECT_EQ(finished.status, 0) << finished.err;
    EXPECT_EQ(received(), (Ids{2, 7}));
    EXPECT_EQ(kept(), (Ids{1, 3, 4, 5, 6, 8, 9}));
    const auto missing = run({"retry", "1", "2"});
    EXPECT_EQ(missing.status, 1);
    EXPECT_NE(missing.err.find("has no dead letter 2; nothing was done"), std::string::npos)
        << missing.err;
    EXPECT_EQ(received().size(), 2U);
}

TEST_F(DeadLettersCommand, RetryKeepsWhatFailsAgainWithTheNewReason) {
    keep(1, 30);
    // More in a row than it takes for a sink to be given up elsewhere.
    receiver.answer_with([](const HttpRequest &request) {
        const auto n = number_in(request);
        return HttpAnswer{n <= 10 ? 500 : n <= 20 ? 400 : 200, {}, {}};
    });
    const auto finished = run({"retry", "--all", "--json"});
    EXPECT_EQ(finished.status, 1) << finished.err;
    const auto outcome = nlohmann::json::parse(finished.out);
    EXPECT_EQ(outcome["delivered"], 10);
    EXPECT_EQ(outcome["failed"], 20);
    EXPECT_EQ(outcome["not_tried"], 0);
    EXPECT_TRUE(outcome["stopped"].is_null());
    EXPECT_EQ(kept(), support::numbers(1, 20));
    EXPECT_EQ(received(), support::numbers(1, 30));
    const auto rows = site.exec("SELECT min(attempts), max(attempts), count(*) FILTER (WHERE"
                                " reason LIKE '%500%'), count(*) FILTER (WHERE reason LIKE"
                                " '%400%'), min(failed_at) > now() - interval '50 s'"
                                " FROM async_triggers.dead_letters");
    EXPECT_EQ(rows.integer(0, 0), 3);
    EXPECT_EQ(rows.integer(0, 1), 3);
    EXPECT_EQ(rows.integer(0, 2), 10);
    EXPECT_EQ(rows.integer(0, 3), 10);
    EXPECT_TRUE(rows.boolean(0, 4));

    const auto text = run({"retry", "5", "15"});
    EXPECT_EQ(text.status, 1);
    EXPECT_NE(text.out.find("2 failed again and stay:\n  5: "), std::string::npos) << text.out;
}

TEST_F(DeadLettersCommand, RetryWaitsForASinkThatComesBack) {
    keep(1, 5);
    std::atomic<int> calls{0};
    receiver.answer_with([&](const HttpRequest &) {
        return HttpAnswer{++calls <= 2 ? 503 : 200, {}, {}};
    });
    const auto finished = run({"retry", "--all"});
    EXPECT_EQ(finished.status, 0) << finished.err;
    EXPECT_EQ(kept(), Ids{});
    EXPECT_NE(finished.err.find("it is asked again"), std::string::npos) << finished.err;
}

TEST_F(DeadLettersCommand, RetryGivesUpOnASinkThatStaysAway) {
    keep(1, 5);
    receiver.stop();
    const auto finished = run({"retry", "1", "3", "5"});
    EXPECT_EQ(finished.status, 1) << finished.err;
    EXPECT_NE(finished.out.find("0 dead letters delivered"), std::string::npos) << finished.out;
    EXPECT_NE(finished.out.find("3 not tried: the sink takes no events: "), std::string::npos)
        << finished.out;
    EXPECT_NE(finished.out.find(fmt::format("To go on: postgres-async-triggers --config {} "
                                            "dead-letters retry 1 3 5\n",
                                            configuration.string())),
              std::string::npos)
        << finished.out;
    EXPECT_EQ(kept(), support::numbers(1, 5));
    EXPECT_EQ(site.exec("SELECT FROM async_triggers.dead_letters WHERE attempts <> 2").rows(), 0);
}

TEST_F(DeadLettersCommand, TwoRetriesDoNotDeliverTheSameTwice) {
    keep(1, 3);
    Gate gate;
    receiver.answer_with([&](const HttpRequest &) {
        gate.wait();
        return HttpAnswer{};
    });
    Process first = start({"retry", "--all"});
    ASSERT_TRUE(receiver.wait_for(1)) << first.err();
    const auto second = run({"retry", "--all"});
    EXPECT_EQ(second.status, 1);
    EXPECT_NE(second.err.find("another command works the dead letters of stream"),
              std::string::npos)
        << second.err;
    EXPECT_EQ(run({"discard", "--all", "--yes"}).status, 1);
    // No transaction is open while the sink takes its time.
    EXPECT_EQ(site.exec("SELECT FROM pg_stat_activity WHERE application_name LIKE '%dead-letters%'"
                        " AND (xact_start IS NOT NULL OR backend_xmin IS NOT NULL)")
                  .rows(),
              0);
    gate.open();
    EXPECT_EQ(first.wait(), 0) << first.err();
    EXPECT_EQ(received(), (Ids{1, 2, 3}));
}

TEST_F(DeadLettersCommand, RetryStopsAfterTheBatchInHand) {
    keep(1, 6);
    use_http("{max_size: 2}");
    Gate gate;
    receiver.answer_with([&](const HttpRequest &request) {
        if (number_in(request) == 3) gate.wait();
        return HttpAnswer{};
    });
    Process retry = start({"retry", "--all"});
    ASSERT_TRUE(receiver.wait_for(3)) << retry.err();
    retry.signal(SIGINT);
    ASSERT_TRUE(retry.wait_for_err("stopping")) << retry.err();
    gate.open();
    EXPECT_EQ(retry.wait(), 1) << retry.err();
    retry.wait_for_end_of_output();
    EXPECT_EQ(kept(), (Ids{5, 6})) << retry.out();
    EXPECT_NE(retry.out().find("2 not tried: interrupted\nTo go on: "), std::string::npos)
        << retry.out();
    EXPECT_EQ(received(), (Ids{1, 2, 3, 4}));
}

TEST_F(DeadLettersCommand, KilledBetweenDeliveryAndRemovalNothingIsLost) {
    keep(1, 6);
    use_http("{max_size: 3}");
    Process killed = start({"retry", "--all"}, {{"PGAT_FAULT_POINT", "letters_removing:2"}});
    EXPECT_EQ(killed.wait(), 86) << killed.err();
    EXPECT_EQ(received(), support::numbers(1, 6));
    EXPECT_EQ(kept(), (Ids{4, 5, 6}));
    EXPECT_EQ(run({"retry", "--all"}).status, 0);
    EXPECT_EQ(received(), (Ids{1, 2, 3, 4, 5, 6, 4, 5, 6}));
    EXPECT_EQ(kept(), Ids{});
}

TEST_F(DeadLettersCommand, KilledAfterARemovalNothingComesTwice) {
    keep(1, 6);
    use_http("{max_size: 3}");
    Process killed = start({"retry", "--all"}, {{"PGAT_FAULT_POINT", "letters_removed"}});
    EXPECT_EQ(killed.wait(), 86) << killed.err();
    EXPECT_EQ(kept(), (Ids{4, 5, 6}));
    EXPECT_EQ(run({"retry", "--all"}).status, 0);
    EXPECT_EQ(received(), support::numbers(1, 6));
}

TEST_F(DeadLettersCommand, KilledInTheMiddleNothingIsLost) {
    keep(1, 500);
    use_http("{max_size: 20}");
    for (std::size_t enough = 50; !kept().empty(); enough += 50) {
        Process retry = start({"retry", "--all"});
        receiver.wait_for(enough, std::chrono::seconds(2));
        retry.signal(SIGKILL);
        retry.wait();
        // Its session, and with it the letters, are free once the server has noticed.
        ASSERT_TRUE(support::eventually([&] {
            return site.exec("SELECT FROM pg_stat_activity WHERE application_name LIKE"
                             " '%dead-letters%'")
                       .rows() == 0;
        }));
    }
    const auto all = received();
    EXPECT_EQ(std::set<std::int64_t>(all.begin(), all.end()).size(), 500U);
}

TEST_F(DeadLettersCommand, RetrySaysWhatWasDeliveredButNotRemoved) {
    keep(1, 2);
    auto holder = site.connect();
    Gate gate;
    receiver.answer_with([&](const HttpRequest &request) {
        if (number_in(request) == 1) gate.wait();
        return HttpAnswer{};
    });
    Process retry = start({"retry", "--all"});
    ASSERT_TRUE(receiver.wait_for(1)) << retry.err();
    holder.exec("BEGIN; LOCK TABLE async_triggers.dead_letters IN EXCLUSIVE MODE");
    gate.open();
    EXPECT_EQ(retry.wait(), 1);
    retry.wait_for_end_of_output();
    EXPECT_NE(retry.err().find("2 letters were delivered but could not be removed: "),
              std::string::npos)
        << retry.err();
    EXPECT_NE(retry.err().find("`dead-letters discard 1 2`"), std::string::npos) << retry.err();
}

TEST_F(DeadLettersCommand, RetryIntoTheMemorySinkPrints) {
    configuration = site.configure(support::printing_sink);
    keep(1, 2);
    const auto finished = run({"retry", "--all"});
    EXPECT_EQ(finished.status, 0) << finished.err;
    EXPECT_TRUE(finished.out.starts_with("{\"n\": 1}\n{\"n\": 2}\n")) << finished.out;
}

} // namespace

} // namespace pgat::cli
