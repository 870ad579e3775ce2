#include "sinks/conformance/subject.hpp"

#include <cstdlib>
#include <optional>

#include <fmt/format.h>
#include <unistd.h>

#include "base/error.hpp"
#include "sinks/config_schema.hpp"
#include "sinks/conformance/slate.hpp"
#include "sinks/conformance/trial_settings.hpp"
#include "sinks/library.hpp"

namespace pgat::conformance {
namespace {

std::optional<nlohmann::json> fitting(const nlohmann::json &schema, nlohmann::json settings) {
    if (!sinks::check_settings(schema, settings, "sink").empty()) return std::nullopt;
    return settings;
}

} // namespace

std::string for_the_author(const Subject &subject, std::string text) {
    for (const std::string &noise :
         {subject.file.string() + ": ", subject.file.filename().string() + ": "})
        if (text.starts_with(noise)) text.erase(0, noise.size());
    constexpr std::string_view faulty = ": the plugin is faulty, report it to its author";
    if (text.ends_with(faulty)) text.resize(text.size() - faulty.size());
    return text;
}

pgat_sink_entry_fn load(const Subject &subject) {
    slate().enter("loading it", patience);
    try {
        // Never closed: the process ends with it.
        const auto &library = *new sinks::Library(sinks::open_library(subject.file));
        const auto entry = sinks::sink_entry(library, subject.file);
        slate().leave();
        return entry;
    } catch (const Error &error) {
        fail(for_the_author(subject, error.what()));
    }
}

sinks::Plugin read_table_of(const Subject &subject) {
    const pgat_sink_entry_fn entry = load(subject);
    slate().enter("pgat_sink_entry()", patience);
    const pgat_sink_plugin *table = nullptr;
    try {
        table = entry(PGAT_ABI_MAJOR, PGAT_ABI_MINOR);
    } catch (...) {
        fail("pgat_sink_entry() threw an exception");
    }
    slate().leave();
    try {
        return sinks::read_table(table, subject.file);
    } catch (const Error &error) {
        fail(for_the_author(subject, error.what()));
    }
}

const Opened &open(const Subject &subject) {
    auto &opened = *new Opened;
    opened.plugin = read_table_of(subject);
    const nlohmann::json &schema = opened.plugin.schema;
    if (subject.settings_given) {
        opened.origin = "--config";
        opened.settings = subject.settings;
        if (const auto problems = sinks::check_settings(schema, opened.settings, "sink");
            !problems.empty())
            fail("the settings of --config do not fit its schema: " +
                 sinks::to_text(problems, subject.places));
    } else if (const auto empty = fitting(schema, nlohmann::json::object())) {
        opened.origin = "no settings";
        opened.settings = *empty;
    } else if (const auto made = fitting(schema, sample_of(schema))) {
        opened.origin = "settings made of its schema's defaults and examples";
        opened.settings = *made;
    } else {
        skip(
            "it needs settings, and its schema has no default or example for each that is required",
            {"give them with --config FILE, as in a daemon's configuration"});
    }
    opened.config = opened.settings.dump();
    return opened;
}

void leave_for_nowhere() {
    std::string name = std::filesystem::temp_directory_path() / "pgat-check-XXXXXX";
    if (::mkdtemp(name.data()) == nullptr) return;
    if (::chdir(name.c_str()) == 0) ::rmdir(name.c_str());
}

void live(const Subject &subject, TrialSink &sink,
          const std::function<void(std::string_view step)> &after) {
    sink.require();
    after("create()");
    if (subject.may_probe && sink.has_probe()) {
        sink.probe(subject.deadline());
        after("probe()");
    }
    if (subject.may_publish) {
        for (const std::uint32_t count : {1U, 20U}) {
            TrialBatch batch(count == 1 ? one_event() : usual_events(count));
            sink.publish(batch, count == 1 ? "one event" : "20 events", subject.deadline());
            after("publish()");
        }
        sink.host().cancel();
        TrialBatch batch(usual_events(20));
        sink.publish(batch, "20 events after cancellation", subject.deadline());
        after("publish()");
    }
    sink.destroy();
    after("destroy()");
}

} // namespace pgat::conformance
