// The real program on a database of the test's own: schema, a role without privileges beyond those
// documented, a table of somebody else's, and any number of daemons.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "postgres/connection.hpp"
#include "support/cluster.hpp"
#include "support/process.hpp"
#include "support/temporary_folder.hpp"

namespace pgat::support {

// Where the build put the program.
std::filesystem::path program();

// A database with the users' tables, and one stream of it. The stream's number is not used by any other
// test of the cluster, since slots belong to the whole cluster.
class Site {
  public:
    explicit Site(Cluster &cluster);
    Site(const Site &) = delete;
    Site &operator=(const Site &) = delete;

    std::int64_t stream() const noexcept { return stream_; }
    const std::string &database() const noexcept { return database_; }
    // The daemon's, with no rights but those that the documentation asks for.
    const std::string &role() const noexcept { return role_; }
    Cluster &cluster() noexcept { return *cluster_; }
    // From now on it is looked at on another server, which has the database too: a standby, a copy.
    void move_to(Cluster &cluster) noexcept { cluster_ = &cluster; }
    std::string slot() const { return "async_triggers_stream_" + std::to_string(stream_); }

    // As the owner of the users' tables (a superuser, so that the test can look everywhere).
    postgres::Result exec(const std::string &sql, const postgres::Parameters &parameters = {});
    postgres::Connection connect() const { return cluster_->connect(database_); }

    // Writes a configuration: the stream, then `stream` (lines indented by two below `stream:`), then
    // `sink` (likewise below `sink:`). The file's path.
    std::filesystem::path configure(const std::string &sink, const std::string &stream = "",
                                    std::uint16_t port = 0);
    // Applies the migrations and subscribes to inserts on public.items.
    void subscribe_to_items(const std::string &sink = "  type: memory\n");
    // Inserts one row a number, as one transaction.
    void insert_items(std::int64_t first, std::int64_t last);

    // The partition of a day so many days ago, as the daemon made it in its time: its name. And `count` events of
    // the stream (or another) with payloads {"new": {"id": -1, "n": 0}}, … written on that day: they go there, or
    // where there is none, into the default partition.
    std::string make_past_day(int days_ago);
    void write_in_the_past(int days_ago, int count, std::int64_t stream = 0);

    // Runs the program to its end.
    Finished run_program(std::vector<std::string> arguments) const;

  private:
    Cluster *cluster_;
    std::int64_t stream_;
    std::string database_;
    std::string role_;
    TemporaryFolder folder_{"site"};
    int files_ = 0;
};

// A daemon that runs. Its standard output is what the memory sink prints; its log is standard error.
class Daemon : public Process {
  public:
    explicit Daemon(const std::filesystem::path &configuration,
                    const std::map<std::string, std::string> &environment = {})
        : Process({program().string(), "--config", configuration.string(), "run"},
                  {.environment = with_state(environment, configuration.parent_path()),
                   .directory = "",
                   .as_postgres = false}) {}

    bool wait_until_streaming(std::chrono::milliseconds limit = std::chrono::seconds(30)) {
        return wait_for_err("streaming", limit);
    }
    // SIGTERM, then its exit status; -1 if it does not end.
    int stop();

  private:
    // What it leaves behind goes with the test.
    static std::map<std::string, std::string>
    with_state(std::map<std::string, std::string> environment,
               const std::filesystem::path &folder) {
        environment.emplace("STATE_DIRECTORY", folder.string());
        return environment;
    }
};

// The lines below `sink:` of a memory sink that prints.
inline constexpr const char *printing_sink = "  type: memory\n  print: true\n";

// first, first + 1, …, last.
std::vector<std::int64_t> numbers(std::int64_t first, std::int64_t last);

// What stands behind `"id": ` in each whole line, in order: new.id of payloads printed by the memory sink.
std::vector<std::int64_t> item_ids(const std::string &lines);

// The first delivery of each, in order.
std::vector<std::int64_t> once_each(const std::vector<std::int64_t> &ids);

// How often `what` stands in a log.
std::size_t occurrences(std::string_view log, std::string_view what);

} // namespace pgat::support
