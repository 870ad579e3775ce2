// The question before a command does what cannot be undone.
#pragma once

#include <string_view>

namespace pgat::cli {

// Shows the question and reads the answer; false: not "yes". Throws Error (configure) where there is no
// terminal to ask on; `action` is what the command asks before, as in "teardown asks before it removes
// anything".
bool confirmed(std::string_view action);

} // namespace pgat::cli
