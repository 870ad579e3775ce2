// A sink that writes down when each numbered event reached it, and nothing else: the far end of the
// latency measurement, where a real sink would begin its work.
#include <cstdint>
#include <string_view>

#include "pgat/sink.hpp"
#include "stamps.hpp"

namespace {

using namespace pgat::plugin;

constexpr std::string_view schema = R"json({
  "type": "object",
  "additionalProperties": false,
  "required": ["stamps"],
  "properties": {"stamps": {"type": "string", "description": "The file of stamps"}}
})json";

class Meter {
  public:
    Meter(Host host, std::string_view config) : stamps_(*host.text(config, "/stamps")) {}

    void publish(const Batch &batch, Outcomes &outcomes) {
        for (std::uint32_t i = 0; i < batch.size(); ++i)
            stamps_.set_from(batch[i].payload());
        outcomes.delivered(0, batch.size());
    }

  private:
    pgat::bench::Stamps stamps_;
};

} // namespace

PGAT_EXPORT_SINK(Meter, .type = "meter", .version = "1.0.0",
                 .description = "Writes down when events arrive", .license = "MIT",
                 .config_schema = schema)
