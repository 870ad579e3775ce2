// Stored events delivered again: which, and in what order.
#include <algorithm>

#include "cli/replay_site.hpp"

namespace pgat::cli {

namespace {

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
