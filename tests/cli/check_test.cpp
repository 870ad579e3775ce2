// The preflight against real servers: what is right, each thing that can be wrong, and what mends it.
#include "cli/fixture.hpp"

#include "support/http_receiver.hpp"

namespace pgat::cli {

namespace {

using support::Cluster;

class Check : public CliTest {
  protected:
    // A database with our schema, a table and a subscription to it.
    std::string subscribed_database() {
        const std::string database = Cluster::shared().create_database();
        configure(Cluster::shared(), database);
        const auto migrated = run({"migrate"});
        EXPECT_EQ(migrated.status, 0) << migrated.err;
        Cluster::shared().connect(database).exec(
            "CREATE TABLE public.users (id bigint, email text);"
            "INSERT INTO async_triggers.subscriptions "
            "(key, stream_id, operation, schema_name, table_name, column_names) "
            "VALUES ('signup', 1, 'INSERT', 'public', 'users', '{id,email}')");
        return database;
    }
};

TEST_F(Check, PassesOnAFreshDatabase) {
    configure(Cluster::shared(), Cluster::shared().create_database());
    const auto finished = run({"check"});
    EXPECT_EQ(finished.status, 0) << finished.out;
    EXPECT_EQ(finished.err, "");
    EXPECT_EQ(finding(finished.out, "config"), "ok    config: ./config.yaml");
    EXPECT_TRUE(finding(finished.out, "plugin").starts_with("ok    plugin: memory 0.1.0 ("));
    EXPECT_TRUE(finding(finished.out, "connection").ends_with(" as postgres, not encrypted"))
        << finished.out;
    EXPECT_TRUE(finding(finished.out, "server").starts_with("ok    server: Postgres "));
    EXPECT_EQ(finding(finished.out, "wal_level"), "ok    wal_level: logical");
    EXPECT_EQ(finding(finished.out, "privileges"),
              "ok    privileges: role postgres has all it needs");
    EXPECT_EQ(finding(finished.out, "schema"),
              "ok    schema: not there yet: the first run creates it, or migrate does");
    EXPECT_EQ(finding(finished.out, "slot"),
              "ok    slot: async_triggers_stream_1 is not there: the daemon creates it when it "
              "starts");
    EXPECT_TRUE(finding(finished.out, "max_slot_wal_keep_size")
                    .starts_with("WARN  max_slot_wal_keep_size: is unlimited: while the daemon is "
                                 "away, its slot holds WAL until the disk is full\n"
                                 "        ALTER SYSTEM SET max_slot_wal_keep_size = '10GB';"))
        << finished.out;
}

TEST_F(Check, PassesWithSubscriptions) {
    subscribed_database();
    const auto finished = run({"check"});
    EXPECT_EQ(finished.status, 0) << finished.out;
    EXPECT_EQ(finding(finished.out, "triggers"), "ok    triggers: in place for 1 subscription");
    EXPECT_EQ(finding(finished.out, "dead letters"), "ok    dead letters: none");
    EXPECT_EQ(finding(finished.out, "stream"), "ok    stream: 1: no daemon has run it yet");
}

TEST_F(Check, NamesEveryMissingPrivilegeAtOnceWithItsStatement) {
    const std::string database = Cluster::shared().create_database();
    auto session = Cluster::shared().connect(database);
    session.exec("CREATE ROLE \"Weak One\" LOGIN");
    configure(Cluster::shared(), database, "Weak One");
    const auto finished = run({"check"});
    EXPECT_EQ(finished.status, 1);
    EXPECT_EQ(finding(finished.out, "privileges"),
              "FAIL  privileges: role Weak One lacks REPLICATION, CREATE on database " + database +
                  "; as an administrator run\n"
                  "        ALTER ROLE \"Weak One\" REPLICATION;\n"
                  "        GRANT CREATE ON DATABASE " +
                  database + " TO \"Weak One\";");
    EXPECT_EQ(finding(finished.out, "replication"),
              "FAIL  replication: the role may not open a replication session\n"
              "        see privileges: it needs REPLICATION");

    // What it prints mends it.
    session.exec("ALTER ROLE \"Weak One\" REPLICATION; GRANT CREATE ON DATABASE " + database +
                 " TO \"Weak One\"");
    const auto mended = run({"check"});
    EXPECT_EQ(mended.status, 0) << mended.out;
}

TEST_F(Check, NamesPrivilegesMissingOnSubscribedTablesAndTheirPartitions) {
    const std::string database = Cluster::shared().create_database();
    auto session = Cluster::shared().connect(database);
    session.exec("CREATE ROLE tabled LOGIN REPLICATION; GRANT CREATE ON DATABASE " + database +
                 " TO tabled;"
                 "CREATE SCHEMA shop; CREATE TABLE shop.\"Order Items\" (id bigint) "
                 "PARTITION BY RANGE (id);"
                 "CREATE TABLE shop.items_1 PARTITION OF shop.\"Order Items\" "
                 "FOR VALUES FROM (0) TO (9);"
                 "GRANT USAGE ON SCHEMA shop TO tabled;"
                 "GRANT TRIGGER ON shop.\"Order Items\", shop.items_1 TO tabled");
    configure(Cluster::shared(), database, "tabled");
    ASSERT_EQ(run({"migrate"}).status, 0);
    Cluster::shared()
        .connect(database, "tabled")
        .exec("INSERT INTO async_triggers.subscriptions (key, stream_id, operation, schema_name, "
              "table_name, column_names) VALUES ('k', 1, 'INSERT', 'shop', 'Order Items', '{id}')");
    EXPECT_EQ(run({"check"}).status, 0) << run({"check"}).out;

    session.exec("REVOKE USAGE ON SCHEMA shop FROM tabled;"
                 "REVOKE TRIGGER ON shop.\"Order Items\", shop.items_1 FROM tabled");
    const auto finished = run({"check"});
    EXPECT_EQ(finished.status, 1);
    EXPECT_EQ(finding(finished.out, "privileges"),
              "FAIL  privileges: role tabled lacks USAGE on schema shop, TRIGGER on shop.\"Order "
              "Items\", TRIGGER on shop.items_1; as an administrator run\n"
              "        GRANT USAGE ON SCHEMA shop TO tabled;\n"
              "        GRANT TRIGGER ON shop.\"Order Items\" TO tabled;\n"
              "        GRANT TRIGGER ON shop.items_1 TO tabled;");
}

TEST_F(Check, NamesASchemaThatBelongsToSomebodyElse) {
    const std::string database = subscribed_database();
    Cluster::shared().connect(database).exec(
        "CREATE ROLE stranger LOGIN REPLICATION; GRANT CREATE ON DATABASE " + database +
        " TO stranger");
    configure(Cluster::shared(), database, "stranger");
    const auto finished = run({"check"});
    EXPECT_EQ(finished.status, 1);
    EXPECT_EQ(
        finding(finished.out, "privileges"),
        "FAIL  privileges: role stranger lacks ownership of schema async_triggers (postgres has "
        "it); as an administrator run\n        GRANT postgres TO stranger;");
}

TEST_F(Check, FailsWithoutLogicalDecoding) {
    Cluster cluster(Cluster::Options{
        .settings = {{"wal_level", "replica"}, {"max_slot_wal_keep_size", "1GB"}}, .hba = {}});
    configure(cluster, "postgres");
    const auto finished = run({"check"});
    EXPECT_EQ(finished.status, 1);
    EXPECT_TRUE(finding(finished.out, "wal_level")
                    .starts_with("FAIL  wal_level: is replica, must be logical\n"
                                 "        ALTER SYSTEM SET wal_level = 'logical';"))
        << finished.out;
    EXPECT_EQ(finding(finished.out, "max_slot_wal_keep_size"), "ok    max_slot_wal_keep_size: 1GB");
}

TEST_F(Check, FailsWhenEverySlotIsTaken) {
    Cluster cluster(Cluster::Options{.settings = {{"max_replication_slots", "1"}}, .hba = {}});
    cluster.connect("postgres").exec("SELECT pg_create_physical_replication_slot('taken')");
    configure(cluster, "postgres");
    const auto finished = run({"check"});
    EXPECT_EQ(finished.status, 1);
    EXPECT_TRUE(finding(finished.out, "slots")
                    .starts_with("FAIL  slots: all 1 replication slots are taken\n"
                                 "        ALTER SYSTEM SET max_replication_slots = 6;"))
        << finished.out;
}

TEST_F(Check, FailsForASlotThatIsNotOurs) {
    const std::string database = Cluster::shared().create_database();
    auto session = Cluster::shared().connect(database);
    session.exec("SELECT pg_create_physical_replication_slot('theirs')");
    configure(Cluster::shared(), database, "postgres", "  slot_name: theirs\n");
    const auto finished = run({"check"});
    session.exec("SELECT pg_drop_replication_slot('theirs')");
    EXPECT_EQ(finished.status, 1);
    EXPECT_TRUE(finding(finished.out, "slot").starts_with("FAIL  slot: ")) << finished.out;
}

TEST_F(Check, FindsATriggerThatIsDisabledOrMissing) {
    const std::string database = subscribed_database();
    auto session = Cluster::shared().connect(database);
    session.exec("ALTER TABLE users DISABLE TRIGGER async_triggers_insert");
    auto finished = run({"check"});
    EXPECT_EQ(finished.status, 1);
    EXPECT_EQ(
        finding(finished.out, "triggers"),
        "FAIL  triggers: subscription \"signup\": trigger async_triggers_insert is disabled on "
        "public.users\n"
        "        alter table public.users enable trigger async_triggers_insert;");
    session.exec("DROP TRIGGER async_triggers_insert ON users");
    finished = run({"check"});
    EXPECT_EQ(finished.status, 1);
    EXPECT_EQ(
        finding(finished.out, "triggers"),
        "FAIL  triggers: subscription \"signup\": trigger async_triggers_insert on public.users is "
        "missing\n"
        "        select async_triggers.refresh_triggers();");
    session.exec("SELECT async_triggers.refresh_triggers()");
    EXPECT_EQ(run({"check"}).status, 0);
}

TEST_F(Check, FindsAColumnThatIsGone) {
    const std::string database = subscribed_database();
    Cluster::shared().connect(database).exec("ALTER TABLE users DROP COLUMN email");
    const auto finished = run({"check"});
    EXPECT_EQ(finished.status, 1);
    EXPECT_EQ(finding(finished.out, "triggers"),
              "FAIL  triggers: subscription \"signup\" of stream 1: column_names: "
              "public.users has no column email\n"
              "        Its columns are id. Names are case-sensitive here.");
}

TEST_F(Check, FindsATableThatIsGone) {
    const std::string database = subscribed_database();
    Cluster::shared().connect(database).exec("DROP TABLE users");
    const auto finished = run({"check"});
    EXPECT_EQ(finished.status, 1);
    EXPECT_TRUE(finding(finished.out, "triggers")
                    .starts_with("FAIL  triggers: subscription \"signup\" of stream 1: there is no "
                                 "table public.users\n"))
        << finished.out;
}

TEST_F(Check, WarnsOfWhatCouldNotBeDelivered) {
    const std::string database = subscribed_database();
    Cluster::shared().connect(database).exec(
        "INSERT INTO async_triggers.dead_letters (event_id, stream_id, event_created_at) "
        "VALUES (1, 1, now()), (2, 1, now()), (3, 2, now());"
        "INSERT INTO async_triggers.events (stream_id, payload) VALUES (1, '{}');"
        "UPDATE async_triggers.streams SET generation = 1, failover_checkpoint_id = 7, "
        "failover_checkpoint_ts = '2026-11-22 08:00Z'");
    const auto finished = run({"check"});
    EXPECT_EQ(finished.status, 0) << finished.out;
    EXPECT_TRUE(finding(finished.out, "dead letters")
                    .starts_with("WARN  dead letters: 2 events could not be delivered\n"))
        << finished.out;
    EXPECT_TRUE(finding(finished.out, "default partition")
                    .starts_with("WARN  default partition: holds 1 events"))
        << finished.out;
    EXPECT_TRUE(
        finding(finished.out, "partitions").starts_with("WARN  partitions: there is no events_"))
        << finished.out;
    EXPECT_TRUE(finding(finished.out, "stream")
                    .starts_with("WARN  stream: 1: in failover, the sink is down; undelivered from "
                                 "event 7\n"))
        << finished.out;
}

TEST_F(Check, SaysOfAFailoverWhySinceWhenHowManyWaitAndWhenTheSinkIsTriedAgain) {
    const std::string database = subscribed_database();
    auto session = Cluster::shared().connect(database);
    const auto stream_is = [&](const std::string &assignments) {
        session.exec("UPDATE async_triggers.streams SET generation = 1, failover_checkpoint_id = "
                     "7, failover_checkpoint_ts = now(), " +
                     assignments);
        const auto finished = run({"check"});
        EXPECT_EQ(finished.status, 0) << finished.out;
        return finding(finished.out, "stream");
    };
    EXPECT_EQ(
        stream_is("failover_since = now() - interval '2 h 14 min', failover_waiting = 12345, "
                  "failover_reason = E'unavailable: connect:\\nrefused', "
                  "next_attempt_at = now() + interval '100 h 30 min'"),
        "WARN  stream: 1: in failover for 2 h 14 min, the sink is down: unavailable: connect: "
        "refused; 12345 events wait; undelivered from event 7; next attempt in 4 d 04 h\n"
        "        see to the sink; the daemon goes on by itself, nothing is lost and no WAL is "
        "held meanwhile");
    EXPECT_EQ(
        stream_is("next_attempt_at = now() - interval '3 s'"),
        "WARN  stream: 1: in failover for 2 h 14 min, the sink is down: unavailable: connect: "
        "refused; 12345 events wait; undelivered from event 7; next attempt now\n"
        "        see to the sink; the daemon goes on by itself, nothing is lost and no WAL is "
        "held meanwhile");
    EXPECT_EQ(
        stream_is("next_attempt_at = now() - interval '1 h 5 min'"),
        "WARN  stream: 1: in failover for 2 h 14 min, the sink is down: unavailable: connect: "
        "refused; 12345 events wait; undelivered from event 7; the next attempt was due 1 h 05 "
        "min ago\n"
        "        see to the daemon: it does not run, or hangs\n"
        "        see to the sink; the daemon goes on by itself, nothing is lost and no WAL is "
        "held meanwhile");
    EXPECT_EQ(stream_is("next_attempt_at = null, failover_waiting = 99"),
              "WARN  stream: 1: in failover for 2 h 14 min, the sink is back and is given what "
              "waits; 99 events wait; undelivered from event 7\n"
              "        nothing to do: the stream goes on by itself when they are delivered");
    // The schema of the release before.
    session.exec("ALTER TABLE async_triggers.streams DROP COLUMN failover_since, "
                 "DROP COLUMN failover_reason, DROP COLUMN failover_waiting, "
                 "DROP COLUMN next_attempt_at");
    EXPECT_EQ(
        stream_is("updated_at = now()"),
        "WARN  stream: 1: in failover, the sink is down; undelivered from event 7\n"
        "        see to the sink; the daemon goes on by itself, nothing is lost and no WAL is "
        "held meanwhile");
}

TEST_F(Check, WarnsOfEventsThatWaitForHalfOfTheRetentionTime) {
    const std::string database = subscribed_database();
    auto session = Cluster::shared().connect(database);
    session.exec("INSERT INTO async_triggers.events (stream_id, created_at, payload) "
                 "VALUES (1, now() - interval '80 hours', '{}')");
    EXPECT_EQ(finding(run({"check"}).out, "undelivered"),
              "ok    undelivered: no event waits for more than 84 hours, half of "
              "stream.partitions.retention_days");
    session.exec("INSERT INTO async_triggers.streams (id) VALUES (2);"
                 "INSERT INTO async_triggers.events (stream_id, created_at, payload) "
                 "VALUES (1, '2026-03-04 05:06:07.08Z', '{}'), (2, '2026-03-05Z', '{}')");
    const auto finished = run({"check"});
    EXPECT_EQ(finished.status, 0) << finished.out;
    EXPECT_NE(
        finished.out.find(
            "WARN  undelivered: stream 1 has events that wait since 2026-03-04 "
            "05:06:07.080000+00: first event 2; their partitions are kept, and the table grows\n"
            "        start the daemon if it does not run; if it does, see to the sink: its log "
            "says why events are not taken\n"
            "WARN  undelivered: stream 2 has events that wait since 2026-03-05 "
            "00:00:00.000000+00: first event 3; their partitions are kept, and the table grows\n"
            "        see to that stream's daemon and its sink; if the stream has ended: "
            "postgres-async-triggers teardown --stream 2\n"),
        std::string::npos)
        << finished.out;

    configure(Cluster::shared(), database, "postgres",
              "  partitions: {retention_days: 3650, drop_undelivered: true}\n");
    EXPECT_TRUE(finding(run({"check"}).out, "undelivered").starts_with("ok ")) << finished.out;
    configure(Cluster::shared(), database, "postgres",
              "  partitions: {retention_days: 2, drop_undelivered: true}\n");
    EXPECT_NE(finding(run({"check"}).out, "undelivered")
                  .find("after 2 days they are lost, as stream.partitions.drop_undelivered says"),
              std::string::npos);
}

TEST_F(Check, NamesAPluginThatIsNotThere) {
    configure("sink: {type: nosuch}\n");
    const auto finished = run({"check"});
    EXPECT_EQ(finished.status, 1);
    EXPECT_TRUE(finding(finished.out, "plugin").starts_with("FAIL  plugin: ")) << finished.out;
    EXPECT_NE(finding(finished.out, "plugin").find("nosuch"), std::string::npos) << finished.out;
}

TEST_F(Check, ShowsWhatThePluginDoesNotTake) {
    configure("sink: {type: memory, capacity: lots, nonsense: 1}\n");
    const auto finished = run({"check"});
    EXPECT_EQ(finished.status, 1);
    const std::string text = finding(finished.out, "plugin");
    EXPECT_TRUE(text.starts_with("FAIL  plugin: memory does not take this configuration:\n"))
        << finished.out;
    EXPECT_NE(text.find("        ./config.yaml:1: sink.capacity: "), std::string::npos) << text;
    EXPECT_NE(text.find("        ./config.yaml:1: sink.nonsense: "), std::string::npos) << text;
}

TEST_F(Check, SaysWhatThePluginItselfRefuses) {
    configure("plugins: {directory: " + built("plugins") +
              "}\nsink: {type: http, url: \"https://h.example/{queue_name}\"}\n");
    const auto finished = run({"check"});
    EXPECT_EQ(finished.status, 1);
    EXPECT_TRUE(finding(finished.out, "plugin")
                    .starts_with("FAIL  plugin: sink http: url: has a placeholder that is not a "
                                 "JSON pointer"))
        << finished.out;
}

TEST_F(Check, WarnsOfASinkWhoseReceiverIsNotThere) {
    support::HttpReceiver receiver;
    const std::string url = receiver.url();
    const auto settings = "plugins: {directory: " + built("plugins") +
                          "}\nsink: {type: http, url: \"" + url + "\"}\n";
    configure(Cluster::shared(), Cluster::shared().create_database(), "postgres", settings);
    auto finished = run({"check"});
    EXPECT_EQ(finished.status, 0) << finished.out;
    EXPECT_TRUE(finding(finished.out, "plugin").starts_with("ok    plugin: http ")) << finished.out;
    receiver.stop();
    finished = run({"check"});
    EXPECT_EQ(finished.status, 0) << finished.out;
    const std::string found = finding(finished.out, "plugin");
    EXPECT_TRUE(found.starts_with("WARN  plugin: http ")) << finished.out;
    EXPECT_NE(found.find(") does not take events now: "), std::string::npos) << found;
    EXPECT_NE(found.find("\n        see to the receiver"), std::string::npos) << found;
}

TEST_F(Check, IsHarmedByNoPlugin) {
    const auto found = [&](const std::string &settings) {
        configure("plugins: {directory: " + built("zoo") + "}\nsink: {type: unruly, " + settings +
                  "}\n");
        const auto finished = run({"check"});
        EXPECT_EQ(finished.status, 1) << finished.out;
        // It went on.
        EXPECT_NE(finding(finished.out, "connection"), "") << finished.out;
        return finding(finished.out, "plugin");
    };
    // A sanitizer leaves this crash as it is.
    EXPECT_EQ(found("create: abort"),
              "FAIL  plugin: unruly.so: create() crashed: SIGABRT: abort() was called");
    EXPECT_EQ(found("probe: hang"),
              "FAIL  plugin: unruly.so: probe() has not returned a second after its deadline");
    EXPECT_EQ(found("destroy: hang"),
              "FAIL  plugin: unruly.so: destroy() has not returned within a second");
}

} // namespace

} // namespace pgat::cli
