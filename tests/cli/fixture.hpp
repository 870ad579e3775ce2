// Runs the real program, and reads what it says and how it ends.
#pragma once

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "support/cluster.hpp"
#include "support/process.hpp"
#include "support/temporary_folder.hpp"

namespace pgat::cli {

class CliTest : public testing::Test {
  protected:
    // A file of this build.
    static std::string built(const std::string &path) {
        const char *build = std::getenv("PGAT_BUILD_DIR"); // NOLINT(concurrency-mt-unsafe)
        return std::string(build == nullptr ? "." : build) + "/" + path;
    }
    static std::string binary() { return built("bin/postgres-async-triggers"); }

    // In a folder of its own, so that no config.yaml of the surroundings is found.
    support::Finished run(std::vector<std::string> arguments,
                          std::map<std::string, std::string> environment = {}) const {
        arguments.insert(arguments.begin(), binary());
        return support::run(std::move(arguments),
                            {.environment = std::move(environment), .directory = folder()});
    }

    std::string write(const std::string &name, const std::string &text) const {
        const auto path = folder() / name;
        std::ofstream(path, std::ios::binary) << text;
        return path.string();
    }

    // config.yaml, where the program finds it.
    void configure(const std::string &yaml) const { write("config.yaml", yaml); }
    void configure(const support::Cluster &cluster, const std::string &database,
                   const std::string &user = "postgres", const std::string &more = "") const {
        configure(fmt::format("stream:\n  pg_connection: {{host: 127.0.0.1, port: {}, name: {}, "
                              "username: {}}}\n{}",
                              cluster.port(), database, user, more));
    }

    const std::filesystem::path &folder() const { return folder_.path(); }

  private:
    const support::TemporaryFolder folder_{"cli"};
};

// The line of `check` about one thing with what stands below it; empty: none.
inline std::string finding(const std::string &out, const std::string &check) {
    const auto name = out.find("  " + check + ": ");
    if (name == std::string::npos) return {};
    const auto begin = out.rfind('\n', name) + 1; // npos + 1 is the first character
    auto end = out.find('\n', name);
    while (end != std::string::npos && out.compare(end + 1, 8, "        ") == 0)
        end = out.find('\n', end + 1);
    return out.substr(begin, end - begin);
}

} // namespace pgat::cli
