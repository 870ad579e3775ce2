// A configuration: whatever stands in the file and in the environment, it becomes a Config or one Error with
// remedy configure, which holds no value of a variable that only a secret may name. The input is lines of
// NAME=value for the environment up to an empty one, then the file.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include <sys/mman.h>
#include <unistd.h>

#include "base/error.hpp"
#include "config/load.hpp"

namespace {

using namespace pgat;

constexpr std::string_view secret = "correct-horse-battery-staple";

void require(bool holds) {
    if (!holds) std::abort();
}

// A file without a disk, the same one for every input.
class File {
  public:
    File() : fd_(::memfd_create("config.yaml", MFD_CLOEXEC)) { require(fd_ >= 0); }
    File(const File &) = delete;
    File &operator=(const File &) = delete;

    std::string path() const { return "/proc/self/fd/" + std::to_string(fd_); }
    void hold(std::string_view text) const {
        require(::ftruncate(fd_, 0) == 0);
        require(::pwrite(fd_, text.data(), text.size(), 0) == static_cast<ssize_t>(text.size()));
    }

  private:
    const int fd_;
};

config::Environment take_environment(std::string_view &input) {
    config::Environment::Variables variables;
    while (!input.empty() && input.front() != '\n') {
        const auto line = input.substr(0, input.find('\n'));
        input.remove_prefix(std::min(line.size() + 1, input.size()));
        const auto equals = line.find('=');
        if (equals == std::string_view::npos || line.find('\0') != std::string_view::npos) continue;
        variables.emplace(line.substr(0, equals), line.substr(equals + 1));
    }
    if (!input.empty()) input.remove_prefix(1);
    variables["FUZZ_SECRET"] = secret;
    return config::Environment(std::move(variables));
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t *data, std::size_t size) {
    static const File file;
    std::string_view input(reinterpret_cast<const char *>(data), size);
    const bool written_out = input.find(secret) != std::string_view::npos;
    const auto environment = take_environment(input);
    file.hold(input);
    try {
        const auto config = config::load(file.path(), environment);
        require(!config.stream.slot_name.empty() && !config.sink.type.empty());
    } catch (const Error &error) {
        require(error.remedy() == Remedy::configure);
        require(written_out || error.text().find(secret) == std::string::npos);
    }
    return 0;
}
