#include "support/daemon.hpp"

#include <algorithm>
#include <atomic>
#include <charconv>
#include <csignal>
#include <cstdlib>
#include <fstream>
#include <numeric>
#include <stdexcept>

#include <fmt/format.h>

namespace pgat::support {

namespace fs = std::filesystem;

fs::path program() {
    const char *const build = std::getenv("PGAT_BUILD_DIR"); // NOLINT(concurrency-mt-unsafe)
    return fs::absolute(build == nullptr ? "." : build) / "bin" / "postgres-async-triggers";
}

Site::Site(Cluster &cluster) : cluster_(&cluster), database_(cluster.create_database()) {
    static std::atomic<std::int64_t> streams{0};
    stream_ = ++streams;
    role_ = fmt::format("daemon_{}", stream_);
    exec(fmt::format("DROP ROLE IF EXISTS {0}; CREATE ROLE {0} LOGIN REPLICATION;"
                     "GRANT CREATE ON DATABASE {1} TO {0}",
                     role_, database_));
    exec("CREATE TABLE public.items (id bigint PRIMARY KEY, name text, n int NOT NULL DEFAULT 0)");
    exec(fmt::format("GRANT TRIGGER ON public.items TO {}", role_));
}

postgres::Result Site::exec(const std::string &sql, const postgres::Parameters &parameters) {
    return connect().exec(sql, parameters);
}

fs::path Site::configure(const std::string &sink, const std::string &stream, std::uint16_t port) {
    const auto file = folder_.path() / fmt::format("config-{}.yaml", ++files_);
    std::ofstream(file) << fmt::format("stream:\n"
                                       "  id: {}\n"
                                       "  pg_connection:\n"
                                       "    host: 127.0.0.1\n"
                                       "    port: {}\n"
                                       "    name: {}\n"
                                       "    username: {}\n"
                                       "{}"
                                       "sink:\n"
                                       "{}"
                                       "observability:\n"
                                       "  listen: \"\"\n",
                                       stream_, port == 0 ? cluster_->port() : port, database_,
                                       role_, stream, sink);
    return file;
}

void Site::subscribe_to_items(const std::string &sink) {
    const auto migrated = run_program({"--config", configure(sink), "migrate"});
    if (migrated.status != 0)
        throw std::runtime_error(
            fmt::format("migrate ended with status {}: {}", migrated.status, migrated.err));
    exec("INSERT INTO async_triggers.subscriptions"
         " (key, stream_id, operation, schema_name, table_name, column_names)"
         " VALUES ('item-added', $1, 'INSERT', 'public', 'items', '{id}')",
         {stream_});
}

void Site::insert_items(std::int64_t first, std::int64_t last) {
    exec("INSERT INTO public.items SELECT i, 'item ' || i FROM generate_series($1::bigint, $2) i",
         {first, last});
}

std::string Site::make_past_day(int days_ago) {
    auto sql = connect();
    const auto day =
        sql.exec("SELECT 'events_' || to_char(day, 'YYYYMMDD'), day::text, (day + 1)::text FROM"
                 " (SELECT (now() AT TIME ZONE 'UTC')::date - $1::int) _(day)",
                 {days_ago});
    sql.exec(
        fmt::format("SET ROLE {}; CREATE TABLE async_triggers.{} PARTITION OF async_triggers.events"
                    " FOR VALUES FROM ('{} 00:00:00+00') TO ('{} 00:00:00+00')",
                    role_, day.text(0, 0), day.text(0, 1), day.text(0, 2)));
    return std::string(day.text(0, 0));
}

void Site::write_in_the_past(int days_ago, int count, std::int64_t stream) {
    exec("INSERT INTO async_triggers.events (stream_id, created_at, payload)"
         " SELECT $1, date_trunc('day', now(), 'UTC') - make_interval(days => $2::int) +"
         " interval '1 hour', jsonb_build_object('new', jsonb_build_object('id', -i, 'n', 0))"
         " FROM generate_series(1, $3::int) i",
         {stream == 0 ? stream_ : stream, days_ago, count});
}

Finished Site::run_program(std::vector<std::string> arguments) const {
    arguments.insert(arguments.begin(), program().string());
    return run(std::move(arguments),
               {.environment = {}, .directory = folder_.path(), .as_postgres = false});
}

int Daemon::stop() {
    signal(SIGTERM);
    const int status = wait(std::chrono::seconds(30)).value_or(-1);
    wait_for_end_of_output();
    return status;
}

std::vector<std::int64_t> numbers(std::int64_t first, std::int64_t last) {
    std::vector<std::int64_t> all(static_cast<std::size_t>(last - first + 1));
    std::iota(all.begin(), all.end(), first);
    return all;
}

std::vector<std::int64_t> item_ids(const std::string &lines) {
    constexpr std::string_view mark = "\"id\": ";
    std::vector<std::int64_t> ids;
    // A kill may have cut the last line short.
    const auto end = lines.rfind('\n');
    if (end == std::string::npos) return ids;
    for (auto at = lines.find(mark); at < end; at = lines.find(mark, at)) {
        at += mark.size();
        std::int64_t id = 0;
        std::from_chars(lines.data() + at, lines.data() + end, id);
        ids.push_back(id);
    }
    return ids;
}

std::vector<std::int64_t> once_each(const std::vector<std::int64_t> &ids) {
    std::vector<std::int64_t> firsts;
    std::vector<std::int64_t> seen;
    for (const auto id : ids) {
        const auto at = std::lower_bound(seen.begin(), seen.end(), id);
        if (at != seen.end() && *at == id) continue;
        seen.insert(at, id);
        firsts.push_back(id);
    }
    return firsts;
}

std::size_t occurrences(std::string_view log, std::string_view what) {
    std::size_t count = 0;
    for (auto at = log.find(what); at != log.npos; at = log.find(what, at + what.size()))
        ++count;
    return count;
}

} // namespace pgat::support
