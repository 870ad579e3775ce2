// The rabbitmq sink and a real broker that dies, blocks, forgets or is out of reach while messages are under way.
//
// Nothing may be lost, first deliveries come in order, and what comes twice was unconfirmed when it happened.
#include <atomic>
#include <functional>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include "plugins/rabbitmq_site.hpp"
#include "support/proxy.hpp"
#include "support/waiting.hpp"

namespace pgat::test {
namespace {

using std::chrono::milliseconds;
using support::eventually;
using testing::AllOf;
using testing::Each;
using testing::HasSubstr;

// Far below the minute that would be waited otherwise, on a busy machine too.
constexpr milliseconds soon{10000};

// Does something on a thread of its own once the sink has published so many messages.
class Meanwhile {
  public:
    Meanwhile(const SinkUnderTest &sink, std::uint64_t published, std::function<void()> what)
        : thread_([&sink, published, what = std::move(what)] {
              if (eventually([&] { return sink.counter("published_total") >= published; })) what();
          }) {}
    ~Meanwhile() { done(); }
    void done() {
        if (thread_.joinable()) thread_.join();
    }

  private:
    std::thread thread_;
};

// What the daemon does with a stream: offers what has no verdict yet, in order, a thousand at a time.
class Stream {
  public:
    Stream(SinkUnderTest &sink, std::size_t count, const std::string &padding = "") : sink_(sink) {
        for (std::size_t n = 1; n <= count; ++n)
            events_.add("{\"n\":" + std::to_string(n) + padding + "}");
        rest_ = events_.list();
    }

    // One call; true: it went through. What was delivered is not offered again.
    bool publish(milliseconds limit = std::chrono::seconds(60)) {
        const std::size_t size = std::min<std::size_t>(rest_.size(), 1000);
        const std::vector<OutgoingEvent> batch(rest_.begin(),
                                               rest_.begin() + static_cast<std::ptrdiff_t>(size));
        sink_.sink().publish(batch, Clock::now() + limit, last);
        std::vector<OutgoingEvent> left;
        for (std::size_t i = 0; i < batch.size(); ++i)
            if (last.verdicts[i] != Verdict::delivered) left.push_back(batch[i]);
        left.insert(left.end(), rest_.begin() + static_cast<std::ptrdiff_t>(size), rest_.end());
        rest_ = std::move(left);
        return last.status == Status::ok;
    }
    // Until a call fails, or all are delivered.
    void publish_until_it_fails() {
        while (!rest_.empty() && publish())
            if (std::count(last.verdicts.begin(), last.verdicts.end(), Verdict::retry) != 0) return;
    }
    bool publish_all() {
        return eventually([&] { return rest_.empty() || (publish(), rest_.empty()); });
    }

    std::vector<std::string> bodies() const {
        std::vector<std::string> all;
        for (const auto &event : events_.list())
            all.emplace_back(event.payload);
        return all;
    }
    std::vector<std::string> bodies_left() const {
        std::vector<std::string> all;
        for (const auto &event : rest_)
            all.emplace_back(event.payload);
        return all;
    }
    std::size_t left() const { return rest_.size(); }

    Outcomes last;

