// Where one request goes: the URL and the headers that differ from event to event, filled in from an event.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "http/settings.hpp"
#include "pgat/sink.hpp"

namespace pgat::http {

struct Target {
    std::string url;
    std::vector<std::string> values; // of the headers with placeholders, in their order
};

// Fills in `target`. Returns why the event can never be sent, if so: a value is missing, a header would
// hold a control character, or the path would lead somewhere else.
std::optional<std::string> render_target(const plugin::Host &host, const Settings &settings,
                                         const plugin::Event &event, Target &target);

// For each event of the batch a number, equal where the targets are. An event without a target has a
// number of its own.
std::vector<std::uint32_t> group_by_target(const plugin::Host &host, const Settings &settings,
                                           const plugin::Batch &batch);

} // namespace pgat::http
