// The file sink: what stands in the file, whatever happens to the file, the disk and the daemon.
#include <atomic>
#include <cerrno>
#include <csignal>
#include <fstream>
#include <set>
#include <thread>

#include <fcntl.h>
#include <gmock/gmock.h>
#include <sys/file.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/error.hpp"
#include "plugins/conformance.hpp"
#include "plugins/sink_under_test.hpp"
#include "support/temporary_folder.hpp"
#include "support/waiting.hpp"

namespace {

// What the sink's fdatasync() does while a test says so; how often it was called.
std::atomic<int> sync_error{0};
std::atomic<int> syncs{0};

} // namespace

// Found before the C library's by whatever is loaded later.
extern "C" __attribute__((visibility("default"))) int fdatasync(int) {
    ++syncs;
    if (sync_error == 0) return 0;
    errno = sync_error;
    return -1;
}

namespace pgat::test {
namespace {

using std::chrono::milliseconds;
using testing::ElementsAre;
using testing::HasSubstr;
namespace fs = std::filesystem;

class File : public testing::Test {
  protected:
    fs::path path() const { return folder_.path() / "events.ndjson"; }

    nlohmann::json settings(const nlohmann::json &more = nlohmann::json::object()) const {
        nlohmann::json all = {{"path", path().string()}};
        all.update(more);
        return all;
    }

    static std::string content(const fs::path &file) {
        std::ifstream stream(file, std::ios::binary);
        return {std::istreambuf_iterator<char>(stream), {}};
    }
    std::string content() const { return content(path()); }

    static std::vector<std::string> lines(const fs::path &file) {
        std::ifstream stream(file);
        std::vector<std::string> all;
        for (std::string line; std::getline(stream, line);)
            all.push_back(line);
        return all;
    }

    // The other files of the folder, oldest name first.
    std::vector<fs::path> rotated() const {
        std::set<fs::path> others;
        for (const auto &entry : fs::directory_iterator(folder_.path()))
            if (entry.path() != path()) others.insert(entry.path());
        return {others.begin(), others.end()};
    }

