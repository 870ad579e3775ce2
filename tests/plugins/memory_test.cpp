// The memory sink: what it keeps, and what it prints.
#include <gtest/gtest.h>

#include <climits>
#include <csignal>
#include <fcntl.h>
#include <sys/ioctl.h>
#include <thread>
#include <unistd.h>

#include "base/error.hpp"
#include "base/wakeup.hpp"
#include "memory/lines.hpp"
#include "memory/ring.hpp"
#include "plugins/sink_under_test.hpp"
#include "support/waiting.hpp"

namespace pgat::test {

using memory::Lines;
using memory::Ring;

namespace {

// Standard output is a pipe while this lives.
class Stdout {
  public:
    Stdout() : before_(dup(STDOUT_FILENO)) {
        EXPECT_EQ(pipe(pipe_), 0);
        dup2(pipe_[1], STDOUT_FILENO);
        close(pipe_[1]);
    }
    ~Stdout() {
        restore();
        close_reader();
    }

    void restore() {
        if (before_ < 0) return;
        dup2(before_, STDOUT_FILENO);
        close(before_);
        before_ = -1;
    }
    void close_reader() {
        if (pipe_[0] >= 0) close(pipe_[0]);
        pipe_[0] = -1;
    }
    bool is_full() const {
        int waiting = 0;
        ioctl(pipe_[0], FIONREAD, &waiting);
        return waiting > fcntl(pipe_[0], F_GETPIPE_SZ) - PIPE_BUF;
    }
    // All that was written, once nobody can write any more.
    std::string read_all() {
        restore();
        std::string text;
        char block[65536];
        for (ssize_t n = 0; (n = read(pipe_[0], block, sizeof block)) > 0;)
            text.append(block, static_cast<std::size_t>(n));
        return text;
    }

  private:
    int before_;
    int pipe_[2] = {-1, -1};
};

std::string read_available(int fd) {
    std::string text(1000000, '\0');
    const ssize_t size = read(fd, text.data(), text.size());
    text.resize(size > 0 ? static_cast<std::size_t>(size) : 0);
    return text;
}

} // namespace

TEST(MemoryRing, KeepsTheLastTextsByAge) {
    Ring ring(3);
    for (const char *text : {"1", "2"})
        ring.keep(text);
    EXPECT_EQ(ring.size(), 2U);
    EXPECT_EQ(ring[0], "1");
    for (const char *text : {"3", "4", "5"})
        ring.keep(text);
    EXPECT_EQ(ring.size(), 3U);
    EXPECT_EQ(ring[0], "3");
    EXPECT_EQ(ring[1], "4");
    EXPECT_EQ(ring[2], "5");
}

TEST(MemoryRing, MayKeepNothing) {
    Ring ring(0);
    ring.keep("x");
    EXPECT_EQ(ring.size(), 0U);
}

TEST(Memory, TakesEverything) {
    SinkUnderTest sink("memory", nlohmann::json::object());
    for (const std::size_t count : {1U, 1000U, 5000U}) {
        const Outcomes outcomes = sink.publish(Events().fill(count));
        EXPECT_EQ(outcomes.status, Status::ok);
        EXPECT_EQ(outcomes.verdicts, verdicts(count));
    }
    EXPECT_GT(sink.counter("payload_bytes_total"), 40000U);
    EXPECT_FALSE(sink.sink().has_probe());
}

TEST(Memory, PrintsEachPayloadAsALineIfAskedTo) {
    Stdout output;
    SinkUnderTest sink("memory", {{"print", true}, {"capacity", 2}});
    EXPECT_EQ(sink.publish(Events().fill(3)).verdicts, verdicts(3));
    EXPECT_EQ(sink.publish(Events().add("{\"last\": true}")).verdicts, verdicts(1));
    EXPECT_EQ(output.read_all(), "{\"n\":1}\n{\"n\":2}\n{\"n\":3}\n{\"last\": true}\n");
}

TEST(Memory, PrintsNothingUnlessAskedTo) {
    Stdout output;
    SinkUnderTest sink("memory", {{"capacity", 2}});
    sink.publish(Events().fill(3));
    EXPECT_EQ(output.read_all(), "");
}

TEST(Memory, StopsWhereTheReaderOfItsOutputStandsStill) {
    Stdout output;
    SinkUnderTest sink("memory", {{"print", true}});
    Events events;
    for (int i = 0; i < 10; ++i)
        events.add("\"" + std::string(30000, 'x') + "\"");
    std::thread canceller([&] {
        support::eventually([&] { return output.is_full(); });
        sink.sink().cancel();
    });
    const Outcomes outcomes = sink.publish(events);
    canceller.join();
    EXPECT_EQ(outcomes.status, Status::cancelled);
    const auto delivered = static_cast<std::size_t>(
        std::count(outcomes.verdicts.begin(), outcomes.verdicts.end(), Verdict::delivered));
    EXPECT_GT(delivered, 0U);
    EXPECT_LT(delivered, 10U);
    // Delivered are just those whose line is out as a whole.
    const std::string text = output.read_all();
    EXPECT_EQ(static_cast<std::size_t>(std::count(text.begin(), text.end(), '\n')), delivered);
}

TEST(Memory, IsUnavailableWhereNobodyReadsItsOutputAndSurvives) {
    Outcomes outcomes;
    {
        Stdout output;
        SinkUnderTest sink("memory", {{"print", true}});
        output.close_reader(); // a write now raises SIGPIPE
        outcomes = sink.publish(Events().fill(3));
    }
    EXPECT_EQ(outcomes.status, Status::unavailable);
    EXPECT_EQ(outcomes.verdicts, verdicts(3, Verdict::not_attempted));
    EXPECT_NE(outcomes.reason.find("standard output"), std::string::npos) << outcomes.reason;
    sigset_t pending;
    sigpending(&pending);
    EXPECT_EQ(sigismember(&pending, SIGPIPE), 0);
}

TEST(MemoryLines, BeginOnAFreshLineAfterATornOne) {
    int ends[2];
    ASSERT_EQ(pipe2(ends, O_NONBLOCK), 0);
    Lines lines(ends[1]);
    Wakeup cancel;
    lines.add(std::string(100000, 'x')); // more than the pipe holds
    cancel.ring();
    // The first block goes out, then the descriptor ends the wait.
    bool first = true;
    const Lines::Result torn = lines.write(-1, [&] { return !std::exchange(first, false); });
    EXPECT_EQ(torn.end, Lines::End::cancelled);
    EXPECT_EQ(torn.lines, 0U);
    const std::string begun = read_available(ends[0]);
    EXPECT_EQ(begun, std::string(begun.size(), 'x'));
    EXPECT_FALSE(begun.empty());

    lines.add("y");
    EXPECT_EQ(lines.write(cancel.fd(), [] { return false; }).end, Lines::End::cancelled);
    EXPECT_EQ(read_available(ends[0]), "");

    lines.add("z");
    const Lines::Result whole = lines.write(-1, [] { return false; });
    EXPECT_EQ(whole.end, Lines::End::written);
    EXPECT_EQ(whole.lines, 1U);
    EXPECT_EQ(read_available(ends[0]), "\nz\n");
    close(ends[0]);
    close(ends[1]);
}

TEST(MemoryConfiguration, RefusesWhatItDoesNotKnow) {
    EXPECT_THROW(SinkUnderTest("memory", {{"capacity", -1}}), Error);
    EXPECT_THROW(SinkUnderTest("memory", {{"capacity", "many"}}), Error);
    EXPECT_THROW(SinkUnderTest("memory", {{"prnt", true}}), Error);
}

} // namespace pgat::test
