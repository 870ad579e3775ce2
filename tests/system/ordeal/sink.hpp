// The sink: an HTTP endpoint with weather. What it takes goes to the ledger at the moment it is taken.
#pragma once

#include <atomic>
#include <chrono>
#include <random>
#include <string>
#include <thread>

#include "ledger.hpp"
#include "pause.hpp"
#include "support/http_receiver.hpp"

namespace pgat::ordeal {

enum class Weather {
    clear,
    slow,        // 5 to 20 ms an answer
    unavailable, // 503, with Retry-After
    failing,     // 500
    partial,     // 500 for some rows, again and again
    rejecting,   // 422 for some
    hanging,     // no answer in time
    losing,      // takes the event, and no answer in time
    away,        // connections refused
};
const char *name_of(Weather weather);

class WeatheredSink {
  public:
    // How long the daemon waits for an answer.
    static constexpr std::chrono::milliseconds timeout{3000};

    explicit WeatheredSink(Ledger &ledger);
    ~WeatheredSink();
    WeatheredSink(const WeatheredSink &) = delete;
    WeatheredSink &operator=(const WeatheredSink &) = delete;

    // The lines below `sink:`.
    std::string configuration() const;
    void set(Weather weather);

    // Changes the weather again and again until settle(), which clears it for good. `bad`: what comes stays for
    // long, and is clear only for moments.
    void let_it_change(std::uint64_t seed, bool bad = false);
    void settle();

  private:
    support::HttpAnswer answer(const support::HttpRequest &request);
    void change(std::uint64_t seed, bool bad);

    Ledger &ledger_;
    Pause over_;
    std::atomic<Weather> weather_{Weather::clear};
    std::atomic<std::uint32_t> answers_{0};
    support::HttpReceiver receiver_;
    bool listening_ = true;
    std::thread changing_;
};

} // namespace pgat::ordeal