    support::TemporaryFolder folder_{"file"};
};

TEST_F(File, HoldsEachPayloadAsALine) {
    SinkUnderTest sink("file", settings());
    ASSERT_EQ(sink.publish(Events().add(R"({"a": 1})").add("[1,\n2]")).verdicts, verdicts(2));
    ASSERT_EQ(sink.publish(Events().add(R"("é")")).verdicts, verdicts(1));
    EXPECT_EQ(content(), "{\"a\": 1}\n[1, 2]\n\"é\"\n");
    EXPECT_EQ(sink.counter("lines_total"), 3U);
    EXPECT_EQ(sink.gauge("file_bytes"), 21);
    struct stat file {};
    ASSERT_EQ(stat(path().c_str(), &file), 0);
    EXPECT_EQ(file.st_mode & 07, 0U) << "not for everybody";
}

TEST_F(File, HoldsWholeEventsWhereItIsToldTo) {
    SinkUnderTest sink("file", settings({{"format", "event"}}));
    Events events;
    events.add(R"({"a": 1})", "a \"key\"\n", R"({"topic": "x"})").add("2");
    ASSERT_EQ(sink.publish(events).verdicts, verdicts(2));
    const auto all = lines(path());
    ASSERT_EQ(all.size(), 2U);
    EXPECT_EQ(
        nlohmann::json::parse(all[0]),
        nlohmann::json::parse(R"({"id": "event-1", "created_at": "2026-01-01T00:00:00.000123Z",
                  "key": "a \"key\"\n", "payload": {"a": 1}, "metadata": {"topic": "x"}})"));
    EXPECT_EQ(
        nlohmann::json::parse(all[1]),
        nlohmann::json::parse(R"({"id": "event-2", "created_at": "2026-01-01T00:00:00.000123Z",
                  "payload": 2})"));
}

TEST_F(File, KeepsEveryRuleOfItsInterface) {
    expect_conformance("file", settings({{"format", "event"}, {"rotate_bytes", 1000000}}),
                       {"secrets", "leaks-refused"});
}

TEST_F(File, LosesTheLineThatACrashHasTorn) {
    std::ofstream(path()) << "{\"n\":1}\n{\"n\":" << std::string(100000, '2');
    SinkUnderTest sink("file", settings());
    ASSERT_EQ(sink.publish(Events().add(R"({"n":2})")).verdicts, verdicts(1));
    EXPECT_EQ(content(), "{\"n\":1}\n{\"n\":2}\n");
}

TEST_F(File, HasWholeLinesOnlyAfterAKillInTheMiddleOfABatch) {
    Events events;
    for (int i = 0; i < 200; ++i)
        events.add("\"" + std::string(100000, static_cast<char>('a' + i % 26)) + "\"");
    const pid_t writer = fork();
    if (writer == 0) {
        try {
            SinkUnderTest sink("file", settings());
            while (sink.publish(events).status == Status::ok) {
            }
        } catch (...) {
        }
        _exit(1);
    }
    ASSERT_TRUE(support::eventually([&] {
        std::error_code none;
        return fs::file_size(path(), none) > 1000000 && !none;
    }));
    kill(writer, SIGKILL);
    ASSERT_EQ(waitpid(writer, nullptr, 0), writer);
    SinkUnderTest sink("file", settings());
    ASSERT_EQ(sink.publish(Events().add("\"last\"")).verdicts, verdicts(1));
    const auto all = lines(path());
    for (std::size_t i = 0; i + 1 < all.size(); ++i)
        ASSERT_EQ(all[i].size(), 100002U) << "line " << i;
    EXPECT_EQ(all.back(), "\"last\"");
}

// The kernel takes what fits below the limit and refuses the rest, as on a full disk.
TEST_F(File, HoldsNothingOfABatchThatDidNotFit) {
    SinkUnderTest sink("file", settings());
    ASSERT_EQ(sink.publish(Events().add("1")).verdicts, verdicts(1));
    rlimit before{};
    ASSERT_EQ(getrlimit(RLIMIT_FSIZE, &before), 0);
    const rlimit tight{100000, before.rlim_max};
    ASSERT_EQ(setrlimit(RLIMIT_FSIZE, &tight), 0);
    Events large;
    large.add("\"" + std::string(400000, 'x') + "\"").add("3");
    const Outcomes refused = sink.publish(large);
    setrlimit(RLIMIT_FSIZE, &before);
    EXPECT_EQ(refused.status, Status::unavailable);
    EXPECT_THAT(refused.reason,
                HasSubstr("cannot write: File too large: raise the daemon's limit"));
    EXPECT_EQ(refused.verdicts, verdicts(2, Verdict::not_attempted));
    EXPECT_EQ(content(), "1\n");
    EXPECT_EQ(sink.publish(large).verdicts, verdicts(2));
    EXPECT_EQ(lines(path()).size(), 3U);
}

TEST_F(File, TakesABatchForDeliveredOnlyOnceItIsOnTheDisk) {
    SinkUnderTest sink("file", settings());
    syncs = 0;
    ASSERT_EQ(sink.publish(Events().add("1")).verdicts, verdicts(1));
    EXPECT_EQ(syncs, 1);
    sync_error = EIO;
    const Outcomes refused = sink.publish(Events().add("2"));
    sync_error = 0;
    EXPECT_EQ(refused.status, Status::unavailable);
    EXPECT_THAT(refused.reason, HasSubstr("Input/output error"));
    EXPECT_EQ(content(), "1\n");
    SinkUnderTest fast("file", settings({{"fsync", "never"}}));
    syncs = 0;
    ASSERT_EQ(fast.publish(Events().add("2")).verdicts, verdicts(1));
    EXPECT_EQ(syncs, 0);
}

TEST_F(File, IsRotatedBeforeItGrowsTooLargeAndTheNewestStay) {
    SinkUnderTest sink("file", settings({{"rotate_bytes", 25}, {"keep", 2}}));
    std::ofstream(folder_.path() / "events.ndjson.mine") << "not the sink's";
    for (int i = 0; i < 10; ++i)
        ASSERT_EQ(sink.publish(Events().fill(2)).verdicts, verdicts(2));
    EXPECT_EQ(lines(path()).size(), 2U);
    const auto others = rotated();
    ASSERT_EQ(others.size(), 3U);
    EXPECT_EQ(lines(others[0]).size(), 2U);
    EXPECT_EQ(others[2].filename(), "events.ndjson.mine");
    EXPECT_EQ(sink.counter("rotations_total"), 9U);
}

TEST_F(File, BeginsAnewWithTheDayAlsoAfterARestart) {
    SinkUnderTest("file", settings()).publish(Events().add("1"));
    const timespec yesterday[2] = {{time(nullptr) - 86400, 0}, {time(nullptr) - 86400, 0}};
    ASSERT_EQ(utimensat(AT_FDCWD, path().c_str(), yesterday, 0), 0);
    SinkUnderTest sink("file", settings({{"rotate", "daily"}}));
    sink.publish(Events().add("2"));
    sink.publish(Events().add("3"));
    EXPECT_EQ(content(), "2\n3\n");
    ASSERT_EQ(rotated().size(), 1U);
    EXPECT_EQ(content(rotated()[0]), "1\n");
}

TEST_F(File, IsMadeAnewWhereItWasMovedAwayOrRemoved) {
    SinkUnderTest sink("file", settings());
    sink.publish(Events().add("1"));
    fs::rename(path(), folder_.path() / "moved");
    sink.publish(Events().add("2"));
    EXPECT_EQ(content(folder_.path() / "moved"), "1\n");
    EXPECT_EQ(content(), "2\n");
    fs::remove(path());
    EXPECT_EQ(sink.publish(Events().add("3")).verdicts, verdicts(1));
    EXPECT_EQ(content(), "3\n");
    fs::resize_file(path(), 0); // copytruncate
    EXPECT_EQ(sink.publish(Events().add("4")).verdicts, verdicts(1));
    EXPECT_EQ(content(), "4\n");
}

TEST_F(File, TakesWholeBatchesOfTwoSinksInTurn) {
    constexpr int batches = 40;
    constexpr std::size_t size = 50;
    const auto write = [&](const std::string &who) {
        SinkUnderTest sink("file", settings({{"fsync", "never"}, {"rotate_bytes", 40000}}));
        Events events;
        for (std::size_t i = 0; i < size; ++i)
            events.add("\"" + who + "\"");
        for (int i = 0; i < batches; ++i)
            while (sink.publish(events).status != Status::ok) {
            }
    };
    std::jthread other(write, "other");
    write("one");
    other.join();
    std::size_t total = 0;
    auto files = rotated();
    files.push_back(path());
    for (const auto &file : files) {
        const auto all = lines(file);
        total += all.size();
        ASSERT_EQ(all.size() % size, 0U) << file;
        for (std::size_t i = 0; i < all.size(); ++i)
            ASSERT_EQ(all[i], all[i - i % size]) << file << ": line " << i;
    }
    EXPECT_EQ(total, 2 * batches * size);
}

TEST_F(File, IsUnavailableWhileItsFolderIsAway) {
    const fs::path folder = folder_.path() / "mount";
    SinkUnderTest sink("file", settings({{"path", (folder / "events").string()}}));
    EXPECT_EQ(sink.probe().status, Status::unavailable);
    const Outcomes refused = sink.publish(Events().add("1"));
    EXPECT_EQ(refused.status, Status::unavailable);
    EXPECT_EQ(refused.reason, (folder / "events").string() +
                                  ": cannot create the file: No such file or directory: create "
                                  "its folder, or correct sink.path");
    fs::create_directory(folder);
    EXPECT_EQ(sink.probe().status, Status::ok);
    EXPECT_TRUE(fs::is_empty(folder)) << "a question makes no file";
    EXPECT_EQ(sink.publish(Events().add("1")).verdicts, verdicts(1));
    EXPECT_EQ(sink.probe().status, Status::ok);
}

TEST_F(File, WaitsForAnothersLockOnlyUntilTheDeadlineOrCancellation) {
    SinkUnderTest sink("file", settings());
    sink.publish(Events().add("1"));
    const int other = open(path().c_str(), O_RDONLY);
    ASSERT_EQ(flock(other, LOCK_EX), 0);
    const Outcomes late = sink.publish(Events().add("2"), milliseconds(100));
    EXPECT_EQ(late.status, Status::unavailable);
    EXPECT_THAT(late.reason, HasSubstr("another process keeps its lock"));
    sink.sink().cancel();
    EXPECT_EQ(sink.publish(Events().add("2")).status, Status::cancelled);
    close(other);
    EXPECT_EQ(content(), "1\n");
}

TEST_F(File, IsNoFolderDeviceOrPipe) {
    EXPECT_THROW(SinkUnderTest("file", settings({{"path", "/tmp/"}})), Error);
    EXPECT_THROW(SinkUnderTest("file", settings({{"path", std::string("/tmp/a\0b", 8)}})), Error);
    EXPECT_THROW(SinkUnderTest("file", settings({{"permissions", "999"}})), Error);
    SinkUnderTest sink("file", settings({{"path", "/dev/null"}}));
    const Outcomes refused = sink.publish(Events().add("1"));
    EXPECT_EQ(refused.status, Status::unavailable);
    EXPECT_THAT(refused.reason, HasSubstr("is no regular file"));
}

} // namespace
} // namespace pgat::test
