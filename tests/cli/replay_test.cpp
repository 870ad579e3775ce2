// Stored events delivered again: which, in what order, and where it goes on after whatever ended it.
#include <algorithm>
#include <atomic>
#include <csignal>
#include <set>
#include <sstream>

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
using support::Daemon;
using support::eventually;
using support::HttpAnswer;
using support::HttpReceiver;
using support::HttpRequest;
using support::Process;
using support::Site;
using Ids = std::vector<std::int64_t>;

std::int64_t item_in(const HttpRequest &request) {
    return nlohmann::json::parse(request.body).at("new").at("id").get<std::int64_t>();
}

class ReplayCommand : public testing::Test {
  protected:
    ReplayCommand() : site(Cluster::shared()) {
        site.subscribe_to_items();
        configuration = configure("");
    }

    std::filesystem::path configure(const std::string &stream) {
        return site.configure(
            "  type: http\n  url: " + receiver.url() + "\n",
            "  retry: {attempts: 3, initial_backoff_ms: 1, max_backoff_ms: 20}\n" + stream);
    }

    std::vector<std::string> command(std::vector<std::string> arguments) const {
        arguments.insert(arguments.begin(), {"--config", configuration.string(), "replay"});
        return arguments;
    }
    support::Finished run(std::vector<std::string> arguments) const {
        return site.run_program(command(std::move(arguments)));
    }
    Process start(std::vector<std::string> arguments) const {
        auto all = command(std::move(arguments));
        all.insert(all.begin(), support::program().string());
        return Process(std::move(all));
    }
    // Types what the output says after "To go on: ", and yes.
    support::Finished go_on(const std::string &out) const {
        const std::string mark = "To go on: postgres-async-triggers ";
        const auto begin = out.find(mark);
        if (begin == std::string::npos) return {-1, "", "it says no command:\n" + out};
        std::istringstream line(
            out.substr(begin + mark.size(), out.find('\n', begin) - begin - mark.size()));
        std::vector<std::string> words;
        for (std::string word; line >> word;)
            words.push_back(word);
        words.emplace_back("--yes");
        return site.run_program(words);
    }

    // The id of the event of an item.
    std::string event_of(std::int64_t item) {
        return std::string(site.exec("SELECT id FROM async_triggers.events WHERE stream_id = $1 AND"
                                     " (payload->'new'->>'id')::bigint = $2",
                                     {site.stream(), item})
                               .text(0, 0));
    }
    // So large that a page holds few.
    void make_events_large() {
        site.exec("UPDATE async_triggers.events SET payload = payload || jsonb_build_object('p',"
                  " repeat('x', 4000000)) WHERE stream_id = $1",
                  {site.stream()});
    }
    Ids received() const {
        Ids items;
        for (const auto &request : receiver.requests())
            items.push_back(item_in(request));
        return items;
    }
    // All that a replay must leave alone.
    std::string untouchable() {
        std::string all;
        const auto rows = site.exec(fmt::format(
            "SELECT (SELECT"
            " string_agg(s::text || s.xmin::text, ';') FROM async_triggers.streams s),"
            " (SELECT string_agg(slot_name || confirmed_flush_lsn::text ||"
            " restart_lsn::text, ';') FROM pg_replication_slots WHERE slot_name = '{}'),"
            " (SELECT count(*) FROM async_triggers.dead_letters)",
            site.slot()));
        for (int column = 0; column < rows.columns(); ++column)
            all.append(rows.text(0, column)).append("|");
        return all;
    }

    Site site;
    HttpReceiver receiver;
    std::filesystem::path configuration;
};

TEST_F(ReplayCommand, DeliversARangeOfIdsInOrderAndUnderTheirOwnIds) {
    site.insert_items(1, 30);
    const std::string before = untouchable();
    const auto finished = run({"--from", event_of(5), "--to", event_of(24), "--yes"});
    EXPECT_EQ(finished.status, 0) << finished.err;
    EXPECT_EQ(finished.out,
              fmt::format("stream {}: 20 of 20 events delivered again\n", site.stream()));
    EXPECT_EQ(received(), support::numbers(5, 24));
    const auto id = site.exec("SELECT s.uid || '-' || e.id || '-' || (extract(epoch from"
                              " e.created_at) * 1000000)::bigint FROM async_triggers.streams s,"
                              " async_triggers.events e WHERE s.id = e.stream_id AND e.id = $1",
                              {event_of(5)});
    EXPECT_EQ(receiver.requests()[0].header("webhook-id"), id.text(0, 0));
    EXPECT_EQ(untouchable(), before);
}

