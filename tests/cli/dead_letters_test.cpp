// Dead letters looked at and thrown away.

#include "cli/dead_letters_site.hpp"

namespace pgat::cli {

namespace {

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
    EXPECT_EQ(nlohmann::json::parse(run({"discard", "3", "--yes", "--json"}).out).at("discarded"),
              1);
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
