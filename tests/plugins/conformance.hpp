// A sink of this build under `plugins check`, the real program, against the test's own receiver.
#pragma once

#include <cstdlib>
#include <fstream>
#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "support/process.hpp"
#include "support/temporary_folder.hpp"

namespace pgat::test {

// Fails the test for each check that fails, or that is skipped and not among `skipped`.
inline void expect_conformance(const std::string &type, const nlohmann::json &settings,
                               const std::vector<std::string> &skipped = {}) {
    const support::TemporaryFolder folder("check");
    const auto file = folder.path() / "sink.yaml";
    std::ofstream(file) << settings.dump();                  // JSON is YAML
    const std::string build = std::getenv("PGAT_BUILD_DIR"); // NOLINT(concurrency-mt-unsafe)
    const auto finished =
        support::run({build + "/bin/postgres-async-triggers", "plugins", "check",
                      build + "/plugins/" + type + ".so", "--config", file.string(), "--json"},
                     {}, std::chrono::seconds(120));
    const auto report = nlohmann::json::parse(finished.out, nullptr, false);
    ASSERT_TRUE(report.is_object()) << finished.out << finished.err;
    std::vector<std::string> left_out;
    for (const auto &check : report["checks"]) {
        EXPECT_NE(check["result"], "failed") << check.dump(2);
        if (check["result"] == "skipped") left_out.push_back(check["check"]);
    }
    EXPECT_EQ(left_out, skipped) << finished.out;
    EXPECT_EQ(finished.status, 0);
}

} // namespace pgat::test