TEST_F(ReplayCommand, DeliversTheStreamsOwnEventsUpToTheLastThatIsCommitted) {
    site.insert_items(1, 5);
    site.exec("INSERT INTO async_triggers.events (stream_id, payload) VALUES (1000000, '{}')");
    auto open = site.connect();
    open.exec("BEGIN; INSERT INTO public.items VALUES (6, 'open'); SET CONSTRAINTS ALL IMMEDIATE");
    site.insert_items(7, 9);
    EXPECT_EQ(run({"--from", "0", "--yes"}).status, 0);
    EXPECT_EQ(received(), (Ids{1, 2, 3, 4, 5, 7, 8, 9}));
    open.exec("COMMIT");
    receiver.forget();
    EXPECT_EQ(run({"--from", event_of(5), "--yes"}).status, 0);
    EXPECT_EQ(received(), (Ids{5, 6, 7, 8, 9}));
}

TEST_F(ReplayCommand, TakesTimesWithTheirZone) {
    site.exec(
        "INSERT INTO async_triggers.events (stream_id, created_at, payload) SELECT $1,"
        " '2026-11-20 10:00+00'::timestamptz + n * interval '1 min',"
        " jsonb_build_object('new', jsonb_build_object('id', n)) FROM generate_series(1, 60) n",
        {site.stream()});
    site.insert_items(100, 101);
    site.exec("DELETE FROM async_triggers.events WHERE id = 1");
    const auto finished =
        run({"--from", "2026-11-20T10:10:00Z", "--to", "2026-11-20 12:15:00.000+02:00", "--yes"});
    EXPECT_EQ(finished.status, 0) << finished.err;
    EXPECT_EQ(received(), support::numbers(10, 15));
    receiver.forget();
    EXPECT_EQ(run({"--from", "2026-11-20T10:58:30Z", "--yes"}).status, 0);
    EXPECT_EQ(received(), (Ids{59, 60, 100, 101}));
    receiver.forget();
    const auto none = run({"--from", "2025-01-01T00:00Z", "--to", "2025-02-01T00:00Z", "--yes"});
    EXPECT_EQ(none.status, 0);
    EXPECT_EQ(none.out, fmt::format("stream {}: no stored events in that range\n", site.stream()));
    EXPECT_NE(none.err.find("the oldest stored event is "), std::string::npos) << none.err;
}

TEST_F(ReplayCommand, RefusesWhatCouldBeReadInTwoWays) {
    site.insert_items(1, 2);
    const auto zone = run({"--from", "2026-11-20T10:10:00", "--yes"});
    EXPECT_EQ(zone.status, 2);
    EXPECT_NE(zone.err.find("--from: 2026-11-20T10:10:00 says no time zone\n  hint: write "
                            "2026-11-20T10:10:00Z for UTC, or an offset: "
                            "2026-11-20T10:10:00+01:00\n"),
              std::string::npos)
        << zone.err;
    EXPECT_NE(run({"--from", "2026-11-20"}).err.find("2026-11-20T00:00Z for UTC"),
              std::string::npos);
    for (const auto &arguments :
         std::vector<std::vector<std::string>>{{},
                                               {"--from", "yesterday"},
                                               {"--from", "-5"},
                                               {"--from", "5", "--to", "4"},
                                               {"--from", "5", "--to", "4x"},
                                               {"--from", "1", "2"},
                                               {"--from", "1"}}) // nobody to ask
        EXPECT_EQ(run(arguments).status, 2) << run(arguments).err;
    EXPECT_EQ(received(), Ids{});
}

