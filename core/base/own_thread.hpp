// Which threads are the program's own: all others were started by a plugin, or by its libraries.
//
// Every thread of ours says so when it begins. Asked by the handler of fatal signals, to tell whose crash it is.
#pragma once

namespace pgat {

void this_thread_is_ours() noexcept;
// Async-signal-safe.
bool is_own_thread() noexcept;

} // namespace pgat
