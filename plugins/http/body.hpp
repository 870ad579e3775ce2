// The body of a request: one event, or many as a JSON array or as lines, as payloads or as CloudEvents. A
// payload goes out byte for byte as it came.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "http/settings.hpp"
#include "pgat/sink.hpp"

namespace pgat::http {

// The body for `events`. It is `buffer`, or, where nothing needs to be added, the payload itself. Events
// that cannot be written are taken out of `events` and added to `refused` with the reason.
std::string_view compose(const plugin::Host &host, const Settings &settings,
                         const plugin::Batch &batch, std::vector<std::uint32_t> &events,
                         std::string &buffer,
                         std::vector<std::pair<std::uint32_t, std::string>> &refused);

} // namespace pgat::http