TEST_F(ReplayCommand, DeliversTheEventsOfOneSubscription) {
    site.exec("INSERT INTO async_triggers.subscriptions (key, stream_id, operation, schema_name,"
              " table_name, column_names, payload_extensions) VALUES"
              " ('it''s \"odd\"', $1, 'INSERT', 'public', 'items', '{id}', NULL),"
              " ('renamed', $1, 'INSERT', 'public', 'items', '{id}',"
              "  '[{\"json_path\": \"tg_name\", \"expression\": \"''other''\"}]')",
              {site.stream()});
    site.insert_items(1, 4);
    const auto finished = run({"--from", "0", "--subscription", "it's \"odd\"", "--yes"});
    EXPECT_EQ(finished.status, 0) << finished.err;
    EXPECT_EQ(received(), support::numbers(1, 4));
    for (const auto &request : receiver.requests())
        EXPECT_EQ(nlohmann::json::parse(request.body)["tg_name"], "it's \"odd\"");
    receiver.forget();

    const auto renamed = run({"--from", "0", "--subscription", "renamed", "--yes"});
    EXPECT_EQ(renamed.status, 2);
    EXPECT_NE(renamed.err.find("payload_extensions write over tg_name"), std::string::npos)
        << renamed.err;
    const auto unknown = run({"--from", "0", "--subscription", "item-addd", "--yes"});
    EXPECT_EQ(unknown.status, 2);
    EXPECT_NE(unknown.err.find("did you mean item-added?"), std::string::npos) << unknown.err;
    EXPECT_EQ(received(), Ids{});
    receiver.answer_with(503);
    const auto stopped = run({"--from", "0", "--subscription", "it's \"odd\"", "--yes"});
    EXPECT_NE(stopped.out.find(" --subscription 'it'\\''s \"odd\"'\n"), std::string::npos)
        << stopped.out;
    receiver.answer_with(200);
    receiver.forget();
    // Its events outlive it.
    site.exec("DELETE FROM async_triggers.subscriptions WHERE key = 'item-added'");
    EXPECT_EQ(run({"--from", "0", "--subscription", "item-added", "--yes"}).status, 0);
    EXPECT_EQ(received(), support::numbers(1, 4));
}

TEST_F(ReplayCommand, CountsWithoutDelivering) {
    site.insert_items(1, 12);
    const auto finished = run({"--from", event_of(3), "--dry-run", "--json"});
    EXPECT_EQ(finished.status, 0) << finished.err;
    const auto counted = nlohmann::json::parse(finished.out);
    EXPECT_EQ(counted["events"], 10);
    EXPECT_EQ(std::to_string(counted["first"]["event_id"].get<int>()), event_of(3));
    EXPECT_EQ(std::to_string(counted["last"]["event_id"].get<int>()), event_of(12));
    EXPECT_TRUE(counted["last"]["created_at"].get<std::string>().ends_with("Z"));
    const auto text = run({"--from", event_of(3), "--dry-run"});
    EXPECT_NE(text.out.find("10 events, from " + event_of(3) + " of 20"), std::string::npos)
        << text.out;
    EXPECT_EQ(received(), Ids{});
}

TEST_F(ReplayCommand, ReportsWhatIsRejectedAndKeepsNoDeadLetterOfIt) {
    site.insert_items(1, 20);
    receiver.answer_with([](const HttpRequest &request) {
        return HttpAnswer{item_in(request) % 10 == 7 ? 422 : 200, {}, {}};
    });
    const std::string before = untouchable();
    const auto finished = run({"--from", "0", "--yes"});
    EXPECT_EQ(finished.status, 1);
    EXPECT_NE(finished.out.find("18 of 20 events delivered again\n2 were not delivered"),
              std::string::npos)
        << finished.out;
    EXPECT_NE(finished.out.find("\n  " + event_of(17) + ": "), std::string::npos) << finished.out;
    EXPECT_EQ(finished.out.find("To go on"), std::string::npos) << finished.out;
    EXPECT_EQ(support::occurrences(finished.err, "an event was not delivered again"), 2U)
        << finished.err;
    EXPECT_EQ(untouchable(), before);

    const auto json = nlohmann::json::parse(run({"--from", "0", "--yes", "--json"}).out);
    EXPECT_EQ(json["delivered"], 18);
    EXPECT_EQ(json["refused"], 2);
    EXPECT_EQ(json["first_refused"].size(), 2U);
    EXPECT_TRUE(json["stopped"].is_null());
}

TEST_F(ReplayCommand, GoesOnWhereTheSinkStoppedTakingEvents) {
    site.insert_items(1, 100);
    receiver.answer_with([](const HttpRequest &request) {
        return HttpAnswer{item_in(request) > 60 ? 503 : 200, {}, {}};
    });
    const auto stopped = run({"--from", event_of(11), "--yes"});
    EXPECT_EQ(stopped.status, 1);
    EXPECT_NE(stopped.out.find("50 of 90 events delivered again\nstopped at event " + event_of(61) +
                               ": the sink takes no events: "),
              std::string::npos)
        << stopped.out;
    receiver.answer_with(200);
    receiver.forget();
    // Of the stream, not of the replay.
    site.insert_items(101, 103);
    const auto rest = go_on(stopped.out);
    EXPECT_EQ(rest.status, 0) << rest.err;
    EXPECT_EQ(received(), support::numbers(61, 100));
}

