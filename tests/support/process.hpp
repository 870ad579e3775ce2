// A child process with its output gathered as it comes. It dies with the test that started it.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include <sys/types.h>

namespace pgat::support {

class Process {
  public:
    struct Options {
        std::map<std::string, std::string> environment; // added to ours
        std::string directory;                          // working directory; empty: ours
        bool as_postgres = false; // when we are root: run as an unprivileged user
    };

    // Starts argv[0] (found through PATH). Throws std::runtime_error if it cannot be started.
    explicit Process(std::vector<std::string> argv) : Process(std::move(argv), Options{}) {}
    Process(std::vector<std::string> argv, const Options &options);
    // Kills it if it still runs.
    ~Process();
    Process(const Process &) = delete;
    Process &operator=(const Process &) = delete;

    pid_t pid() const noexcept { return pid_; }
    void signal(int number) const;
    bool running();
    // The exit status, or 128 + the signal that killed it. Nothing: it still runs after `limit`.
    std::optional<int> wait(std::chrono::milliseconds limit = std::chrono::seconds(30));

    // What it wrote so far to standard output, and to standard error.
    std::string out() const;
    std::string err() const;
    // Both wait until the text has been written. False: not within `limit`, or its end came first.
    bool wait_for_out(std::string_view text,
                      std::chrono::milliseconds limit = std::chrono::seconds(30));
    bool wait_for_err(std::string_view text,
                      std::chrono::milliseconds limit = std::chrono::seconds(30));

    // Lines written to standard output so far; and until there are so many.
    std::size_t out_lines() const;
    bool wait_for_out_lines(std::size_t count,
                            std::chrono::milliseconds limit = std::chrono::seconds(30));
    // Reads its standard output no further once there are so many lines: then it stands, as soon as the pipe
    // is full, wherever it is. All of it is read by default.
    void read_out_lines_up_to(std::size_t count);
    // Waits until it has closed both; what it started may still hold them open.
    bool wait_for_end_of_output(std::chrono::milliseconds limit = std::chrono::seconds(5));

    // Resident memory now, and at its peak, in bytes. 0 once it has ended.
    std::size_t resident() const;
    std::size_t peak_resident() const;

  private:
    struct Captured {
        std::string text;
        std::size_t lines = 0;
        std::size_t most_lines = SIZE_MAX;
        bool ended = false;
    };
    void gather(int fd, Captured &into);
    bool wait_for(const Captured &in, std::string_view text, std::chrono::milliseconds limit);
    std::size_t memory_field(std::string_view name) const;

    pid_t pid_ = -1;
    std::optional<int> status_;
    mutable std::mutex mutex_;
    std::condition_variable more_;
    Captured out_;
    Captured err_;
    std::thread out_reader_;
    std::thread err_reader_;
};

struct Finished {
    int status;
    std::string out;
    std::string err;
};

// Runs a program to its end.
Finished run(std::vector<std::string> argv, const Process::Options &options = {},
             std::chrono::milliseconds limit = std::chrono::seconds(60));

// The user that servers run as when we are root: postgres where it exists, else nobody. Nothing otherwise.
struct Account {
    uid_t user;
    gid_t group;
};
std::optional<Account> unprivileged_account();

} // namespace pgat::support
