#include "base/own_thread.hpp"

namespace pgat {

namespace {

// Of the program itself, so reading it in a signal handler allocates nothing.
thread_local bool ours = false;

} // namespace

void this_thread_is_ours() noexcept { ours = true; }

bool is_own_thread() noexcept { return ours; }

} // namespace pgat
