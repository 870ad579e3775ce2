// How a replay ends: what the sink refused, what stopped or killed it, and where it goes on.
#include <algorithm>
#include <atomic>
#include <set>

#include "cli/replay_site.hpp"

namespace pgat::cli {

namespace {

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

} // namespace

} // namespace pgat::cli
