// A stream into an HTTP sink that the test takes away and gives back.
#pragma once

#include <string>

#include <gtest/gtest.h>

#include "support/daemon.hpp"
#include "support/http_receiver.hpp"
#include "support/waiting.hpp"

namespace pgat {

class OutageSite : public support::Site {
  public:
    explicit OutageSite(support::Cluster &cluster = support::Cluster::shared()) : Site(cluster) {
        subscribe_to_items();
    }

    // Small steps, so that an outage is one after a tenth of a second and over as soon as the sink is back.
    std::filesystem::path configuration(const std::string &more = "", std::uint16_t port = 0) {
        return configure(
            "  type: http\n  url: " + receiver.url() + "\n",
            "  retry: {attempts: 3, initial_backoff_ms: 10, max_backoff_ms: 200}\n" + more, port);
    }
    // Begins an outage and waits until the row says so. The first event that cannot be delivered is `item`.
    void lose_sink(std::int64_t item) {
        receiver.stop();
        insert_items(item, item);
        ASSERT_TRUE(support::eventually([&] { return status() == "failover"; }));
    }
    void give_sink_back() {
        receiver.start();
        ASSERT_TRUE(support::eventually([&] { return status() == "streaming"; }));
    }

    std::string status() {
        return std::string(
            exec("SELECT status FROM async_triggers.streams WHERE id = $1", {stream()}).text(0, 0));
    }
    // A column of the stream's row as text; "-": null.
    std::string row(const std::string &column) {
        const auto found = exec(
            "SELECT (" + column + ")::text FROM async_triggers.streams WHERE id = $1", {stream()});
        return found.null(0, 0) ? "-" : std::string(found.text(0, 0));
    }
    Lsn confirmed() {
        const auto slot =
            exec("SELECT confirmed_flush_lsn FROM pg_replication_slots WHERE slot_name = $1",
                 {slot_name()});
        return slot.empty() || slot.null(0, 0) ? Lsn() : slot.lsn(0, 0);
    }
    Lsn wal() { return exec("SELECT pg_current_wal_insert_lsn()").lsn(0, 0); }
    std::string slot_name() const { return slot(); }

    // The items that the sink took, in the order in which it took them.
    std::vector<std::int64_t> items() const {
        std::string bodies;
        for (const auto &request : receiver.requests())
            bodies += request.body + "\n";
        return support::item_ids(bodies);
    }

    support::HttpReceiver receiver;
};

} // namespace pgat
