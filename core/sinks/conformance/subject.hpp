// The plugin that is tried, as the kit's own process knows it and as each check's process finds it.
#pragma once

#include <filesystem>
#include <functional>
#include <string>
#include <string_view>

#include <nlohmann/json.hpp>
#include <pgat/sink.h>

#include "config/config.hpp"
#include "sinks/conformance/trial_sink.hpp"
#include "sinks/plugin.hpp"

namespace pgat::conformance {

struct Subject {
    std::filesystem::path file; // canonical, except for its last part
    bool settings_given = false;
    nlohmann::json settings = nlohmann::json::object(); // where they are given
    config::Places places;

    // Learned by the first checks, for those after them: whether probe() and publish() end at all, and whether
    // the receiver was there.
    bool may_probe = true;
    bool may_publish = true;
    bool receiver_there = false;
    // Known only where the check of one event was run: the event got its answer.
    bool answers = false;

    // How long a publish() of events that should arrive is given.
    std::chrono::milliseconds deadline() const {
        return std::chrono::milliseconds(receiver_there ? 5000 : 500);
    }
};

// What follows runs in the process of a check, and loads the plugin into it. Each throws what a check ends by.

// Its entry point. Names what is done on the slate.
pgat_sink_entry_fn load(const Subject &subject);

struct Opened {
    sinks::Plugin plugin;
    nlohmann::json settings;
    std::string config; // the settings as the plugin is given them
    std::string origin; // where the settings are from
};

// Its table, as the daemon reads it.
sinks::Plugin read_table_of(const Subject &subject);

// With settings to make a sink of: those that are given, else {} where the schema allows it, else what the
// schema itself gives as default or example. Lives as long as the process.
const Opened &open(const Subject &subject);

// A whole life: create, probe, two batches, one after cancellation, destroy. `after` hears of each step once it
// is done.
void live(const Subject &subject, TrialSink &sink,
          const std::function<void(std::string_view step)> &after);

// Makes the working directory one that is gone already, so that a sink makes no files under odd names that it
// is given.
void leave_for_nowhere();

// What the kit says of an Error of the daemon's, to the author: without the file's name, and without the
// advice to report it to him.
std::string for_the_author(const Subject &subject, std::string text);

} // namespace pgat::conformance
