// A stream into the zoo's unruly plugin, whose deliveries outlive the daemons.
#pragma once

#include <fstream>
#include <initializer_list>
#include <map>
#include <sstream>
#include <string>

#include <fmt/format.h>

#include "support/daemon.hpp"
#include "support/waiting.hpp"

namespace pgat {

class UnrulySite : public support::Site {
  public:
    explicit UnrulySite(support::Cluster &cluster = support::Cluster::shared()) : Site(cluster) {
        const auto migrated = run_program({"--config", configure("  type: memory\n"), "migrate"});
        if (migrated.status != 0) throw std::runtime_error(migrated.err);
        exec("INSERT INTO async_triggers.streams (id) VALUES ($1)", {stream()});
    }

    // A key of the plugin's configuration from now on.
    void sink_option(const std::string &key, const std::string &value) { options_[key] = value; }
    std::filesystem::path configuration(const std::string &more = "") {
        const auto zoo = support::program().parent_path().parent_path() / "zoo";
        std::string sink = fmt::format("  type: unruly\n  out: {}\n  while: {}\n", out().string(),
                                       while_there().string());
        for (const auto &[key, value] : options_)
            sink += fmt::format("  {}: \"{}\"\n", key, value);
        return configure(sink + "plugins:\n  directory: " + zoo.string() + "\n", more);
    }

    // Events as an application writes them, each in a transaction of its own; `what` says how the plugin misbehaves.
    void write(std::int64_t number, const std::string &what = "") {
        exec("INSERT INTO async_triggers.events (stream_id, payload)"
             " VALUES ($1, jsonb_build_object('n', $2::bigint, 'do', $3::text))",
             {stream(), number, what});
    }
    void write(std::initializer_list<std::int64_t> all) {
        for (const auto number : all)
            write(number);
    }
    // One transaction.
    void write_at_once(std::int64_t first, std::int64_t last, std::int64_t bad = 0,
                       const std::string &what = "") {
        exec("INSERT INTO async_triggers.events (stream_id, payload)"
             " SELECT $1, jsonb_build_object('n', i, 'do', CASE WHEN i = $4::bigint THEN $5 ELSE "
             "'' END)"
             " FROM generate_series($2::bigint, $3::bigint) i",
             {stream(), first, last, bad, what});
    }

    // What was delivered, as it was delivered.
    std::vector<std::int64_t> delivered() const {
        std::ifstream file(out());
        std::vector<std::int64_t> all;
        for (std::string line; std::getline(file, line);)
            all.push_back(std::stoll(line.substr(6)));
        return all;
    }
    std::vector<std::int64_t> delivered_once() const { return support::once_each(delivered()); }
    bool delivers(std::size_t count) const {
        return support::eventually([&] { return delivered_once().size() >= count; });
    }
    std::string walsender() {
        return std::string(exec("SELECT coalesce(active_pid, 0) FROM pg_replication_slots WHERE"
                                " slot_name = $1",
                                {slot()})
                               .text(0, 0));
    }

    std::filesystem::path out() const { return folder_.path() / "delivered"; }
    std::filesystem::path while_there() const { return folder_.path() / "hang"; }

  private:
    support::TemporaryFolder folder_{"unruly"};
    std::map<std::string, std::string> options_;
};

} // namespace pgat
