// What systemd hears of the daemon: the test is at the other end of $NOTIFY_SOCKET.
#include <cerrno>
#include <csignal>
#include <fstream>
#include <map>

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "support/temporary_folder.hpp"
#include "system/outage_site.hpp"

namespace pgat {
namespace {

using support::Daemon;
using support::eventually;
using support::Site;

class Systemd : public testing::Test {
  protected:
    Systemd() {
        sockaddr_un address{};
        address.sun_family = AF_UNIX;
        path.copy(address.sun_path, sizeof address.sun_path - 1);
        if (fd < 0 || ::bind(fd, reinterpret_cast<const sockaddr *>(&address), sizeof address) != 0)
            throw std::system_error(errno, std::generic_category(), path);
    }
    ~Systemd() override { ::close(fd); }

    // As of a unit with WatchdogSec=1.
    std::map<std::string, std::string> environment() const {
        return {{"NOTIFY_SOCKET", path}, {"WATCHDOG_USEC", "1000000"}};
    }
    // All that came so far.
    const std::string &heard() {
        char message[4096];
        for (ssize_t size = 0; (size = ::recv(fd, message, sizeof message, MSG_DONTWAIT)) > 0;)
            text.append(message, static_cast<std::size_t>(size));
        return text;
    }
    bool hears(const std::string &what) {
        return eventually([&] { return heard().find(what) != std::string::npos; });
    }

    const support::TemporaryFolder folder{"systemd"};
    const std::string path = (folder.path() / "notify").string();
    const int fd = ::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    std::string text;
};

TEST_F(Systemd, HearsThatTheDaemonIsUpThatItLivesHowItIsAndThatItEnds) {
    OutageSite site;
    Daemon daemon(site.configuration(), environment());
    EXPECT_TRUE(hears("READY=1\n")) << daemon.err();
    EXPECT_TRUE(hears("STATUS=streaming\n")) << heard();
    EXPECT_TRUE(eventually([&] { return support::occurrences(heard(), "WATCHDOG=1\n") >= 4; }));
    EXPECT_EQ(support::occurrences(heard(), "READY=1\n"), 1U);
    site.lose_sink(1);
    EXPECT_TRUE(hears("STATUS=failover: the sink is down, events wait in the table\n")) << heard();
    text.clear();
    site.give_sink_back();
    EXPECT_TRUE(hears("STATUS=streaming\n")) << heard();
    EXPECT_EQ(heard().find("STOPPING"), std::string::npos);
    EXPECT_EQ(daemon.stop(), 0);
    EXPECT_NE(heard().find("STOPPING=1\nSTATUS=stopping\nEXTEND_TIMEOUT_USEC=15000000\n"),
              std::string::npos)
        << heard();
}

TEST_F(Systemd, HearsThatTheDaemonIsUpThoughItsDatabaseIsAway) {
    Site site(support::Cluster::shared());
    const auto nobody = support::free_port();
    Daemon daemon(site.configure("  type: memory\n", "", nobody), environment());
    EXPECT_TRUE(hears("READY=1\n")) << daemon.err();
    EXPECT_TRUE(hears("STATUS=disconnected: ")) << heard();
    EXPECT_EQ(daemon.stop(), 0);
}

TEST_F(Systemd, IsNotToldThatADaemonIsUpWhoseConfigurationCanNeverWork) {
    Site site(support::Cluster::shared());
    Daemon daemon(site.configure("  type: nosuch\n"), environment());
    EXPECT_EQ(daemon.wait(), 2) << daemon.err();
    EXPECT_EQ(heard().find("READY"), std::string::npos) << heard();
}

} // namespace
} // namespace pgat