  private:
    SinkUnderTest &sink_;
    Events events_;
    std::vector<OutgoingEvent> rest_;
};

class RabbitmqFaults : public RabbitmqSite {
  protected:
    // All of the stream's bodies are in the queue, the first of each in order; so many came twice.
    static std::size_t check_queue(const std::string &queue, const Stream &stream) {
        const auto got = client().take_bodies(queue);
        EXPECT_EQ(first_of_each(got), stream.bodies());
        return got.size() - stream.bodies().size();
    }
};

TEST_F(RabbitmqFaults, ABrokerKilledInTheMiddleLosesNothingAndKeepsTheOrder) {
    client().declare_queue("killed");
    SinkUnderTest sink("rabbitmq", to_queue("killed"));
    Stream stream(sink, 8000);
    Meanwhile killer(sink, 3500, [] { broker->kill(); });
    stream.publish_until_it_fails();
    killer.done();
    EXPECT_EQ(stream.last.status, Status::unavailable);
    EXPECT_THAT(stream.last.reason, HasSubstr("127.0.0.1"));
    EXPECT_GT(stream.left(), 4000U);
    EXPECT_EQ(sink.probe().status, Status::unavailable);
    broker->start();
    EXPECT_EQ(sink.probe().status, Status::ok);
    ASSERT_TRUE(stream.publish_all()) << stream.last.reason;
    EXPECT_LE(check_queue("killed", stream), 1000U); // what was unconfirmed
}

TEST_F(RabbitmqFaults, AConnectionThatIsResetIsMadeAnewInTheSameCall) {
    client().declare_queue("reset");
    support::Proxy proxy(broker->port());
    SinkUnderTest sink("rabbitmq", to_queue("reset", proxy.port()));
    Stream stream(sink, 3000);
    Meanwhile cutter(sink, 1500, [&] { proxy.reset(); });
    for (int call = 0; call < 3; ++call) {
        ASSERT_TRUE(stream.publish()) << stream.last.reason;
        ASSERT_EQ(stream.last.verdicts, verdicts(1000));
    }
    cutter.done();
    // The reset may have come when all was confirmed: then the next call finds it.
    EXPECT_EQ(sink.probe().status, Status::ok);
    EXPECT_EQ(sink.counter("reconnects_total"), 1U);
    EXPECT_LE(check_queue("reset", stream), 1000U);
}

TEST_F(RabbitmqFaults, ANetworkThatSwallowsEverythingIsNoticedAndSurvived) {
    client().declare_queue("cut");
    support::Proxy proxy(broker->port());
    auto settings = to_queue("cut", proxy.port());
    settings["confirm_timeout_ms"] = 700;
    settings["connect_timeout_ms"] = 300;
    SinkUnderTest sink("rabbitmq", settings);
    Stream stream(sink, 5000);
    Meanwhile cutter(sink, 2500, [&] { proxy.cut(); });
    stream.publish_until_it_fails();
    cutter.done();
    EXPECT_EQ(stream.last.status, Status::unavailable);
    EXPECT_EQ(sink.probe().status, Status::unavailable);
    proxy.mend();
    EXPECT_EQ(sink.probe().status, Status::ok);
    ASSERT_TRUE(stream.publish_all()) << stream.last.reason;
    EXPECT_LE(check_queue("cut", stream), 1000U);
}

TEST_F(RabbitmqFaults, AConnectionThatDiesWhileIdleIsFoundByTheProbe) {
    support::Proxy proxy(broker->port());
    auto settings = to_queue("idle", proxy.port());
    settings["connect_timeout_ms"] = 300;
    SinkUnderTest sink("rabbitmq", settings);
    ASSERT_EQ(sink.probe().status, Status::ok);
    ASSERT_EQ(sink.probe().status, Status::ok);
    EXPECT_EQ(sink.counter("connections_total"), 1U);
    proxy.cut();
    EXPECT_EQ(sink.probe().status, Status::unavailable);
    proxy.mend();
    EXPECT_EQ(sink.probe().status, Status::ok);
    EXPECT_EQ(sink.counter("connections_total"), 2U);
}

TEST_F(RabbitmqFaults, AnIdleConnectionOutlivesManyHeartbeats) {
    client().declare_queue("beats");
    auto settings = to_queue("beats");
    settings["heartbeat_secs"] = 1;
    SinkUnderTest sink("rabbitmq", settings);
    ASSERT_EQ(sink.probe().status, Status::ok);
    // A broker drops who is silent for two of them; the daemon calls the probe meanwhile.
    const auto until = Clock::now() + milliseconds(2500);
    while (Clock::now() < until) {
        ASSERT_EQ(sink.probe().status, Status::ok);
        eventually([] { return false; }, milliseconds(400));
    }
    EXPECT_EQ(sink.publish(Events().fill(1)).verdicts, verdicts(1));
    EXPECT_EQ(sink.counter("connections_total"), 1U);
}

TEST_F(RabbitmqFaults, ABrokerWithoutDiskSpaceIsUnavailableUntilItHasSome) {
    client().declare_queue("blocked");
    auto settings = to_queue("blocked");
    settings["blocked_timeout_ms"] = 400;
    SinkUnderTest sink("rabbitmq", settings);
    Stream stream(sink, 3000);
    ASSERT_TRUE(stream.publish());
    broker->fill_disk();
    stream.publish_until_it_fails();
    EXPECT_EQ(stream.last.status, Status::unavailable);
    EXPECT_THAT(stream.last.reason,
                AllOf(HasSubstr("low on disk"), HasSubstr("free memory or disk")));
    EXPECT_GT(sink.counter("blocked_milliseconds_total"), 300U);
    const auto probe = sink.probe();
    EXPECT_EQ(probe.status, Status::unavailable);
    EXPECT_THAT(probe.reason, HasSubstr("low on disk"));
    broker->free_disk();
    ASSERT_TRUE(eventually([&] { return sink.probe().status == Status::ok; }));
    ASSERT_TRUE(stream.publish_all()) << stream.last.reason;
    check_queue("blocked", stream);
}

TEST_F(RabbitmqFaults, ABrokerThatReadsNothingHoldsUpNeitherAStopNorADeadline) {
    client().declare_queue("stuck");
    auto settings = to_queue("stuck");
    settings["blocked_timeout_ms"] = 60000;
    SinkUnderTest sink("rabbitmq", settings);
    ASSERT_EQ(sink.probe().status, Status::ok);
    broker->fill_disk();
    // More than the sockets' buffers hold.
    Stream stream(sink, 100, ",\"x\":\"" + std::string(300000, 'x') + "\"");
    auto begun = Clock::now();
    EXPECT_FALSE(stream.publish(milliseconds(700)));
    EXPECT_EQ(stream.left(), 100U);
    EXPECT_EQ(stream.last.status, Status::cancelled);
    EXPECT_LT(Clock::now() - begun, soon);
    begun = Clock::now();
    Meanwhile canceller(sink, sink.counter("published_total") + 1, [&] { sink.sink().cancel(); });
    EXPECT_FALSE(stream.publish());
    EXPECT_EQ(stream.last.status, Status::cancelled) << stream.last.reason;
    EXPECT_LT(Clock::now() - begun, soon);
    broker->free_disk();
}

TEST_F(RabbitmqFaults, AQueueDeletedInTheMiddleTakesNoEventWithItThatWasNotConfirmed) {
    client().declare_queue("deleted");
    SinkUnderTest sink("rabbitmq", to_queue("deleted"));
    Stream stream(sink, 4000);
    Meanwhile deleter(sink, 1500, [] { client().delete_queue("deleted"); });
    stream.publish_until_it_fails();
    deleter.done();
    ASSERT_GT(stream.left(), 0U);
    EXPECT_EQ(stream.last.status, Status::ok);
    EXPECT_EQ(std::count(stream.last.verdicts.begin(), stream.last.verdicts.end(), Verdict::retry),
              1);
    const auto wanted = stream.bodies_left();
    client().declare_queue("deleted");
    ASSERT_TRUE(stream.publish_all()) << stream.last.reason;
    EXPECT_EQ(first_of_each(client().take_bodies("deleted")), wanted);
}

TEST_F(RabbitmqFaults, AnExchangeDeletedInTheMiddleMakesTheSinkUnavailableUntilItIsBack) {
    const auto make = [] {
        client().declare_exchange("passing", "fanout");
        client().declare_queue("behind passing");
        client().bind("behind passing", "passing", "");
    };
    make();
    auto settings = to_queue("any");
    settings["exchange"] = "passing";
    SinkUnderTest sink("rabbitmq", settings);
    Stream stream(sink, 4000);
    Meanwhile deleter(sink, 1500, [] { client().delete_exchange("passing"); });
    stream.publish_until_it_fails();
    deleter.done();
    EXPECT_EQ(stream.last.status, Status::unavailable);
    EXPECT_THAT(stream.last.reason, HasSubstr("no exchange 'passing'"));
    EXPECT_EQ(sink.probe().status, Status::unavailable);
    make();
    EXPECT_EQ(sink.probe().status, Status::ok);
    ASSERT_TRUE(stream.publish_all()) << stream.last.reason;
    EXPECT_LE(check_queue("behind passing", stream), 1000U);
}

// Takes connections, and says nothing.
class SilentServer {
  public:
    SilentServer() : fd_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        socklen_t size = sizeof address;
        auto *const generic = reinterpret_cast<sockaddr *>(&address);
        if (::bind(fd_, generic, size) != 0 || ::listen(fd_, 16) != 0 ||
            ::getsockname(fd_, generic, &size) != 0)
            throw std::runtime_error("cannot listen");
        port_ = ntohs(address.sin_port);
    }
    ~SilentServer() { ::close(fd_); }
    std::uint16_t port() const { return port_; }

  private:
    int fd_;
    std::uint16_t port_ = 0;
};

TEST_F(RabbitmqFaults, AServerThatSaysNothingHoldsUpNeitherAStopNorTheTimeout) {
    const SilentServer silent;
    for (const std::string scheme : {"amqp", "amqps"}) {
        const std::string uri = scheme + "://localhost:" + std::to_string(silent.port());
        SinkUnderTest short_patience(
            "rabbitmq", {{"uri", uri}, {"routing_key", "q"}, {"connect_timeout_ms", 200}});
        EXPECT_EQ(short_patience.publish(Events().fill(1)).status, Status::unavailable);
        SinkUnderTest long_patience(
            "rabbitmq", {{"uri", uri}, {"routing_key", "q"}, {"connect_timeout_ms", 60000}});
        const auto begun = Clock::now();
        std::thread canceller([&] {
            eventually([&] { return Clock::now() - begun > milliseconds(200); });
            long_patience.sink().cancel();
        });
        EXPECT_EQ(long_patience.publish(Events().fill(1)).status, Status::cancelled);
        EXPECT_LT(Clock::now() - begun, soon);
        canceller.join();
    }
}

} // namespace
} // namespace pgat::test