TEST_F(ReplayCommand, OutlastsAShortOutage) {
    site.insert_items(1, 50);
    std::atomic<int> calls{0};
    receiver.answer_with([&](const HttpRequest &) {
        const int call = ++calls;
        return HttpAnswer{call == 10 || call == 30 || call == 31 ? 503 : 200, {}, {}};
    });
    const auto finished = run({"--from", "0", "--yes"});
    EXPECT_EQ(finished.status, 0) << finished.out << finished.err;
}

TEST_F(ReplayCommand, StopsBeforeASinkThatRejectsAllHasSeenAll) {
    configuration = configure("  max_consecutive_rejected: 10\n");
    site.insert_items(1, 200);
    receiver.answer_with([](const HttpRequest &request) {
        return HttpAnswer{item_in(request) > 20 ? 400 : 200, {}, {}};
    });
    const auto stopped = run({"--from", "0", "--yes"});
    EXPECT_EQ(stopped.status, 1);
    EXPECT_LT(received().size(), 100U);
    EXPECT_NE(stopped.out.find("stopped at event " + event_of(21) + ": "), std::string::npos)
        << stopped.out;
    receiver.answer_with(200);
    receiver.forget();
    EXPECT_EQ(go_on(stopped.out).status, 0);
    EXPECT_EQ(received(), support::numbers(21, 200));
}

TEST_F(ReplayCommand, LeavesOutAnEventThatFailsAgainAndAgain) {
    site.insert_items(1, 30);
    receiver.answer_with([](const HttpRequest &request) {
        return HttpAnswer{item_in(request) == 5 ? 500 : 200, {}, {}};
    });
    const auto finished = run({"--from", "0", "--yes"});
    EXPECT_EQ(finished.status, 1);
    EXPECT_NE(finished.out.find("29 of 30 events delivered again\n1 was not delivered"),
              std::string::npos)
        << finished.out;
    auto items = received();
    EXPECT_GE(std::count(items.begin(), items.end(), 5), 3);
    EXPECT_EQ(items.back(), 30);
}

TEST_F(ReplayCommand, StopsAfterTheCallInHandAndGoesOnThere) {
    site.insert_items(1, 100);
    Gate gate;
    receiver.answer_with([&](const HttpRequest &request) {
        if (item_in(request) == 40) gate.wait();
        return HttpAnswer{};
    });
    Process replay = start({"--from", "0", "--yes"});
    ASSERT_TRUE(receiver.wait_for(40)) << replay.err();
    // Nothing is held open on the database while the sink takes its time.
    EXPECT_TRUE(eventually([&] {
        return site.exec("SELECT FROM pg_stat_activity WHERE application_name LIKE '%replay%' AND"
                         " (xact_start IS NOT NULL OR backend_xmin IS NOT NULL)")
                   .rows() == 0;
    }));
    replay.signal(SIGTERM);
    ASSERT_TRUE(replay.wait_for_err("stopping")) << replay.err();
    gate.open();
    EXPECT_EQ(replay.wait(), 1) << replay.err();
    replay.wait_for_end_of_output();
    EXPECT_NE(replay.out().find(": interrupted\n"), std::string::npos) << replay.out();
    EXPECT_LT(received().size(), 100U);
    const auto rest = go_on(replay.out());
    EXPECT_EQ(rest.status, 0) << rest.err;
    EXPECT_EQ(received(), support::numbers(1, 100));
}

TEST_F(ReplayCommand, DrawsABarOnATerminalAndTakesItAway) {
    site.insert_items(1, 100);
    Gate gate;
    receiver.answer_with([&](const HttpRequest &request) {
        if (item_in(request) == 49) gate.wait();
        return HttpAnswer{};
    });
    std::string line = "stty cols 60; " + support::program().string();
    for (const auto &word : command({"--from", "0", "--yes"}))
        line += " " + word;
    Process terminal({"script", "-qefc", line, "/dev/null"});
    ASSERT_TRUE(terminal.wait_for_out("[#######.........]  48 %  48 of 100 events"))
        << terminal.out();
    gate.open();
    EXPECT_EQ(terminal.wait(), 0) << terminal.out();
    terminal.wait_for_end_of_output();
    const std::string out = terminal.out();
    EXPECT_TRUE(out.ends_with(
        fmt::format("\r\x1b[Kstream {}: 100 of 100 events delivered again\r\n", site.stream())))
        << out;
    // No line is as wide as the terminal, which would break it in two.
    for (auto at = out.find("\x1b[K["); at != std::string::npos; at = out.find("\x1b[K[", at + 1)) {
        const auto bar = out.substr(at + 3, out.find('\r', at) - at - 3);
        EXPECT_LT(bar.size(), 60U + std::string_view("…").size() - 1) << bar;
    }
}

