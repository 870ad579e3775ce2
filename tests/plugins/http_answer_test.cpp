// What the http sink makes of answers, and of none.
#include <gtest/gtest.h>

#include <future>

#include "http/answer.hpp"
#include "plugins/sink_under_test.hpp"
#include "support/http_receiver.hpp"
#include "support/waiting.hpp"

namespace pgat::test {

using std::chrono::milliseconds;
using support::HttpAnswer;
using support::HttpReceiver;
using support::HttpRequest;

namespace {

// Answers the request for event `id` so, and all others with 200.
void answer_one(HttpReceiver &receiver, const std::string &id, const HttpAnswer &answer) {
    receiver.answer_with([id, answer](const HttpRequest &request) {
        return request.header("webhook-id") == id ? answer : HttpAnswer{};
    });
}

// A promise that handlers on the receiver's threads wait for; kept at the latest when it goes.
class Gate {
  public:
    ~Gate() { open(); }
    void open() {
        if (!opened_) promise_.set_value();
        opened_ = true;
    }
    std::shared_future<void> future() const { return future_; }

  private:
    bool opened_ = false;
    std::promise<void> promise_;
    std::shared_future<void> future_ = promise_.get_future().share();
};

} // namespace

TEST(HttpAnswer, Of2xxDelivers) {
    HttpReceiver receiver;
    SinkUnderTest sink("http", {{"url", receiver.url()}});
    for (const int status : {200, 201, 202, 204}) {
        receiver.answer_with(status);
        EXPECT_EQ(sink.publish(Events().fill(2)).verdicts, verdicts(2)) << status;
    }
    EXPECT_EQ(sink.counter("answers_2xx_total"), 8U);
    EXPECT_EQ(sink.counter("requests_total"), 8U);
}

TEST(HttpAnswer, Of400And413And422RejectsTheEventAndGoesOn) {
    HttpReceiver receiver;
    SinkUnderTest sink("http", {{"url", receiver.url()}});
    for (const int status : {400, 413, 422}) {
        answer_one(receiver, "event-2", {status, "  no\nsuch field  ", {}});
        const Outcomes outcomes = sink.publish(Events().fill(3));
        EXPECT_EQ(outcomes.status, Status::ok);
        EXPECT_EQ(outcomes.verdicts,
                  (std::vector{Verdict::delivered, Verdict::rejected, Verdict::delivered}));
        EXPECT_NE(reason_for(outcomes, 1).find(std::to_string(status)), std::string::npos);
        EXPECT_NE(reason_for(outcomes, 1).find(": no such field"), std::string::npos);
    }
}

TEST(HttpAnswer, RejectsByTheStatusesThatAreConfigured) {
    HttpReceiver receiver;
    SinkUnderTest sink("http", {{"url", receiver.url()}, {"rejected_statuses", {404}}});
    receiver.answer_with(404);
    EXPECT_EQ(sink.publish(Events().fill(1)).verdicts, verdicts(1, Verdict::rejected));
    receiver.answer_with(400);
    EXPECT_EQ(sink.publish(Events().fill(1)).verdicts, verdicts(1, Verdict::retry));
}

TEST(HttpAnswer, Of500RetriesTheEventAndLeavesAllBehindItAlone) {
    HttpReceiver receiver;
    SinkUnderTest sink("http", {{"url", receiver.url()}});
    answer_one(receiver, "event-2", {500, "", {{"Retry-After", "7"}}});
    const Outcomes outcomes = sink.publish(Events().fill(4));
    EXPECT_EQ(outcomes.status, Status::ok);
    EXPECT_EQ(outcomes.verdicts, (std::vector{Verdict::delivered, Verdict::retry,
                                              Verdict::not_attempted, Verdict::not_attempted}));
    ASSERT_EQ(outcomes.reasons.size(), 1U);
    EXPECT_EQ(outcomes.reasons[0].retry_after, milliseconds(7000));
    EXPECT_EQ(receiver.requests().size(), 2U);
}

TEST(HttpAnswer, MayMeanThatTheEndpointTakesNothingNow) {
    HttpReceiver receiver;
    SinkUnderTest sink("http", {{"url", receiver.url()}});
    for (const int status :
         {301, 302, 307, 401, 403, 404, 405, 408, 410, 429, 501, 502, 503, 504}) {
        receiver.forget();
        answer_one(receiver, "event-2", {status, "", {}});
        const Outcomes outcomes = sink.publish(Events().fill(4));
        EXPECT_EQ(outcomes.status, Status::unavailable) << status;
        EXPECT_EQ(outcomes.verdicts, (std::vector{Verdict::delivered, Verdict::not_attempted,
                                                  Verdict::not_attempted, Verdict::not_attempted}));
        EXPECT_NE(outcomes.reason.find(std::to_string(status)), std::string::npos)
            << outcomes.reason;
        EXPECT_EQ(receiver.requests().size(), 2U);
    }
}

TEST(HttpAnswer, KeepsRetryAfterInSecondsAndAsADate) {
    HttpReceiver receiver;
    SinkUnderTest sink("http", {{"url", receiver.url()}});
    receiver.answer_with([](const HttpRequest &) {
        return HttpAnswer{503, "", {{"Retry-After", "120"}}};
    });
    EXPECT_EQ(sink.publish(Events().fill(1)).retry_after, milliseconds(120000));

    receiver.answer_with([](const HttpRequest &) {
        const std::time_t later = std::time(nullptr) + 600;
        std::tm utc{};
        char text[64];
        std::strftime(text, sizeof text, "%a, %d %b %Y %H:%M:%S GMT", gmtime_r(&later, &utc));
        return HttpAnswer{429, "", {{"Retry-After", text}}};
    });
    const milliseconds wait = sink.publish(Events().fill(1)).retry_after;
    EXPECT_GE(wait, milliseconds(590000));
    EXPECT_LE(wait, milliseconds(600000));
}

TEST(HttpAnswer, OfARedirectIsNotFollowed) {
    HttpReceiver receiver;
    HttpReceiver elsewhere;
    SinkUnderTest sink("http", {{"url", receiver.url()}});
    receiver.answer_with([&](const HttpRequest &) {
        return HttpAnswer{308, "", {{"Location", elsewhere.url()}}};
    });
    const Outcomes outcomes = sink.publish(Events().fill(1));
    EXPECT_EQ(outcomes.status, Status::unavailable);
    EXPECT_NE(outcomes.reason.find("redirects are not followed"), std::string::npos);
    EXPECT_TRUE(elsewhere.requests().empty());
}

TEST(HttpAnswer, ThatEchoesTheRequestShowsNoSecret) {
    HttpReceiver receiver;
    SinkUnderTest sink("http", {{"url", receiver.url("/path-s3cr3t")},
                                {"headers", {{"Authorization", "Bearer s3cr3t"}}}});
    receiver.answer_with([](const HttpRequest &request) {
        return HttpAnswer{400, "you sent " + request.header("authorization"), {}};
    });
    const std::string reason = reason_for(sink.publish(Events().fill(1)), 0);
    EXPECT_NE(reason.find("you sent ***"), std::string::npos) << reason;
    EXPECT_EQ(reason.find("s3cr3t"), std::string::npos) << reason;
}

TEST(HttpAnswer, ThatDoesNotComeInTimeMeansUnavailable) {
    HttpReceiver receiver;
    Gate gate;
    receiver.answer_with([wait = gate.future()](const HttpRequest &) {
        wait.wait();
        return HttpAnswer{};
    });
    SinkUnderTest sink("http", {{"url", receiver.url()}, {"timeout_ms", 200}});
    const Outcomes outcomes = sink.publish(Events().fill(2));
    EXPECT_EQ(outcomes.status, Status::unavailable);
    EXPECT_EQ(outcomes.verdicts, verdicts(2, Verdict::not_attempted));
    EXPECT_NE(outcomes.reason.find("127.0.0.1:" + std::to_string(receiver.port())),
              std::string::npos)
        << outcomes.reason;
    EXPECT_EQ(sink.counter("unanswered_total"), 1U);
}

TEST(HttpConnection, IsKeptFromRequestToRequestAndFromBatchToBatch) {
    HttpReceiver receiver;
    SinkUnderTest sink("http", {{"url", receiver.url()}});
    for (int batch = 0; batch < 3; ++batch)
        EXPECT_EQ(sink.publish(Events().fill(50)).verdicts, verdicts(50));
    EXPECT_EQ(receiver.connections(), 1U);
    EXPECT_EQ(sink.counter("connections_total"), 1U);
}

TEST(HttpConnection, ThatIsRefusedMeansUnavailableUntilTheEndpointIsBack) {
    HttpReceiver receiver;
    SinkUnderTest sink("http", {{"url", receiver.url()}});
    EXPECT_EQ(sink.publish(Events().fill(1)).status, Status::ok);
    receiver.stop();
    const Outcomes outcomes = sink.publish(Events().fill(2));
    EXPECT_EQ(outcomes.status, Status::unavailable);
    EXPECT_EQ(outcomes.verdicts, verdicts(2, Verdict::not_attempted));
    EXPECT_EQ(sink.probe().status, Status::unavailable);
    receiver.start();
    EXPECT_EQ(sink.probe().status, Status::ok);
    EXPECT_EQ(sink.publish(Events().fill(2)).verdicts, verdicts(2));
}

TEST(HttpConnection, OfTheProbeSendsNothing) {
    HttpReceiver receiver;
    SinkUnderTest sink("http", {{"url", receiver.url("/{/to}")}});
    for (int i = 0; i < 3; ++i)
        EXPECT_EQ(sink.probe().status, Status::ok);
    EXPECT_EQ(sink.publish(Events().add(R"({"to": "x"})")).verdicts, verdicts(1));
    EXPECT_EQ(receiver.requests().size(), 1U);
}

TEST(HttpConnection, ToANameThatDoesNotExistMeansUnavailable) {
    SinkUnderTest sink("http", {{"url", "http://no-such-host.invalid/"}});
    EXPECT_EQ(sink.publish(Events().fill(1)).status, Status::unavailable);
    EXPECT_EQ(sink.probe().status, Status::unavailable);
}

TEST(HttpMeaning, OfEveryStatusIsAsDocumented) {
    using http::Meaning;
    const std::vector<long> usual{400, 413, 422};
    for (long status = 200; status < 300; ++status)
        EXPECT_EQ(http::meaning_of(status, usual), Meaning::delivered);
    for (const long status : usual)
        EXPECT_EQ(http::meaning_of(status, usual), Meaning::rejected);
    for (const long status : {409L, 414L, 423L, 424L, 425L, 431L, 451L, 500L})
        EXPECT_EQ(http::meaning_of(status, usual), Meaning::retry) << status;
    for (const long status : {300L, 304L, 401L, 402L, 403L, 404L, 415L, 418L, 429L, 501L, 507L,
                              511L, 520L, 524L, 530L, 599L, 999L})
        EXPECT_EQ(http::meaning_of(status, usual), Meaning::unavailable) << status;
}

TEST(HttpExcerpt, IsOneShortLineOfWholeCharacters) {
    EXPECT_EQ(http::excerpt("  a\r\nb\t\x01 ", {}), "a  b");
    EXPECT_EQ(http::excerpt("", {}), "");
    EXPECT_EQ(http::excerpt("x secret y secret", {"secret"}), "x *** y ***");
    std::string umlauts;
    for (int i = 0; i < 150; ++i)
        umlauts += "ü";
    const std::string odd = "a" + umlauts; // a cut after 200 bytes would halve one
    EXPECT_EQ(http::excerpt(odd, {}), odd.substr(0, 199) + "…");
    EXPECT_EQ(http::excerpt(umlauts, {}), umlauts.substr(0, 200) + "…");
}

} // namespace pgat::test
