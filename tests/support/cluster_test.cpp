// What the other tests rely on without looking: nothing stays behind of a server that failed.
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <optional>
#include <stdexcept>
#include <string>

#include <gtest/gtest.h>

#include "support/cluster.hpp"
#include "support/temporary_folder.hpp"

namespace pgat::support {
namespace {

namespace fs = std::filesystem;

// Temporary folders are made below one of the test's own, which servers may pass through.
class ClusterTest : public testing::Test {
  protected:
    ClusterTest() {
        const char *const before = std::getenv("TMPDIR"); // NOLINT(concurrency-mt-unsafe)
        if (before != nullptr) before_ = before;
        fs::permissions(folder_.path(), fs::perms::owner_all | fs::perms::others_exec);
        ::setenv("TMPDIR", folder_.path().c_str(), 1); // NOLINT(concurrency-mt-unsafe)
    }
    ~ClusterTest() override {
        if (before_)
            ::setenv("TMPDIR", before_->c_str(), 1); // NOLINT(concurrency-mt-unsafe)
        else
            ::unsetenv("TMPDIR"); // NOLINT(concurrency-mt-unsafe)
    }

    bool left_nothing() const { return fs::is_empty(folder_.path()); }

  private:
    const TemporaryFolder folder_{"support"};
    std::optional<std::string> before_;
};

TEST_F(ClusterTest, ThatDoesNotStartLeavesNothingBehind) {
    std::string refusal;
    try {
        const Cluster cluster({.settings = {{"no_such_setting", "on"}}, .hba = {}});
    } catch (const std::runtime_error &error) {
        refusal = error.what();
    }
    EXPECT_NE(refusal.find("no_such_setting"), std::string::npos) << refusal;
    EXPECT_TRUE(left_nothing());
}

TEST_F(ClusterTest, TakesItsServerAndItsFolderAlong) {
    pid_t postmaster = 0;
    {
        const Cluster cluster;
        postmaster = cluster.postmaster();
        EXPECT_EQ(::kill(postmaster, 0), 0);
        EXPECT_FALSE(left_nothing());
    }
    EXPECT_EQ(::kill(postmaster, 0), -1);
    EXPECT_EQ(errno, ESRCH);
    EXPECT_TRUE(left_nothing());
}

} // namespace
} // namespace pgat::support