TEST_F(ReplayCommand, WritesALineNowAndThenWhereThereIsNoTerminal) {
    configuration = configure("  batch: {max_size: 10}\n");
    site.insert_items(1, 100);
    Gate gate;
    receiver.answer_with([&](const HttpRequest &request) {
        if (item_in(request) == 41) gate.wait();
        return HttpAnswer{};
    });
    Process replay = start({"--from", "0", "--yes", "--json"});
    EXPECT_TRUE(replay.wait_for_err("40 of 100 events, at event " + event_of(40) + ", "))
        << replay.err();
    gate.open();
    EXPECT_EQ(replay.wait(), 0) << replay.err();
    replay.wait_for_end_of_output();
    EXPECT_EQ(replay.err().find("\x1b"), std::string::npos) << replay.err();
    EXPECT_EQ(nlohmann::json::parse(replay.out())["delivered"], 100);
}

TEST_F(ReplayCommand, SaysWhereToGoOnWhenThePluginIsLeftBehind) {
    const auto zoo = support::program().parent_path().parent_path() / "zoo";
    configuration =
        site.configure("  type: scripted\nplugins:\n  directory: " + zoo.string() + "\n",
                       "  shutdown_timeout_secs: 2\n");
    site.exec(
        "INSERT INTO async_triggers.events (stream_id, payload) VALUES ($1, '{\"do\": \"hang\"}')",
        {site.stream()});
    Process replay = start({"--from", "0", "--yes"});
    ASSERT_TRUE(replay.wait_for_err("hanging")) << replay.err();
    replay.signal(SIGINT);
    EXPECT_EQ(replay.wait(), 1);
    replay.wait_for_end_of_output();
    EXPECT_NE(replay.err().find("left behind\nTo go on: "), std::string::npos) << replay.err();
}

TEST_F(ReplayCommand, KilledBesideARunningDaemonTouchesNothingOfItsStream) {
    const auto streaming = site.configure(support::printing_sink);
    Daemon daemon(streaming);
    ASSERT_TRUE(daemon.wait_until_streaming()) << daemon.err();
    site.insert_items(1, 300);
    ASSERT_TRUE(daemon.wait_for_out_lines(300)) << daemon.err();
    const auto generation = [&] {
        return site
            .exec("SELECT generation FROM async_triggers.streams WHERE id = $1", {site.stream()})
            .integer(0, 0);
    };
    const auto before = generation();
    {
        Process replay = start({"--from", "0", "--yes"});
        ASSERT_TRUE(receiver.wait_for(100)) << replay.err();
        replay.signal(SIGKILL);
        replay.wait();
    }
    site.insert_items(301, 310);
    ASSERT_TRUE(daemon.wait_for_out_lines(310)) << daemon.err();
    receiver.forget();
    EXPECT_EQ(run({"--from", "0", "--to", event_of(300), "--yes"}).status, 0);
    EXPECT_EQ(received(), support::numbers(1, 300));
    EXPECT_EQ(generation(), before);
    EXPECT_EQ(daemon.stop(), 0) << daemon.err();
    EXPECT_EQ(support::item_ids(daemon.out()), support::numbers(1, 310));
    EXPECT_EQ(support::occurrences(daemon.err(), "streaming"), 1U) << daemon.err();
    // And its cursor holds all of it.
    const std::string stopped = untouchable();
    EXPECT_EQ(run({"--from", "0", "--yes"}).status, 0);
    EXPECT_EQ(untouchable(), stopped);
    Daemon next(streaming);
    ASSERT_TRUE(next.wait_until_streaming()) << next.err();
    EXPECT_EQ(next.stop(), 0);
    EXPECT_EQ(next.out(), "");
}

