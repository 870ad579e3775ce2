// librdkafka's statistics as metrics of the daemon.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>

#include "pgat/sink.hpp"

namespace pgat::kafka {

class Statistics {
  public:
    explicit Statistics(const plugin::Host &host);

    // Takes in one document of librdkafka's. On the sink's thread.
    void read(std::string_view json);
    // The next one comes from a producer that counts from zero.
    void start_over() noexcept { before_ = {}; }

  private:
    struct Counts {
        std::uint64_t requests = 0;
        std::uint64_t bytes = 0;
        std::uint64_t errors = 0;
        std::uint64_t retries = 0;
        std::uint64_t timeouts = 0;
        std::uint64_t connections = 0;
        std::uint64_t disconnections = 0;
    };
    static void add(const plugin::Counter &counter, std::uint64_t &before, std::uint64_t now);

    plugin::Host host_;
    plugin::Counter requests_;
    plugin::Counter bytes_;
    plugin::Counter errors_;
    plugin::Counter retries_;
    plugin::Counter timeouts_;
    plugin::Counter connections_;
    plugin::Counter disconnections_;
    plugin::Gauge queued_;
    plugin::Gauge queued_bytes_;
    plugin::Gauge round_trip_;
    plugin::Gauge throttled_;
    Counts before_;
};

} // namespace pgat::kafka
