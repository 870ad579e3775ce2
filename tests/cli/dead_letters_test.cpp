// The letters are rows as the daemon writes them; what becomes of them is for the command, a real server and
// the real sinks to say.
#include <algorithm>
#include <atomic>
#include <csignal>
#include <set>

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "cli/gate.hpp"
#include "support/daemon.hpp"
#include "support/http_receiver.hpp"
#include "support/waiting.hpp"

namespace pgat::cli {

namespace {

using support::Cluster;
using support::HttpAnswer;
using support::HttpReceiver;
using support::HttpRequest;
using support::Process;
using support::Site;

// The number in a letter's payload.
std::int64_t number_in(const HttpRequest &request) {
    return nlohmann::json::parse(request.body).at("n").get<std::int64_t>();
}

class DeadLettersCommand : public testing::Test {
  protected:
    DeadLettersCommand() : site(Cluster::shared()) {
        site.subscribe_to_items();
        use_http("");
    }

    // `batch` is a YAML map.
    void use_http(const std::string &batch) {
        configuration =
            site.configure("  type: http\n  url: " + receiver.url() + "\n",
                           "  retry: {attempts: 3, initial_backoff_ms: 1, max_backoff_ms: 50}\n" +
                               (batch.empty() ? "" : "  batch: " + batch + "\n"));
    }

    // Letters of the events first to last, with payloads {"n": <id>}, that failed a minute ago.
    void keep(std::int64_t first, std::int64_t last, std::int64_t stream = 0) {
        site.exec("INSERT INTO async_triggers.dead_letters (stream_id, event_id, event_created_at,"
                  " payload, metadata, reason, attempts, failed_at)"
                  " SELECT $1, n, '2026-11-22 08:00:00.5+00'::timestamptz + n * interval '1 s',"
                  " jsonb_build_object('n', n), NULL, 'status 422', 2, now() - interval '1 min'"
                  " FROM generate_series($2::bigint, $3) n",
                  {stream == 0 ? site.stream() : stream, first, last});
    }

    support::Finished run(std::vector<std::string> arguments) const {
        arguments.insert(arguments.begin(), {"--config", configuration.string(), "dead-letters"});
        return site.run_program(std::move(arguments));
    }
    Process start(std::vector<std::string> arguments,
                  std::map<std::string, std::string> environment = {}) const {
        arguments.insert(arguments.begin(), {support::program().string(), "--config",
                                             configuration.string(), "dead-letters"});
        return Process(std::move(arguments), {std::move(environment), {}, false});
    }

    std::vector<std::int64_t> kept() {
        const auto rows = site.exec("SELECT event_id FROM async_triggers.dead_letters"
                                    " WHERE stream_id = $1 ORDER BY 1",
                                    {site.stream()});
        std::vector<std::int64_t> ids;
        for (int row = 0; row < rows.rows(); ++row)
            ids.push_back(rows.integer(row, 0));
        return ids;
    }
    std::vector<std::int64_t> received() const {
        std::vector<std::int64_t> numbers;
        for (const auto &request : receiver.requests())
            numbers.push_back(number_in(request));
        return numbers;
    }

