#include "sinks/crash_marker.hpp"

#include <array>
#include <cerrno>
#include <charconv>
#include <cstdlib>
#include <map>
#include <system_error>
#include <vector>

#include <fcntl.h>
#include <fmt/format.h>
#include <spdlog/spdlog.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

namespace pgat::sinks {

namespace {

namespace fs = std::filesystem;

constexpr std::string_view first_line = "postgres-async-triggers crash 1";
constexpr std::size_t room = 4096;
// Daemons of one stream on one host: an active one and its standbys.
constexpr int most_daemons = 16;

std::string variable(const char *name) {
    const char *const value = std::getenv(name); // NOLINT(concurrency-mt-unsafe)
    return value == nullptr ? "" : value;
}

// Ours, and nobody else may write there.
bool usable(const fs::path &folder) {
    struct stat status {};
    return ::lstat(folder.c_str(), &status) == 0 && S_ISDIR(status.st_mode) &&
           status.st_uid == ::geteuid() && (status.st_mode & S_IWOTH) == 0 &&
           ::access(folder.c_str(), W_OK | X_OK) == 0;
}

bool usable_or_made(const fs::path &folder) {
    std::error_code ignored;
    if (!folder.parent_path().empty()) fs::create_directories(folder.parent_path(), ignored);
    ::mkdir(folder.c_str(), 0700);
    return usable(folder);
}

// Empty: there is none.
fs::path state_directory() {
    if (auto given = variable("STATE_DIRECTORY"); !given.empty()) {
        // systemd separates several by colons.
        const fs::path folder = given.substr(0, given.find(':'));
        ::mkdir(folder.c_str(), 0700);
        return ::access(folder.c_str(), W_OK | X_OK) == 0 ? folder : fs::path();
    }
    const fs::path packaged = "/var/lib/postgres-async-triggers";
    if (usable(packaged)) return packaged;
    const auto state = variable("XDG_STATE_HOME");
    const auto home = variable("HOME");
    if (!state.empty() || (!home.empty() && home != "/")) {
        const fs::path root = state.empty() ? fs::path(home) / ".local" / "state" : fs::path(state);
        const auto folder = root / "postgres-async-triggers";
        if (usable_or_made(folder)) return folder;
    }
    const fs::path folder = fmt::format("/var/tmp/postgres-async-triggers-{}", ::geteuid());
    return usable_or_made(folder) ? folder : fs::path();
}

} // namespace

std::string Crash::what() const {
    if (function.empty()) return fmt::format("{} in a thread of {}", signal, plugin);
    return fmt::format("{} in {}{} {}()", signal, own_thread ? "a thread of " : "", plugin,
                       function);
}

std::optional<Crash> read_marker(std::string_view content) {
    std::vector<std::string_view> lines;
    while (!content.empty()) {
        const auto end = content.find('\n');
        if (end == content.npos) return std::nullopt; // torn
        lines.push_back(content.substr(0, end));
        content.remove_prefix(end + 1);
    }
    if (lines.size() < 3 || lines.front() != first_line || lines.back() != "end")
        return std::nullopt;
    std::map<std::string_view, std::string_view> fields;
    for (std::size_t i = 1; i + 1 < lines.size(); ++i) {
        const auto space = lines[i].find(' ');
        if (space == lines[i].npos) return std::nullopt;
        fields[lines[i].substr(0, space)] = lines[i].substr(space + 1);
    }
    const auto number = [&](std::string_view name, std::int64_t &value) {
        const auto text = fields[name];
        const auto read = std::from_chars(text.data(), text.data() + text.size(), value);
        return read.ec == std::errc() && read.ptr == text.data() + text.size();
    };
    std::int64_t stream = 0;
    std::int64_t through = 0;
    if (!number("stream", stream) || !number("through", through)) return std::nullopt;
    Crash crash;
    crash.stream = StreamId(stream);
    crash.plugin = fields["plugin"];
    crash.function = fields["function"];
    crash.signal = fields["signal"];
    crash.own_thread = fields["thread"] == "own";
    crash.token = fields["token"];
    crash.event = fields["event"];
    crash.through = EventId(through);
    if (crash.plugin.empty() || crash.signal.empty() || crash.token.empty()) return std::nullopt;
    return crash;
}

CrashMarker::CrashMarker(StreamId stream) {
    const auto folder = state_directory();
    if (!folder.empty())
        for (int number = 0; number < most_daemons && fd_ < 0; ++number)
            if (!open(folder / (number == 0 ? fmt::format("crash-stream-{}", stream)
                                            : fmt::format("crash-stream-{}.{}", stream, number))))
                break;
    if (fd_ < 0) {
        spdlog::warn(
            "a crash of the plugin would not be remembered: there is no folder for it; set "
            "STATE_DIRECTORY to one that outlives the process");
        return;
    }
    spdlog::debug("a crash of the plugin would be remembered in {}", file_.string());
    read(stream);
}

// False: no file can be had here. True without a descriptor: it is another daemon's.
bool CrashMarker::open(const fs::path &file) {
    const int fd = ::open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0) return false;
    struct stat opened {};
    struct stat named {};
    // The one that had it may have removed it since we opened it.
    const bool locked = ::flock(fd, LOCK_EX | LOCK_NB) == 0;
    if (!locked || ::fstat(fd, &opened) != 0 || ::stat(file.c_str(), &named) != 0 ||
        opened.st_ino != named.st_ino) {
        const bool others = !locked && errno == EWOULDBLOCK;
        ::close(fd);
        return others || locked;
    }
    fd_ = fd;
    file_ = file;
    // A disk that is full then must not lose it.
    if (::fallocate(fd_, FALLOC_FL_KEEP_SIZE, 0, room) != 0)
        spdlog::debug("no room can be reserved for {}", file_.string());
    return true;
}

void CrashMarker::read(StreamId stream) {
    std::array<char, room> content{};
    const auto size = ::pread(fd_, content.data(), content.size(), 0);
    if (size <= 0) return;
    found_ = read_marker({content.data(), static_cast<std::size_t>(size)});
    if (found_ && found_->stream == stream) return;
    spdlog::warn("{} is not whole, or not of this stream: a crash of the plugin may have been cut "
                 "short; it is ignored, and no event is charged with it",
                 file_.string());
    forget();
}

void CrashMarker::forget() noexcept {
    found_.reset();
    if (fd_ >= 0 && ::ftruncate(fd_, 0) != 0) ::unlink(file_.c_str());
    if (fd_ >= 0) ::fallocate(fd_, FALLOC_FL_KEEP_SIZE, 0, room);
}

CrashMarker::~CrashMarker() {
    if (fd_ < 0) return;
    if (!found_) ::unlink(file_.c_str());
    ::close(fd_);
}

} // namespace pgat::sinks
