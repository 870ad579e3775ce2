// Declared subscriptions: what a file may say, what it changes, and what it leaves alone.
#include <cstdlib>
#include <fstream>
#include <sstream>

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "cli/fixture.hpp"

namespace pgat::cli {

namespace {

using nlohmann::json;
using support::Cluster;

constexpr const char *two = R"(subscriptions:
  - key: user-signup
    operation: INSERT
    schema_name: public
    table_name: users
    when_clause: new.email_verified
    column_names: [id, email]
    metadata: {topic: signups, weight: 12345678901234567890.123456789, on: "true"}
    payload_extensions:
      - {json_path: queue_name, expression: "'signups'"}
  - key: address-changed
    operation: UPDATE
    schema_name: public
    table_name: users
    when_clause: new.email is distinct from old.email
    column_names: id
)";

class Subscriptions : public CliTest {
  protected:
    Subscriptions() {
        configure(Cluster::shared(), database);
        EXPECT_EQ(run({"migrate"}).status, 0);
        sql.exec("CREATE TABLE public.users (id bigint, email text, email_verified boolean);"
                 "CREATE TABLE public.orders (id bigint)");
    }
    support::Finished apply(const std::string &yaml, std::vector<std::string> more = {}) const {
        write("subscriptions.yaml", yaml);
        more.insert(more.begin(), {"subscriptions", "apply", "subscriptions.yaml"});
        return run(std::move(more));
    }
    // Every row with the transaction that wrote it.
    std::string rows() {
        return std::string(sql.exec("SELECT coalesce(string_agg(xmin || ' ' || s::text, E'\\n' "
                                    "ORDER BY key), '') FROM async_triggers.subscriptions s")
                               .text(0, 0));
    }
    std::string value(const std::string &query) { return std::string(sql.exec(query).text(0, 0)); }

