// A stream with a receiver to replay it to, and what a replay may not touch.
#pragma once

#include <csignal>
#include <sstream>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "cli/gate.hpp"
#include "support/daemon.hpp"
#include "support/http_receiver.hpp"
#include "support/waiting.hpp"

namespace pgat::cli {

using support::Cluster;
using support::Daemon;
using support::eventually;
using support::HttpAnswer;
using support::HttpReceiver;
using support::HttpRequest;
using support::Process;
using support::Site;
using Ids = std::vector<std::int64_t>;

inline std::int64_t item_in(const HttpRequest &request) {
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

} // namespace pgat::cli
