// The end of a process in which a plugin crashes: one line on standard error that says whose fault it was, the marker
// for the next start, and then what would have happened anyway, core dump included.
//
// SIGSEGV, SIGBUS, SIGFPE, SIGILL and SIGABRT. A crash is a plugin's if the thread is inside one of its functions or is
// none of ours (own_thread.hpp). A signal that another process sent is nobody's crash. A stack that has run over is
// noticed on the sink's own thread alone, the only one with a stack for it.
//
// Once a process; everything it is given outlives it.
#pragma once

#include <string>

#include "base/identifiers.hpp"
#include "sinks/call_watch.hpp"

namespace pgat::sinks {

class CrashHandler {
  public:
    // Into `marker` goes what the next start is to know; -1: nothing is kept.
    CrashHandler(const CallWatch &calls, StreamId stream, int marker);
    // As it was before.
    ~CrashHandler();
    CrashHandler(const CrashHandler &) = delete;
    CrashHandler &operator=(const CrashHandler &) = delete;
};

// While it stands, signals of the calling thread have a stack of their own: a function that calls itself for ever
// leaves none.
class SignalStack {
  public:
    SignalStack();
    ~SignalStack();
    SignalStack(const SignalStack &) = delete;
    SignalStack &operator=(const SignalStack &) = delete;

  private:
    void *memory_;
};

} // namespace pgat::sinks