    std::string database = Cluster::shared().create_database();
    postgres::Connection sql = Cluster::shared().connect(database);
};

TEST_F(Subscriptions, AreAsTheFileSaysOnceItIsApplied) {
    const auto finished = apply(two);
    EXPECT_EQ(finished.status, 0) << finished.err;
    EXPECT_TRUE(finished.out.starts_with("+ address-changed  UPDATE on public.users\n"
                                         "    when_clause\n"
                                         "      + new.email is distinct from old.email\n"
                                         "    column_names\n"
                                         "      + id\n"
                                         "+ user-signup  INSERT on public.users\n"))
        << finished.out;
    EXPECT_TRUE(finished.out.ends_with("stream 1: 2 to add, 0 to change, 0 to remove, 0 unchanged\n"
                                       "applied: 2 added, 0 changed, 0 removed, 0 unchanged\n"))
        << finished.out;
    EXPECT_EQ(value("SELECT metadata FROM async_triggers.subscriptions WHERE key = 'user-signup'"),
              R"({"on": "true", "topic": "signups", "weight": 12345678901234567890.123456789})");
    sql.exec("INSERT INTO public.users VALUES (1, 'ada@example.com', true)");
    EXPECT_EQ(value("SELECT payload ->> 'queue_name' FROM async_triggers.events"), "signups");
}

TEST_F(Subscriptions, ThatAreEqualAreNotTouched) {
    ASSERT_EQ(apply(two).status, 0);
    // Null and [] mean the same.
    sql.exec("UPDATE async_triggers.subscriptions SET payload_extensions = '[]' "
             "WHERE payload_extensions IS NULL");
    const auto before = rows();
    const auto again = apply(two);
    EXPECT_EQ(again.status, 0);
    EXPECT_EQ(again.out,
              "stream 1: nothing to change, its 2 subscriptions are as subscriptions.yaml says\n");
    EXPECT_EQ(rows(), before);
    // Nor beside one that changes.
    const std::string changed(two);
    const auto one = apply(changed.substr(0, changed.find("  - key: address")), {"--yes"});
    EXPECT_TRUE(one.out.starts_with("- address-changed  UPDATE on public.users\n")) << one.out;
    EXPECT_TRUE(before.ends_with(rows())) << before << "\n" << rows();
}

TEST_F(Subscriptions, ThatDifferAreShownWithTheOldAndTheNewValue) {
    ASSERT_EQ(apply(two).status, 0);
    std::string changed(two);
    changed.replace(changed.find("new.email_verified"), 18, "new.id > 0");
    const auto finished = apply(changed);
    EXPECT_EQ(finished.status, 0) << finished.err;
    EXPECT_EQ(finished.out, "~ user-signup  INSERT on public.users\n"
                            "    when_clause\n"
                            "      - new.email_verified\n"
                            "      + new.id > 0\n"
                            "stream 1: 0 to add, 1 to change, 0 to remove, 1 unchanged\n"
                            "applied: 0 added, 1 changed, 0 removed, 1 unchanged\n");
}

TEST_F(Subscriptions, AreLeftAloneByADryRun) {
    const auto finished = apply(two, {"--dry-run"});
    EXPECT_EQ(finished.status, 0) << finished.err;
    EXPECT_TRUE(finished.out.ends_with("a dry run: nothing was changed\n")) << finished.out;
    EXPECT_EQ(rows(), "");
    const auto object = json::parse(apply(two, {"--dry-run", "--json"}).out);
    EXPECT_EQ(object.at("added"), 2);
    EXPECT_EQ(object.at("applied"), false);
    EXPECT_EQ(object.at("changes").at(0).at("action"), "add");
    EXPECT_EQ(object.at("changes").at(0).at("columns").at("column_names").at("after"), "id");
}

TEST_F(Subscriptions, AreNotRemovedWithoutAYesWhereNobodyCanBeAsked) {
    ASSERT_EQ(apply(two).status, 0);
    const auto before = rows();
    const auto finished = apply("subscriptions: []\n");
    EXPECT_EQ(finished.status, 2);
    EXPECT_NE(finished.err.find("add --yes if you mean it"), std::string::npos) << finished.err;
    EXPECT_EQ(rows(), before);
    EXPECT_EQ(apply("subscriptions: []\n", {"--yes"}).status, 0);
    EXPECT_EQ(rows(), "");
    EXPECT_EQ(value("SELECT count(*) FROM pg_trigger WHERE tgname ~ '^async_triggers_'"), "0");
}

TEST_F(Subscriptions, OfOtherStreamsAreNobodysBusiness) {
    sql.exec("INSERT INTO async_triggers.subscriptions (key, stream_id, operation, schema_name, "
             "table_name, column_names) VALUES ('k', 2, 'DELETE', 'public', 'users', '{id}')");
    ASSERT_EQ(apply(two).status, 0);
    ASSERT_EQ(apply("subscriptions: []\n", {"--yes"}).status, 0);
    EXPECT_EQ(value("SELECT count(*) FROM async_triggers.subscriptions"), "1");
}

TEST_F(Subscriptions, OfWhichTheDatabaseRefusesSomeChangeNothingAndAllRefusalsAreShown) {
    ASSERT_EQ(apply(two).status, 0);
    const auto before = rows();
    const auto finished = apply(R"(subscriptions:
  - {key: good, operation: INSERT, schema_name: public, table_name: orders, column_names: [id]}
  - {key: no-table, operation: INSERT, schema_name: public, table_name: order, column_names: [id]}

  - key: no-column
    operation: UPDATE
    schema_name: public
    table_name: users
    column_names: [mail]
)",
                                {"--yes"});
    EXPECT_EQ(finished.status, 1);
    EXPECT_NE(finished.err.find("\n  subscriptions.yaml:3: subscription \"no-table\" of stream 1: "
                                "there is no table public"),
              std::string::npos)
        << finished.err;
    EXPECT_NE(finished.err.find("\n  subscriptions.yaml:5: subscription \"no-column\" of stream 1: "
                                "column_names: public.users has no column mail\n      Its columns"),
              std::string::npos)
        << finished.err;
    EXPECT_EQ(rows(), before);
}

TEST_F(Subscriptions, WrittenWronglyAreRefusedWithFileLineKeyAndTheNearestOne) {
    const auto finished = apply(R"(stream_id: 2
subscriptons:
subscriptions:
  - key: a
    operation: UPSERT
    schema_name: public
    table: users
    colum_names: [id]
  - key: a
    operation: INSERT
    schema_name: public
    table_name: users
    payload_extensions: [{json_path: a, expresion: b}]
  - users
)");
    EXPECT_EQ(finished.status, 2);
    for (const auto *line :
         {"subscriptions.yaml:1: stream_id: is 2, but the configuration's stream.id is 1",
          "subscriptions.yaml:2: subscriptons: unknown key; did you mean subscriptions?",
          "subscriptions.yaml:5: subscriptions[a].operation: must be one of INSERT, UPDATE, "
          "DELETE, "
          "is \"UPSERT\"",
          "subscriptions.yaml:7: subscriptions[a].table: unknown key; did you mean table_name?",
          "subscriptions.yaml:8: subscriptions[a].colum_names: unknown key; did you mean "
          "column_names?",
          "subscriptions.yaml:4: subscriptions[a].table_name: is missing",
          "subscriptions.yaml:9: subscriptions[a]: is given twice, first at subscriptions.yaml:4",
          "subscriptions.yaml:13: subscriptions[a].payload_extensions[0].expresion: unknown key; "
          "did you mean expression?",
          "subscriptions.yaml:14: subscriptions[2]: must be a map of keys, is a single value"})
        EXPECT_NE(finished.err.find(std::string("\n  ") + line + "\n"), std::string::npos)
            << line << "\n"
            << finished.err;
    const auto missing = run({"subscriptions", "apply", "nowhere.yaml"});
    EXPECT_EQ(missing.status, 2);
    EXPECT_NE(missing.err.find("cannot read the file of subscriptions nowhere.yaml: No such file"),
              std::string::npos)
        << missing.err;
}

