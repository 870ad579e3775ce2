#include "http/delivery.hpp"

#include <algorithm>
#include <chrono>

#include "http/body.hpp"

namespace pgat::http {

namespace {

using plugin::Failure;
using plugin::Outcomes;
using plugin::TimePoint;
using std::chrono::milliseconds;

// After cancellation, for answers that are about to come: each spares a repeat.
constexpr milliseconds grace{500};
// How often is_cancelled is asked where there is no descriptor to wait for, and the longest wait.
constexpr milliseconds look_again{100};
constexpr milliseconds longest_wait{1000};

std::vector<std::string_view> keys_of(const plugin::Batch &batch) {
    std::vector<std::string_view> keys;
    keys.reserve(batch.size());
    for (std::uint32_t i = 0; i < batch.size(); ++i)
        keys.push_back(batch[i].key());
    return keys;
}

std::string now_text() {
    const auto now = std::chrono::system_clock::now().time_since_epoch();
    return std::to_string(std::chrono::duration_cast<std::chrono::seconds>(now).count());
}

} // namespace

Delivery::Delivery(HttpSink &sink, const plugin::Batch &batch, Outcomes &outcomes)
    : sink_(sink), batch_(batch), outcomes_(outcomes),
      one_target_(sink.settings_.same_target_for_all()),
      schedule_({sink.settings_.concurrency, sink.settings_.mode != Mode::event}),
      give_up_(batch.deadline()) {
    const bool shared = sink.settings_.mode != Mode::event && !one_target_;
    schedule_.begin(keys_of(batch), shared ? group_by_target(sink.host_, sink.settings_, batch)
                                           : std::vector<std::uint32_t>());
    for (const auto &exchange : sink.exchanges_)
        slots_.push_back({exchange.get(), {}});
    for (Slot &slot : slots_) {
        set_option(slot.exchange->handle(), CURLOPT_PRIVATE, static_cast<void *>(&slot));
        idle_.push_back(&slot);
    }
    if (one_target_) target_.url = sink.settings_.url.prefix();
}

Delivery::~Delivery() {
    sink_.client_.abandon_all();
    for (const Slot &slot : slots_)
        slot.exchange->release_large_buffers();
}

void Delivery::run() {
    while (true) {
        look_for_a_stop();
        if (!trouble_ && !stopping_) start_all();
        if (sink_.client_.in_flight() == 0) break;
        const int cancel_fd = stopping_ ? -1 : batch_.cancel_fd();
        for (const Client::Done &done : sink_.client_.run(cancel_fd, patience())) {
            Slot *slot = nullptr;
            curl_easy_getinfo(done.easy, CURLINFO_PRIVATE, &slot);
            finish(*slot, done.code);
            idle_.push_back(slot);
        }
    }
    if (trouble_) throw Failure(*trouble_);
    Schedule::Request rest;
    if (stopping_ && schedule_.next(rest)) throw Failure(PGAT_E_CANCELLED, "told to stop");
}

void Delivery::look_for_a_stop() {
    const TimePoint now = std::chrono::steady_clock::now();
    if (!stopping_ && sink_.host_.cancelled()) {
        stopping_ = true;
        give_up_ = std::min(give_up_, now + grace);
    }
    if (now < give_up_) return;
    const std::size_t in_flight = sink_.client_.in_flight();
    const char *const when = stopping_ ? " broken off to stop" : " broken off at the deadline";
    stopping_ = true;
    if (in_flight == 0) return;
    if (trouble_) throw Failure(*trouble_);
    throw Failure(PGAT_E_CANCELLED,
                  std::to_string(in_flight) + " requests to " + sink_.settings_.host + when);
}

milliseconds Delivery::patience() const {
    const bool blind = batch_.cancel_fd() < 0 && !stopping_;
    const auto left = std::chrono::ceil<milliseconds>(give_up_ - std::chrono::steady_clock::now());
    return std::clamp(left, milliseconds::zero(), blind ? look_again : longest_wait);
}

void Delivery::start_all() {
    while (!idle_.empty() && schedule_.next(idle_.back()->request)) {
        if (start(*idle_.back())) {
            idle_.pop_back();
        } else {
            schedule_.done(idle_.back()->request);
        }
    }
}

// False: none of its events can be sent, and each has its verdict.
bool Delivery::start(Slot &slot) {
    std::vector<std::uint32_t> &events = slot.request.events;
    if (!one_target_) {
        if (const auto why =
                render_target(sink_.host_, sink_.settings_, batch_[events.front()], target_)) {
            for (const std::uint32_t event : events)
                reject(event, *why);
            return false;
        }
    }
    std::vector<std::pair<std::uint32_t, std::string>> refused;
    std::string_view body =
        compose(sink_.host_, sink_.settings_, batch_, events, slot.exchange->body, refused);
    for (const auto &[event, why] : refused)
        reject(event, why);
    if (events.empty()) return false;

    std::string id(batch_[events.front()].id());
    if (events.size() > 1) {
        std::vector<std::string_view> ids;
        ids.reserve(events.size());
        for (const std::uint32_t event : events)
            ids.push_back(batch_[event].id());
        id = "batch_" + fingerprint(ids);
    }
    timestamp_ = now_text();
    if (sink_.signer_.signs()) sink_.signer_.sign(id, timestamp_, body, signature_);
    if (sink_.settings_.gzip) {
        sink_.gzip_.compress(body, slot.exchange->compressed);
        body = slot.exchange->compressed;
    }
    slot.exchange->prepare(target_, {id, timestamp_, signature_}, body);
    sink_.client_.start(slot.exchange->handle());
    sink_.counters_.requests.add();
    sink_.counters_.request_bytes.add(body.size());
    return true;
}

void Delivery::reject(std::uint32_t event, const std::string &why) {
    outcomes_.rejected(event, why);
}

void Delivery::finish(Slot &slot, CURLcode code) {
    const Schedule::Request &request = slot.request;
    const Answer answer = slot.exchange->answer(code);
    sink_.counters_.count(answer);
    std::string why;
    const Meaning meaning = judge(answer, why);
    if (meaning == Meaning::unavailable) {
        const milliseconds wait =
            std::max(answer.retry_after, trouble_ ? trouble_->retry_after() : milliseconds::zero());
        trouble_.emplace(PGAT_E_UNAVAILABLE, trouble_ ? trouble_->what() : why, wait);
        schedule_.done(request);
        return;
    }
    if (meaning == Meaning::delivered) {
        settle_delivered(request.events);
    } else if (request.events.size() > 1) {
        // One event may be to blame: halving finds it, and only it is charged.
        sink_.counters_.splits.add();
        schedule_.split(request);
        return;
    } else if (meaning == Meaning::rejected) {
        reject(request.events.front(), why);
    } else {
        outcomes_.retry(request.events.front(), why, answer.retry_after);
        schedule_.retry(request.events.front());
    }
    schedule_.done(request);
}

void Delivery::settle_delivered(const std::vector<std::uint32_t> &events) {
    for (std::size_t i = 0; i < events.size();) {
        std::size_t end = i + 1;
        while (end < events.size() && events[end] == events[end - 1] + 1)
            ++end;
        outcomes_.delivered(events[i], static_cast<std::uint32_t>(end - i));
        i = end;
    }
}

Meaning Delivery::judge(const Answer &answer, std::string &why) const {
    const Settings &settings = sink_.settings_;
    if (answer.status == 0) {
        if (answer.code == CURLE_OUT_OF_MEMORY) throw std::bad_alloc();
        why = settings.host + ": " + std::string(answer.error);
        // Only what the event brought to the URL can have broken it: the rest was checked at the start.
        return answer.code == CURLE_URL_MALFORMAT ? Meaning::rejected : Meaning::unavailable;
    }
    const Meaning meaning = meaning_of(answer.status, settings.rejected_statuses);
    if (meaning == Meaning::delivered) return meaning;
    why = settings.host + " answered " + status_text(answer.status);
    if (answer.status >= 300 && answer.status < 400)
        why += ", and redirects are not followed: set url to where it leads";
    const std::string text = excerpt(answer.body, sink_.secrets_);
    if (!text.empty()) why += ": " + text;
    return meaning;
}

} // namespace pgat::http
