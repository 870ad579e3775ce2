#include "sink.hpp"

#include <fmt/format.h>

#include "support/waiting.hpp"

namespace pgat::ordeal {

using namespace std::chrono_literals;
using support::HttpAnswer;
using support::HttpRequest;

namespace {

constexpr auto longer_than_the_timeout = WeatheredSink::timeout + 500ms;

// One in five, for all versions of a row alike.
bool is_of_some_row(std::string_view body) {
    constexpr std::string_view mark = "\"id\": ";
    const auto at = body.find(mark);
    const auto end = at == body.npos ? at : body.find_first_not_of("0123456789", at + mark.size());
    return end != body.npos && body[end - 1] % 5 == 0;
}

} // namespace

const char *name_of(Weather weather) {
    switch (weather) {
    case Weather::clear:
        return "sink clear";
    case Weather::slow:
        return "sink slow";
    case Weather::unavailable:
        return "sink answers 503";
    case Weather::failing:
        return "sink answers 500";
    case Weather::partial:
        return "sink fails for some rows";
    case Weather::rejecting:
        return "sink rejects some";
    case Weather::hanging:
        return "sink hangs";
    case Weather::losing:
        return "sink's answers lost";
    case Weather::away:
        return "sink refuses connections";
    }
    return "unknown";
}

WeatheredSink::WeatheredSink(Ledger &ledger) : ledger_(ledger) {
    receiver_.answer_with([this](const HttpRequest &request) { return answer(request); });
}

WeatheredSink::~WeatheredSink() { settle(); }

std::string WeatheredSink::configuration() const {
    return fmt::format("  type: http\n  url: {}\n  timeout_ms: {}\n", receiver_.url(),
                       timeout.count());
}

HttpAnswer WeatheredSink::answer(const HttpRequest &request) {
    const auto weather = weather_.load();
    const auto id = request.header("webhook-id");
    // What the ledger keeps need not be kept twice.
    if (++answers_ % 1000 == 0) receiver_.forget();
    switch (weather) {
    case Weather::unavailable:
        return {503, "", {{"Retry-After", "1"}}};
    case Weather::failing:
        return {500, "", {}};
    case Weather::partial:
        if (is_of_some_row(request.body)) return {500, "", {}};
        break;
    case Weather::hanging:
        over_.wait(longer_than_the_timeout);
        return {503, "", {}};
    case Weather::losing:
        ledger_.taken(id, request.body, true);
        over_.wait(longer_than_the_timeout);
        return {};
    case Weather::rejecting:
        if (id.back() % 5 == 0) {
            ledger_.rejected(id);
            return {422, "not today", {}};
        }
        break;
    case Weather::slow:
        over_.wait(std::chrono::milliseconds(5 + answers_ % 16));
        break;
    case Weather::clear:
    case Weather::away:
        break;
    }
    ledger_.taken(id, request.body, false);
    return {};
}

void WeatheredSink::set(Weather weather) {
    if (listening_ && weather == Weather::away) {
        receiver_.stop();
        listening_ = false;
    } else if (!listening_ && weather != Weather::away) {
        // Somebody's outgoing connection may have got the port for a moment.
        support::eventually([this] {
            try {
                receiver_.start();
                return true;
            } catch (const std::runtime_error &) {
                return false;
            }
        });
        listening_ = true;
    }
    weather_ = weather;
    if (weather != Weather::clear) ledger_.count_fault(name_of(weather));
}

void WeatheredSink::let_it_change(std::uint64_t seed, bool bad) {
    changing_ = std::thread([this, seed, bad] { change(seed, bad); });
}

void WeatheredSink::change(std::uint64_t seed, bool bad) {
    std::mt19937_64 random(seed);
    const auto between = [&](int least, int most) {
        return std::chrono::milliseconds(std::uniform_int_distribution<>(least, most)(random));
    };
    constexpr Weather all[] = {Weather::slow,    Weather::unavailable, Weather::failing,
                               Weather::partial, Weather::rejecting,   Weather::hanging,
                               Weather::losing,  Weather::away};
    std::vector<Weather> deck;
    while (!over_.wait(bad ? between(50, 500) : between(300, 3000))) {
        if (deck.empty()) {
            deck.assign(std::begin(all), std::end(all));
            std::shuffle(deck.begin(), deck.end(), random);
        }
        set(deck.back());
        deck.pop_back();
        const bool lasting = bad || random() % 4 == 0;
        const bool over = over_.wait(lasting ? between(4000, 9000) : between(100, 2500));
        set(Weather::clear);
        if (over) break;
    }
}

void WeatheredSink::settle() {
    over_.end();
    if (changing_.joinable()) changing_.join();
    set(Weather::clear);
}

} // namespace pgat::ordeal