    Site site;
    HttpReceiver receiver;
    std::filesystem::path configuration;
};

using Ids = std::vector<std::int64_t>;

TEST_F(DeadLettersCommand, ListShowsTheNewestFirstCutToTheWidth) {
    keep(8, 12);
    keep(1, 1, 1'000'000);
    site.exec(
        "UPDATE async_triggers.dead_letters SET payload = jsonb_build_object('n',"
        " repeat('é', 200)), reason = E'status 400: \\x1b[31mred\\nnext' WHERE event_id = 12");
    const auto finished = run({"list"});
    EXPECT_EQ(finished.status, 0) << finished.err;
    const std::string &out = finished.out;
    EXPECT_TRUE(out.starts_with("EVENT  FAILED AT (UTC)      ATTEMPTS  REASON")) << out;
    EXPECT_LT(out.find("   12  "), out.find("    8  ")) << out;
    EXPECT_NE(out.find("       2  status 400: ?[31mred next\n"), std::string::npos) << out;
    // {"n": " and 66 letters: with seven spaces before, 80 columns.
    std::string payload = "       {\"n\": \"";
    for (int i = 0; i < 65; ++i)
        payload += "é";
    EXPECT_NE(out.find(payload + "…\n"), std::string::npos) << out;
    EXPECT_TRUE(out.ends_with("\n5 dead letters of stream " + std::to_string(site.stream()) + "\n"))
        << out;

    const auto two = run({"list", "--limit", "2"});
    EXPECT_EQ(two.out.find("   10  "), std::string::npos) << two.out;
    EXPECT_NE(two.out.find("2 of 5 dead letters"), std::string::npos) << two.out;
    EXPECT_NE(run({"list", "9"}).out.find("1 dead letter of stream"), std::string::npos);
}

TEST_F(DeadLettersCommand, ListLetsNoTextCommandTheTerminalOrBreakTheLine) {
    keep(1, 2);
    // Letters of two columns; a mark that turns the writing around; a C1 control character.
    site.exec(
        "UPDATE async_triggers.dead_letters SET reason = repeat('日', 60) WHERE event_id = 1");
    site.exec("UPDATE async_triggers.dead_letters SET reason = U&'a\\202Eb\\009Bc\\0007d\\0301e'"
              " WHERE event_id = 2");
    const auto finished = run({"list"});
    EXPECT_EQ(finished.status, 0) << finished.err;
    std::string wide; // 38 columns are before it
    for (int i = 0; i < 20; ++i)
        wide += "日";
    EXPECT_NE(finished.out.find("  " + wide + "…\n"), std::string::npos) << finished.out;
    EXPECT_NE(finished.out.find("  a???b??c?d\u0301e\n"), std::string::npos) << finished.out;
}

TEST_F(DeadLettersCommand, ListWritesJsonWithEveryDigit) {
    keep(1, 40);
    site.exec("UPDATE async_triggers.dead_letters SET payload ="
              " '{\"n\": 12345678901234567890.123456789}', metadata = '{\"topic\": \"a\"}'"
              " WHERE event_id = 40");
    const auto finished = run({"list", "--json"});
    EXPECT_EQ(finished.status, 0) << finished.err;
    EXPECT_NE(finished.out.find("12345678901234567890.123456789"), std::string::npos);
    const auto letters = nlohmann::json::parse(finished.out);
    ASSERT_EQ(letters.size(), 40U);
    EXPECT_EQ(letters[0]["event_id"], 40);
    EXPECT_EQ(letters[0]["metadata"], (nlohmann::json{{"topic", "a"}}));
    EXPECT_EQ(letters[39]["event_created_at"], "2026-11-22T08:00:01.500000Z");
    EXPECT_EQ(letters[39]["attempts"], 2);
    EXPECT_EQ(letters[39]["reason"], "status 422");
    EXPECT_EQ(letters[39]["payload"], (nlohmann::json{{"n", 1}}));
    EXPECT_EQ(letters[39]["stream_id"], site.stream());
    EXPECT_EQ(run({"list", "--json", "--limit", "3", "1", "2"}).out.find("\"event_id\": 40"),
              std::string::npos);
}

TEST_F(DeadLettersCommand, ListSaysSoWhereThereIsNothing) {
    EXPECT_EQ(run({"list"}).out, fmt::format("no dead letters of stream {}\n", site.stream()));
    EXPECT_EQ(run({"list", "--json"}).out, "[]\n");
    const auto finished = run({"list", "3"});
    EXPECT_EQ(finished.status, 1);
    EXPECT_NE(finished.err.find("has no dead letter 3"), std::string::npos) << finished.err;
}

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

TEST_F(DeadLettersCommand, DiscardAsksFirst) {
    keep(1, 3);
    const auto asked = run({"discard", "--all"});
    EXPECT_EQ(asked.status, 2);
    EXPECT_NE(asked.err.find("hint: add --yes if you mean it"), std::string::npos) << asked.err;
    EXPECT_EQ(kept(), (Ids{1, 2, 3}));
    const auto one = run({"discard", "2", "--yes"});
    EXPECT_EQ(one.status, 0) << one.err;
    EXPECT_TRUE(one.out.ends_with("1 dead letter discarded\n")) << one.out;
    EXPECT_EQ(kept(), (Ids{1, 3}));
    EXPECT_EQ(run({"discard", "--all", "-y"}).status, 0);
    EXPECT_EQ(kept(), Ids{});
    EXPECT_EQ(receiver.requests().size(), 0U);
}

TEST_F(DeadLettersCommand, BadArgumentsAreSaidToBe) {
    for (const auto &arguments : std::vector<std::vector<std::string>>{{},
                                                                       {"retry"},
                                                                       {"discard"},
                                                                       {"retry", "x"},
                                                                       {"retry", "0"},
                                                                       {"retry", "1", "--all"},
                                                                       {"list", "--limit", "-1"},
                                                                       {"forward"}})
        EXPECT_EQ(run(arguments).status, 2) << run(arguments).err;
    configuration = site.configure("  type: nosuch\n");
    keep(1, 1);
    const auto finished = run({"retry", "--all"});
    EXPECT_EQ(finished.status, 2);
    EXPECT_NE(finished.err.find("nosuch"), std::string::npos) << finished.err;
}

TEST(DeadLetters, OfADatabaseWithoutTheSchemaAreAnError) {
    Site site(Cluster::shared());
    const auto finished = site.run_program(
        {"--config", site.configure("  type: memory\n").string(), "dead-letters", "list"});
    EXPECT_EQ(finished.status, 1);
    EXPECT_NE(finished.err.find("has no schema async_triggers"), std::string::npos) << finished.err;
}

} // namespace

} // namespace pgat::cli
