// Named places at which a test build can end the process as a crash would: fault_point("cursor_stored").
//
// $PGAT_FAULT_POINT names one, with a colon and a number at the so-manyeth pass ("cursor_stored:3"); there the
// process ends with status fault_point_status, and no destructor runs. Without the build option
// PGAT_FAULT_POINTS a call is nothing, not even its name. From any thread.
#pragma once

namespace pgat {

inline constexpr int fault_point_status = 86;

#ifdef PGAT_FAULT_POINTS
void fault_point(const char *name) noexcept;
#else
inline constexpr void fault_point(const char *) noexcept {}
#endif

} // namespace pgat
