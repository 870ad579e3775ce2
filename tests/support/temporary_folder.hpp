// A folder of the test's own, gone with the object. Header-only: programs without pgat_test_support use it too.
#pragma once

#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <string_view>
#include <system_error>

namespace pgat::support {

class TemporaryFolder {
  public:
    // `what` tells whose it is, should a killed test leave it behind.
    explicit TemporaryFolder(std::string_view what) {
        std::string name = std::filesystem::temp_directory_path() / "pgat-";
        name.append(what).append("-XXXXXX");
        if (::mkdtemp(name.data()) == nullptr)
            throw std::system_error(errno, std::generic_category(), "mkdtemp " + name);
        path_ = std::filesystem::canonical(name);
    }
    ~TemporaryFolder() {
        std::error_code ignored;
        std::filesystem::remove_all(path_, ignored);
    }
    TemporaryFolder(const TemporaryFolder &) = delete;
    TemporaryFolder &operator=(const TemporaryFolder &) = delete;

    const std::filesystem::path &path() const noexcept { return path_; }

  private:
    std::filesystem::path path_;
};

} // namespace pgat::support
