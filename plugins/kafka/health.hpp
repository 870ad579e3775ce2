// What is known of the brokers as a whole, from librdkafka's errors and from what arrives.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

#include <librdkafka/rdkafka.h>

namespace pgat::kafka {

class Health {
  public:
    using Clock = std::chrono::steady_clock;

    // Some broker answered.
    void heard() noexcept { down_since_.reset(); }
    void error(rd_kafka_resp_err_t code, std::string_view text) {
        if (code == RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN) {
            if (!down_since_) down_since_ = Clock::now();
            return;
        }
        if (code == RD_KAFKA_RESP_ERR__FATAL) return; // asked for where it matters
        refuses_us_ = code == RD_KAFKA_RESP_ERR__AUTHENTICATION || code == RD_KAFKA_RESP_ERR__SSL;
        // "… failed: Connection refused (after 0ms in state CONNECT, 1 identical error(s) suppressed)"
        last_error_ = text.substr(0, text.rfind(" (after "));
    }

    bool all_down() const noexcept { return down_since_.has_value(); }
    // All brokers have been down for so long that waiting on makes no sense.
    bool hopeless() const noexcept {
        return down_since_ && (refuses_us_ || Clock::now() - *down_since_ >= patience);
    }
    // What librdkafka said last; empty: nothing so far.
    const std::string &last_error() const noexcept { return last_error_; }

  private:
    // A broker that restarts, or one that moved, is back in that time.
    static constexpr std::chrono::seconds patience{2};

    std::optional<Clock::time_point> down_since_;
    bool refuses_us_ = false;
    std::string last_error_;
};

} // namespace pgat::kafka
