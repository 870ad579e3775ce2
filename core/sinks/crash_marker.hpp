// What a crash of a plugin leaves behind for the next start of the daemon: a small file that says which function of
// which plugin crashed, and at which event.
//
// The handler of the signal cannot ask for anything, so the file is opened, locked and given its room on the disk
// beforehand. It lies in $STATE_DIRECTORY, which systemd sets from StateDirectory=; else in
// /var/lib/postgres-async-triggers if that may be written, else in $XDG_STATE_HOME or ~/.local/state, else in
// /var/tmp. Daemons of one host have files of their own: one a stream, and a further one for each that is in use.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

#include "base/identifiers.hpp"

namespace pgat::sinks {

// What a marker says.
struct Crash {
    StreamId stream;
    std::string plugin; // "http.so"
    std::string
        function; // "publish"; empty: none of them, a thread of the plugin's between two calls
    std::string signal;      // "SIGSEGV"
    bool own_thread = false; // of the plugin
    std::string token;       // drawn once by the process that crashed
    std::string
        event; // id as the sink knows it, of the first without a verdict; empty: none to blame
    EventId through; // the highest id of that call

    // "SIGSEGV in http.so publish()"
    std::string what() const;
};

// The marker in a file's content; nothing: it is not whole, or none of ours.
std::optional<Crash> read_marker(std::string_view content);

class CrashMarker {
  public:
    // Says in the log where it will be, or that there is no place for it.
    explicit CrashMarker(StreamId stream);
    // Removes the file, unless what it says is still to be heard.
    ~CrashMarker();
    CrashMarker(const CrashMarker &) = delete;
    CrashMarker &operator=(const CrashMarker &) = delete;

    // For the handler; -1: there is no place.
    int fd() const noexcept { return fd_; }
    // What an earlier process left here; what cannot be read was said in the log, and is forgotten.
    const std::optional<Crash> &found() const noexcept { return found_; }
    // It has been heard.
    void forget() noexcept;

  private:
    bool open(const std::filesystem::path &file);
    void read(StreamId stream);

    std::filesystem::path file_;
    int fd_ = -1;
    std::optional<Crash> found_;
};

} // namespace pgat::sinks
