// An event as a CloudEvent 1.0 in structured JSON (https://cloudevents.io): the payload unchanged as `data`.
#pragma once

#include <string>
#include <string_view>

#include "http/settings.hpp"
#include "pgat/sink.hpp"

namespace pgat::http {

// Appends the CloudEvent to `out`. On failure returns why the event cannot be one, and `out` holds a
// useless beginning.
std::optional<std::string> append_cloudevent(const plugin::Host &host, const Settings &settings,
                                             const plugin::Event &event, std::string &out);

// Appends `text` as a JSON string.
void append_json_string(std::string &out, std::string_view text);

// Microseconds since 1970 as RFC 3339, "2026-11-22T08:00:00.000123Z".
std::string rfc3339(std::int64_t microseconds);

} // namespace pgat::http
