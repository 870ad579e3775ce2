// One plugin that uses all of the interface. It is built against every released header, today's, and a
// made-up next one, and does what each event's metadata says; what it sees it says as a rejection.
#include <string>

#include <pgat/sink.hpp>
#include <pgat/template.hpp>

namespace {

using namespace pgat::plugin;

// Which of the members that the made-up header has the other side knows of.
std::string made_up([[maybe_unused]] const Host &host, [[maybe_unused]] const Batch &batch) {
#ifdef PGAT_MADE_UP
    std::string seen;
    if (PGAT_HAS(pgat_host, host.raw(), made_up)) seen += " host";
    if (PGAT_HAS(pgat_batch, batch.raw(), made_up)) seen += " batch";
    if (PGAT_HAS(pgat_event, batch[0].raw(), made_up)) seen += " event";
    return seen.empty() ? " nothing" : seen;
#else
    return " not asked";
#endif
}

class Sample {
  public:
    Sample(Host host, std::string_view config)
        : host_(host), greeting_(host.text(config, "/greeting").value_or("")),
          limit_(host.integer(config, "/limit").value_or(-1)),
          seen_(host.counter("seen_total", "Events seen")),
          level_(host.gauge("level", "Events of the last batch")) {
        host.each(config, "/list", [this](std::string_view, const Json &member) {
            list_ += std::string(member.text) + ";";
        });
        if (greeting_ == "refuse me") throw Failure(PGAT_E_CONFIG, "greeting: refused");
        host.info("made");
    }

    void publish(const Batch &batch, Outcomes &outcomes) {
        level_.set(batch.size());
        for (std::uint32_t i = 0; i < batch.size(); ++i) {
            seen_.add();
            const Event event = batch[i];
            const std::string what = host_.text(event.metadata(), "/do").value_or("deliver");
            if (what == "deliver") {
                outcomes.delivered(i);
            } else if (what == "retry") {
                outcomes.retry(i, "later", std::chrono::milliseconds(1500));
            } else if (what == "unavailable") {
                throw Failure(PGAT_E_UNAVAILABLE, "nobody there", std::chrono::seconds(2));
            } else if (what == "throw") {
                throw std::runtime_error("thrown");
            } else if (what == "render") {
                std::string text;
                const Template line("{/a} and {metadata:/do}");
                const auto missing = line.render(host_, event, Template::Encoding::raw, text);
                outcomes.rejected(i, missing.value_or(text));
            } else {
                outcomes.rejected(i, describe(event, batch) + made_up(host_, batch));
            }
        }
    }

    void probe(TimePoint deadline) {
        if (deadline == TimePoint::max()) throw Failure(PGAT_E_UNAVAILABLE, "no deadline");
    }

  private:
    std::string describe(const Event &event, const Batch &batch) const {
        return greeting_ + " " + std::to_string(limit_) + " " + list_ + " " +
               std::string(event.id()) + " " + std::string(event.key()) + " " +
               std::to_string(event.attempt()) + " " + std::to_string(event.stream_id()) + " " +
               std::to_string(event.xid()) + " " + std::to_string(event.commit_lsn()) + " " +
               std::to_string(event.created_at_us()) + " " + std::to_string(batch.size()) +
               (batch.deadline() > std::chrono::steady_clock::now() ? " in time" : " late") +
               (host_.cancelled() ? " cancelled" : "");
    }

    Host host_;
    std::string greeting_;
    std::int64_t limit_;
    std::string list_;
    Counter seen_;
    Gauge level_;
};

} // namespace

PGAT_EXPORT_SINK(Sample, .type = "sample", .version = "1.0.0", .description = "says what it sees",
                 .license = "MIT", .config_schema = R"({
                     "type": "object", "additionalProperties": false, "properties": {
                         "greeting": {"type": "string"}, "limit": {"type": "integer"},
                         "list": {"type": "array"}}})",
                 .max_batch = 3)
