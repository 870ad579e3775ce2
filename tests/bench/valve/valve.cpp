// The memory sink with a valve: while a file exists it is down, else it takes everything at once and counts
// what came twice or out of order. A payload begins with the number of the event and that of its writer.
#include <charconv>
#include <cstdint>
#include <string>
#include <string_view>

#include <unistd.h>

#include "pgat/sink.hpp"
#include "valve/tally.hpp"

namespace {

using namespace pgat::plugin;

constexpr std::string_view schema = R"json({
  "type": "object",
  "additionalProperties": false,
  "required": ["closed_by", "tally"],
  "properties": {
    "closed_by": {"type": "string", "description": "While this file exists, the sink is down"},
    "tally": {"type": "string", "description": "The file of counts"}
  }
})json";

// Moves `text` behind the number that follows `key`.
std::size_t number_after(std::string_view key, std::string_view &text) {
    std::size_t number = 0;
    if (!text.starts_with(key)) throw Failure(PGAT_E_BROKEN, "no number: " + std::string(text));
    const auto end = text.data() + text.size();
    text = {std::from_chars(text.data() + key.size(), end, number).ptr, end};
    return number;
}

class Valve {
  public:
    Valve(Host host, std::string_view config)
        : closed_by_(*host.text(config, "/closed_by")), tally_(*host.text(config, "/tally")) {}

    void publish(const Batch &batch, Outcomes &outcomes) {
        if (::access(closed_by_.c_str(), F_OK) == 0) {
            tally_.refuse();
            throw Failure(PGAT_E_UNAVAILABLE, "the valve is closed");
        }
        for (std::uint32_t i = 0; i < batch.size(); ++i) {
            std::string_view payload = batch[i].payload();
            // jsonb puts short keys first.
            const auto number = number_after("{\"n\": ", payload);
            const auto writer = number_after(", \"w\": ", payload);
            tally_.take(writer, number, batch[i].commit_lsn() == 0);
        }
        tally_.stamp();
        outcomes.delivered(0, batch.size());
    }

  private:
    const std::string closed_by_;
    pgat::bench::Tally tally_;
};

} // namespace

PGAT_EXPORT_SINK(Valve, .type = "valve", .version = "1.0.0",
                 .description = "Takes events, or is down, as a file says", .license = "MIT",
                 .config_schema = schema)