TEST_F(Subscriptions, ListedAsYamlAreAFileThatChangesNothing) {
    sql.exec(R"(CREATE TABLE public."Order Items" (id bigint, "we""ird: #col" text);
        INSERT INTO async_triggers.subscriptions (key, stream_id, operation, schema_name,
            table_name, when_clause, column_names, metadata, payload_extensions) VALUES
        ('plain', 1, 'INSERT', 'public', 'users', 'new.id > 0', '{*}', null, '[]'),
        ('null', 1, 'UPDATE', 'public', 'Order Items', E'new.id > 0 -- é: #x\n  and true\n',
         array['id', 'we"ird: #col'], '{"a": [1.50, "1", null, true], "\u0001": {}}', null),
        ('12: #', 1, 'DELETE', 'public', 'Order Items', null, '{id}', '"text"',
         '[{"json_path": "a.b", "expression": "1"}]'))");
    const auto listed = run({"subscriptions", "list", "--yaml"});
    EXPECT_EQ(listed.status, 0) << listed.err;
    const auto before = rows();
    const auto applied = apply(listed.out);
    EXPECT_EQ(applied.status, 0) << applied.err << listed.out;
    EXPECT_EQ(applied.out,
              "stream 1: nothing to change, its 3 subscriptions are as subscriptions.yaml says\n")
        << listed.out;
    EXPECT_EQ(rows(), before);
}

TEST_F(Subscriptions, AreAppliedAsTheDocumentationShowsThem) {
    std::stringstream page;
    const char *const folder = std::getenv("PGAT_SOURCE_DIR"); // NOLINT(concurrency-mt-unsafe)
    page << std::ifstream(fmt::format("{}/docs/subscriptions.md", folder == nullptr ? "." : folder))
                .rdbuf();
    const std::string text = page.str();
    const auto begin = text.find("```yaml\n") + 8;
    const auto finished = apply(text.substr(begin, text.find("```", begin) - begin));
    EXPECT_EQ(finished.status, 0) << finished.err;
    EXPECT_NE(finished.out.find("applied: 1 added"), std::string::npos) << finished.out;
}

TEST_F(Subscriptions, AreListedForPeopleAndForPrograms) {
    EXPECT_EQ(run({"subscriptions", "list"}).out, "no subscriptions of stream 1\n");
    EXPECT_EQ(run({"subscriptions", "list", "--json"}).out, "[]\n");
    EXPECT_NE(run({"subscriptions", "list", "--yaml"}).out.find("subscriptions: []\n"),
              std::string::npos);
    ASSERT_EQ(apply(two).status, 0);
    EXPECT_EQ(run({"subscriptions", "list"}).out,
              "KEY              OPERATION  TABLE         COLUMNS\n"
              "address-changed  UPDATE     public.users  id\n"
              "  when new.email is distinct from old.email\n"
              "user-signup      INSERT     public.users  id, email\n"
              "  when new.email_verified\n"
              "2 subscriptions of stream 1\n");
    const auto array = json::parse(run({"subscriptions", "list", "--json"}).out);
    EXPECT_EQ(array.at(0).at("key"), "address-changed");
    EXPECT_EQ(array.at(1).at("column_names"), json::array({"id", "email"}));
    sql.exec("ALTER TABLE public.users DISABLE TRIGGER async_triggers_insert");
    EXPECT_NE(run({"subscriptions", "list"})
                  .out.find("PROBLEM  trigger async_triggers_insert is disabled on public.users\n"
                            "         alter table public.users enable trigger "
                            "async_triggers_insert;\n"),
              std::string::npos);
}

TEST_F(Subscriptions, NeedAVerb) {
    const auto finished = run({"subscriptions"});
    EXPECT_EQ(finished.status, 2);
    EXPECT_NE(finished.err.find("list or apply"), std::string::npos);
}

} // namespace

} // namespace pgat::cli