TEST_F(ReplayCommand, ReadsManyPages) {
    configuration = site.configure(support::printing_sink);
    // The ids of other streams lie between.
    site.exec(
        "INSERT INTO async_triggers.events (stream_id, payload) SELECT CASE WHEN n % 3 = 0 THEN"
        " 1000000 ELSE $1 END, jsonb_build_object('id', n) FROM generate_series(1, 150000) n",
        {site.stream()});
    const auto finished = run({"--from", "0", "--yes"});
    EXPECT_EQ(finished.status, 0) << finished.err;
    const auto ids = support::item_ids(finished.out);
    EXPECT_EQ(ids.size(), 100'000U);
    EXPECT_TRUE(std::is_sorted(ids.begin(), ids.end()));
}

TEST_F(ReplayCommand, SaysWhatItCouldNotReadAndWhereToGoOn) {
    site.insert_items(1, 20);
    Gate gate;
    configuration = configure("  batch: {max_size: 2}\n");
    make_events_large();
    receiver.answer_with([&](const HttpRequest &request) {
        if (item_in(request) == 1) gate.wait();
        return HttpAnswer{};
    });
    Process replay = start({"--from", "0", "--yes"});
    ASSERT_TRUE(receiver.wait_for(1)) << replay.err();
    site.exec("SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
              " WHERE application_name LIKE '%replay%'");
    gate.open();
    EXPECT_EQ(replay.wait(), 1) << replay.err();
    replay.wait_for_end_of_output();
    EXPECT_EQ(replay.out().find("interrupted"), std::string::npos) << replay.out();
    receiver.answer_with(200);
    const auto rest = go_on(replay.out());
    EXPECT_EQ(rest.status, 0) << replay.out() << rest.err;
    const auto items = received();
    EXPECT_EQ(std::set<std::int64_t>(items.begin(), items.end()).size(), 20U);
    EXPECT_LT(items.size(), 40U);
}

TEST_F(ReplayCommand, LeavesToTheStreamWhatCommitsMeanwhile) {
    site.insert_items(1, 10);
    auto open = site.connect();
    open.exec("BEGIN; INSERT INTO public.items VALUES (11, 'open'); SET CONSTRAINTS ALL IMMEDIATE");
    site.insert_items(12, 20);
    make_events_large();
    Gate gate;
    receiver.answer_with([&](const HttpRequest &request) {
        if (item_in(request) == 1) gate.wait();
        return HttpAnswer{};
    });
    Process replay = start({"--from", "0", "--yes"});
    ASSERT_TRUE(receiver.wait_for(1)) << replay.err();
    open.exec("COMMIT");
    gate.open();
    EXPECT_EQ(replay.wait(), 0) << replay.err();
    auto expected = support::numbers(1, 20);
    expected.erase(expected.begin() + 10);
    EXPECT_EQ(received(), expected);
}

TEST_F(ReplayCommand, SaysSoWhenEventsHaveGoneBeforeTheirTurn) {
    site.insert_items(1, 20);
    make_events_large();
    Gate gate;
    receiver.answer_with([&](const HttpRequest &request) {
        if (item_in(request) == 1) gate.wait();
        return HttpAnswer{};
    });
    Process replay = start({"--from", "0", "--yes"});
    ASSERT_TRUE(receiver.wait_for(1)) << replay.err();
    site.exec("DELETE FROM async_triggers.events WHERE id >= $1", {event_of(16)});
    gate.open();
    EXPECT_EQ(replay.wait(), 1) << replay.err();
    replay.wait_for_end_of_output();
    EXPECT_NE(replay.out().find("15 of 20 events delivered again\n5 were no longer stored when "
                                "their turn came"),
              std::string::npos)
        << replay.out();
    EXPECT_EQ(received(), support::numbers(1, 15));
}

TEST_F(ReplayCommand, WantsADatabaseThatKnowsTheStream) {
    const auto finished =
        site.run_program({"--config", site.configure(support::printing_sink).string(), "replay",
                          "--from", "1", "--yes"});
    EXPECT_EQ(finished.status, 0) << finished.err;
    site.exec("DELETE FROM async_triggers.subscriptions; DELETE FROM async_triggers.streams");
    const auto unknown = run({"--from", "1", "--yes"});
    EXPECT_EQ(unknown.status, 1);
    EXPECT_NE(unknown.err.find("this database has no stream"), std::string::npos) << unknown.err;
}

} // namespace

} // namespace pgat::cli
