// A stream with dead letters, rows as the daemon writes them, and a receiver to deliver them to.
#pragma once

#include <map>
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
using support::HttpAnswer;
using support::HttpReceiver;
using support::HttpRequest;
using support::Process;
using support::Site;
// The number in a letter's payload.
inline std::int64_t number_in(const HttpRequest &request) {
    return nlohmann::json::parse(request.body).at("n").get<std::int64_t>();
}

class DeadLettersCommand : public testing::Test {
  protected:
    DeadLettersCommand() : site(Cluster::shared()) {
        site.subscribe_to_items();
        use_http("");
    }

    // `batch` is a YAML map.
    void use_http(const std::string &batch) {
        configuration =
            site.configure("  type: http\n  url: " + receiver.url() + "\n",
                           "  retry: {attempts: 3, initial_backoff_ms: 1, max_backoff_ms: 50}\n" +
                               (batch.empty() ? "" : "  batch: " + batch + "\n"));
    }

    // Letters of the events first to last, with payloads {"n": <id>}, that failed a minute ago.
    void keep(std::int64_t first, std::int64_t last, std::int64_t stream = 0) {
        site.exec("INSERT INTO async_triggers.dead_letters (stream_id, event_id, event_created_at,"
                  " payload, metadata, reason, attempts, failed_at)"
                  " SELECT $1, n, '2026-11-22 08:00:00.5+00'::timestamptz + n * interval '1 s',"
                  " jsonb_build_object('n', n), NULL, 'status 422', 2, now() - interval '1 min'"
                  " FROM generate_series($2::bigint, $3) n",
                  {stream == 0 ? site.stream() : stream, first, last});
    }

    support::Finished run(std::vector<std::string> arguments) const {
        arguments.insert(arguments.begin(), {"--config", configuration.string(), "dead-letters"});
        return site.run_program(std::move(arguments));
    }
    Process start(std::vector<std::string> arguments,
                  std::map<std::string, std::string> environment = {}) const {
        arguments.insert(arguments.begin(), {support::program().string(), "--config",
                                             configuration.string(), "dead-letters"});
        return Process(std::move(arguments), {std::move(environment), {}, false});
    }

    std::vector<std::int64_t> kept() {
        const auto rows = site.exec("SELECT event_id FROM async_triggers.dead_letters"
                                    " WHERE stream_id = $1 ORDER BY 1",
                                    {site.stream()});
        std::vector<std::int64_t> ids;
        for (int row = 0; row < rows.rows(); ++row)
            ids.push_back(rows.integer(row, 0));
        return ids;
    }
    std::vector<std::int64_t> received() const {
        std::vector<std::int64_t> numbers;
        for (const auto &request : receiver.requests())
            numbers.push_back(number_in(request));
        return numbers;
    }

    Site site;
    HttpReceiver receiver;
    std::filesystem::path configuration;
};

using Ids = std::vector<std::int64_t>;

} // namespace pgat::cli
