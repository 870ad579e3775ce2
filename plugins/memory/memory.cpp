// The sink that takes everything at once: keeps the last payloads in memory, and prints them if asked
// to. For first steps, for tests, and as the measure of what everything before a sink costs.
#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <string_view>
#include <system_error>

#include <unistd.h>

#include "memory/lines.hpp"
#include "memory/ring.hpp"
#include "pgat/sink.hpp"

namespace {

using namespace pgat::plugin;
using pgat::memory::Lines;
using pgat::memory::Ring;

constexpr std::string_view schema = R"json({
  "$schema": "https://json-schema.org/draft/2020-12/schema",
  "type": "object",
  "additionalProperties": false,
  "properties": {
    "capacity": {
      "type": "integer", "minimum": 0, "maximum": 100000000, "default": 1000,
      "description": "How many of the last payloads are kept"
    },
    "print": {
      "type": "boolean", "default": false,
      "description": "Write each payload as a line to standard output"
    }
  }
})json";

class MemorySink {
  public:
    MemorySink(Host host, std::string_view config)
        : host_(host),
          ring_(static_cast<std::size_t>(host.integer(config, "/capacity").value_or(1000))),
          print_(host.boolean(config, "/print").value_or(false)), lines_(STDOUT_FILENO),
          bytes_(host.counter("payload_bytes_total", "Bytes of payload taken")),
          kept_(host.gauge("kept_events", "Payloads kept now")) {}

    void publish(const Batch &batch, Outcomes &outcomes) {
        if (print_) {
            print(batch, outcomes);
        } else {
            take(batch, 0, batch.size(), outcomes);
        }
    }

  private:
    void take(const Batch &batch, std::uint32_t first, std::uint32_t end, Outcomes &outcomes) {
        std::uint64_t bytes = 0;
        for (std::uint32_t i = first; i < end; ++i)
            bytes += batch[i].payload().size();
        // What this very batch would push out again is not worth a copy.
        const auto kept =
            static_cast<std::uint32_t>(std::min<std::size_t>(end - first, ring_.capacity()));
        for (std::uint32_t i = end - kept; i < end; ++i)
            ring_.keep(batch[i].payload());
        outcomes.delivered(first, end - first);
        bytes_.add(bytes);
        kept_.set(static_cast<double>(ring_.size()));
    }

    void print(const Batch &batch, Outcomes &outcomes) {
        std::uint32_t first = 0;
        for (std::uint32_t i = 0; i < batch.size(); ++i) {
            lines_.add(batch[i].payload());
            if (lines_.pending() < block && i + 1 < batch.size()) continue;
            const Lines::Result result =
                lines_.write(batch.cancel_fd(), [this] { return host_.cancelled(); });
            const int error = errno;
            const auto printed = static_cast<std::uint32_t>(result.lines);
            if (printed > 0) take(batch, first, first + printed, outcomes);
            if (result.end == Lines::End::cancelled)
                throw Failure(PGAT_E_CANCELLED, "stopped while standard output took nothing");
            if (result.end == Lines::End::failed)
                throw Failure(PGAT_E_UNAVAILABLE, "cannot write to standard output: " +
                                                      std::system_category().message(error));
            first = i + 1;
        }
    }

    static constexpr std::size_t block = 65536;

    Host host_;
    Ring ring_;
    bool print_;
    Lines lines_;
    Counter bytes_;
    Gauge kept_;
};

} // namespace

PGAT_EXPORT_SINK(MemorySink, .type = "memory", .version = PGAT_SINK_VERSION,
                 .description = "keeps the last events in memory, and prints them if asked to",
                 .license = "MIT", .config_schema = schema)
