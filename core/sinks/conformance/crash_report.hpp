// What a crash was, in words, for the author of the plugin: the signal, where the code stood, and what of ours
// it touched. Written to the slate by a handler, which then ends the process: no core file, no second message.
#pragma once

#include <cstddef>

namespace pgat::conformance {

// For the process of one check, on its main thread and its stack.
void report_crashes();

// Memory of ours that must not be touched, and what to say if it is: "beyond the end of a payload". The text
// is a literal. [main thread]
void name_forbidden(const void *begin, std::size_t size, const char *what);

} // namespace pgat::conformance
