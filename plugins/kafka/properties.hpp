// librdkafka's own properties, as the user gives them under `properties`: which go through, which break the
// sink and are refused, and which give up a guarantee and are warned of.
#pragma once

#include <string_view>

#include "kafka/settings.hpp"
#include "pgat/sink.hpp"

namespace pgat::kafka {

// Adds the user's to settings.properties, and to settings.warnings. Throws Failure(PGAT_E_CONFIG).
void add_user_properties(const plugin::Host &host, std::string_view config, Settings &settings);

// The last value of a property, by any of its names. Empty: it is not set.
std::string_view value_of(const Properties &properties, std::string_view name) noexcept;

} // namespace pgat::kafka
