#include "kafka/delivery.hpp"

#include <algorithm>
#include <functional>
#include <unordered_set>
#include <utility>

namespace pgat::kafka {

namespace {

using plugin::Event;
using plugin::Failure;
using plugin::TimePoint;
using std::chrono::milliseconds;
using Clock = std::chrono::steady_clock;

// After cancellation, for confirmations that are about to come: each spares a repeat.
constexpr milliseconds grace{300};
// How often is_cancelled is asked where there is no descriptor to wait for, and the longest wait.
constexpr milliseconds look_again{100};
constexpr milliseconds longest_wait{500};
constexpr std::uint32_t look_every = 64; // events
// A round that settles nothing is tried so often again.
constexpr int idle_rounds = 3;

std::size_t mix(std::size_t a, std::size_t b) noexcept {
    return a ^ (b + 0x9e3779b97f4a7c15U + (a << 6U) + (a >> 2U));
}

} // namespace

Delivery::Delivery(KafkaSink &sink, const plugin::Batch &batch, plugin::Outcomes &outcomes)
    : sink_(sink), batch_(batch), outcomes_(outcomes),
      routes_(sink.host_, sink.settings_, batch.size()), headers_(sink.host_, sink.settings_),
      states_(batch.size(), State::open), lanes_(batch.size()), flights_(batch.size(), nullptr),
      end_(batch.deadline()), last_news_(Clock::now()) {}

Delivery::~Delivery() {
    std::uint64_t left = 0;
    for (std::uint32_t i = 0; i < flights_.size(); ++i) {
        Flight *const flight = flights_[i];
        if (flight == nullptr) continue;
        try {
            sink_.flights_.keep(*flight, batch_[i].id());
            ++left;
        } catch (...) { // no memory to know it again by: it may arrive twice
            flight->event = Flight::no_event;
            flight->id.clear();
        }
    }
    if (left > 0) sink_.counters_.left_under_way.add(left);
}

void Delivery::run() {
    int idle = 0;
    sink_.connection_->producer.poll();
    hear();
    if (sink_.health_.hopeless() && !sink_.a_broker_answers(longest_wait))
        throw sink_.unavailable("no broker can be reached");
    while (true) {
        const std::uint32_t before = settled_;
        make_fit_for_a_round();
        round();
        if (trouble_) throw Failure(*trouble_);
        if (rest().empty()) return;
        if (stopping_) {
            throw Failure(PGAT_E_CANCELLED,
                          under_way_ > 0
                              ? std::to_string(under_way_) +
                                    " messages await their confirmation when told to stop"
                              : "told to stop");
        }
        idle = settled_ == before ? idle + 1 : 0;
        if (idle < idle_rounds) continue;
        throw Failure(PGAT_E_BROKEN, sink_.connection_->producer.fatal_error().value_or(
                                         "the producer gives every message back"));
    }
}

// A producer that has stopped is replaced once all that it sent has been answered: what it sent may still be
// stored, and must not be after what its successor sends.
void Delivery::make_fit_for_a_round() {
    Producer &producer = sink_.connection_->producer;
    const auto fatal = producer.fatal_error();
    const bool many = sink_.connection_->requests == Producer::Requests::of_many;
    if (!blamed_.empty()) single_ = true;
    blamed_.clear();
    if (!fatal && many != single_) return;
    while (producer.unreported() > 0 && !must_end())
        wait();
    if (trouble_ || stopping_) return;
    if (fatal && !single_) sink_.host_.warn("the producer is made anew: " + *fatal);
    sink_.connect_anew(single_ ? Producer::Requests::of_one : Producer::Requests::of_many);
}

void Delivery::round() {
    if (trouble_ || stopping_) return;
    pausing_ = false;
    order_.emplace(rest());
    std::uint32_t event = 0;
    std::uint32_t handed = 0;
    // The clock is asked now and then: it costs as much as handing over a message.
    const auto may_go_on = [&] {
        return handed++ % look_every == 0 ? !told_to_stop() : !stopping_;
    };
    while (true) {
        bool full = false;
        while (!pausing_ && !trouble_ && may_go_on() && order_->next(event)) {
            if (start(event) == Step::must_wait) {
                order_->later(event);
                full = !pausing_ && !trouble_ && !stopping_;
                break;
            }
        }
        if (under_way_ == 0 && !full) break;
        if (must_end()) break;
        wait();
    }
    judge_blamed();
}

// The events that may still go: without those behind a retried one.
std::vector<Order::Place> Delivery::rest() {
    std::vector<Order::Place> rest;
    rest.reserve(batch_.size() - settled_);
    std::unordered_set<std::string_view> held;
    for (std::uint32_t i = 0; i < batch_.size() && settled_ < batch_.size(); ++i) {
        const std::string_view key = batch_[i].key();
        if (states_[i] == State::retried) {
            if (key.empty()) break;
            held.insert(key);
        } else if (states_[i] == State::open) {
            if (key.empty() && !held.empty()) break;
            if (!held.empty() && held.contains(key)) continue;
            lanes_[i] = lane_of(i);
            rest.push_back({i, key, lanes_[i]});
        }
    }
    return rest;
}

// Events with the same lane go to the same partition.
std::uint64_t Delivery::lane_of(std::uint32_t index) {
    const Event event = batch_[index];
    if (sink_.flights_.any_kept())
        if (const Flight *kept = sink_.flights_.kept(event.id())) return kept->lane;
    const Route &route = routes_.of(index, event);
    const std::size_t topic = std::hash<std::string_view>()(route.topic);
    if (route.key) return mix(topic, std::hash<std::string_view>()(*route.key));
    return mix(topic, sink_.settings_.partitioner.places_keyless() ? 0 : sink_.publish_number_);
}

Delivery::Step Delivery::start(std::uint32_t index) {
    const Event event = batch_[index];
    if (sink_.flights_.any_kept()) {
        hear(); // what has landed must have been taken note of
        if (Flight *kept = sink_.flights_.kept(event.id())) {
            adopt(*kept, index);
            return Step::went;
        }
    }
    const Route &route = routes_.of(index, event);
    if (!route.refusal.empty()) {
        reject(index, route.refusal);
        return Step::went;
    }
    if (const auto why = headers_.fill(event)) {
        reject(index, *why);
        return Step::went;
    }
    return produce(index, route);
}

void Delivery::count_in(std::uint32_t index, Flight &flight) {
    if (under_way_++ == 0) last_news_ = Clock::now();
    flights_[index] = &flight;
}

// It is under way since an earlier call, or has arrived meanwhile.
void Delivery::adopt(Flight &flight, std::uint32_t index) {
    sink_.flights_.claim(flight, index);
    sink_.counters_.awaited.add();
    count_in(index, flight);
    if (flight.landed) finish(flight);
}

Delivery::Step Delivery::produce(std::uint32_t index, const Route &route) {
    const auto stop = [this] { return told_to_stop() || sink_.health_.hopeless(); };
    const Topics::Found found =
        sink_.connection_->topics.find(route.topic, sink_.settings_.timeout, stop);
    switch (found.answer) {
    case Topics::Answer::known:
        break;
    case Topics::Answer::unknown:
        sink_.health_.heard();
        unknown_topic(index, found.why);
        if (trouble_) sink_.connection_->topics.forget(route.topic);
        return trouble_ ? Step::must_wait : Step::went;
    case Topics::Answer::unreachable:
        give_up(sink_.unavailable(found.why));
        return Step::must_wait;
    case Topics::Answer::stopped:
        if (!stopping_) give_up(sink_.unavailable("no broker can be reached"));
        return Step::must_wait;
    }
    Topics::Topic &topic = *found.topic;
    const std::int32_t partition = partition_of(route, topic);
    std::shared_ptr<Partition> place;
    if (partition >= 0) {
        place = topic.partitions[static_cast<std::size_t>(partition)];
        if (!place->proven(Clock::now())) {
            if (place->first_under_way) return Step::must_wait;
            place->first_under_way = true;
        }
    }
    Flight &flight = sink_.flights_.start();
    flight.event = index;
    flight.lane = lanes_[index];
    flight.topic = topic.handle.get();
    flight.place = place;
    const Event event = batch_[index];
    const rd_kafka_resp_err_t error = sink_.connection_->producer.produce(
        {topic.handle.get(), partition, route.key, event.payload(), headers_.list()}, &flight);
    if (error != RD_KAFKA_RESP_ERR_NO_ERROR) {
        sink_.flights_.release(flight);
        if (place) place->first_under_way = false;
        return refused_at_once(index, route, error);
    }
    count_in(index, flight);
    sink_.counters_.messages.add();
    sink_.counters_.message_bytes.add(event.payload().size());
    return Step::went;
}

std::int32_t Delivery::partition_of(const Route &route, Topics::Topic &topic) {
    const auto count = static_cast<std::int32_t>(topic.partitions.size());
    const Partitioner &partitioner = sink_.settings_.partitioner;
    if (route.key || partitioner.places_keyless())
        return partitioner.place(topic.handle.get(), route.key.value_or(""), count);
    if (count > 1 && !std::exchange(topic.warned_of_order, true))
        sink_.host_.info(
            "topic " + std::string(route.topic) + " has " + std::to_string(count) +
            " partitions and events without a key go there: each batch goes to one of them, and "
            "Kafka keeps no order among several; set stream.group_key or key");
    return static_cast<std::int32_t>(sink_.publish_number_ % static_cast<std::uint64_t>(count));
}

Delivery::Step Delivery::refused_at_once(std::uint32_t index, const Route &route,
                                         rd_kafka_resp_err_t error) {
    switch (meaning_of(error)) {
    case Meaning::too_large:
        too_large(index, "the message is larger than properties.message.max.bytes allows");
        return trouble_ ? Step::must_wait : Step::went;
    case Meaning::unknown_topic:
        sink_.connection_->topics.forget(route.topic);
        pausing_ = true;
        return Step::must_wait;
    case Meaning::not_taken: // the producer has stopped
        pausing_ = true;
        return Step::must_wait;
    default:
        if (error == RD_KAFKA_RESP_ERR__QUEUE_FULL) return Step::must_wait;
        give_up(sink_.unavailable("topic " + std::string(route.topic) + ": " + text_of(error)));
        return Step::must_wait;
    }
}

// Takes the reports that have come.
void Delivery::hear() {
    bool any = false;
    for (Flight *flight : sink_.flights_.take_landed()) {
        if (flight->event == Flight::no_event) {
            sink_.sort_kept(*flight);
        } else {
            any = true;
            finish(*flight);
        }
    }
    if (any) last_news_ = Clock::now();
}

void Delivery::finish(Flight &flight) {
    const std::uint32_t event = flight.event;
    const Blamed landed{event, flight.topic, flight.partition, flight.error};
    flights_[event] = nullptr;
    --under_way_;
    sink_.flights_.release(flight);
    const Meaning meaning = meaning_of(landed.error);
    if (blames_one_of_many(meaning)) {
        pausing_ = true;
        blamed_.push_back(landed);
        return;
    }
    switch (meaning) {
    case Meaning::delivered:
        deliver(event);
        break;
    case Meaning::unavailable:
        give_up(
            Failure(PGAT_E_UNAVAILABLE, sink_.settings_.brokers + ": topic " +
                                            std::string(routes_.of(event, batch_[event]).topic) +
                                            ": " + text_of(landed.error)));
        break;
    case Meaning::unknown_topic: // the next round asks whether it is gone
        sink_.connection_->topics.forget(routes_.of(event, batch_[event]).topic);
        [[fallthrough]];
    default:
        pausing_ = true; // it goes again in the next round
    }
}

// An error that a request got for one of its messages comes back for all of them. Only one that was alone in
// its partition is surely to blame; else the next round sends each by itself.
void Delivery::judge_blamed() {
    const bool alone = sink_.connection_->requests == Producer::Requests::of_one;
    std::vector<Blamed> doubtful;
    for (const Blamed &one : blamed_) {
        const auto same_place = [&](const Blamed &other) {
            return other.topic == one.topic && other.partition == one.partition;
        };
        if (!alone && std::count_if(blamed_.begin(), blamed_.end(), same_place) > 1) {
            doubtful.push_back(one);
            continue;
        }
        const std::string why = "topic " +
                                std::string(routes_.of(one.event, batch_[one.event]).topic) + ": " +
                                text_of(one.error);
        switch (meaning_of(one.error)) {
        case Meaning::too_large:
            too_large(one.event, why);
            break;
        case Meaning::refused:
            reject(one.event, why);
            break;
        default:
            order_->retried(one.event);
            outcomes_.retry(one.event, why);
            states_[one.event] = State::retried;
            ++settled_;
        }
    }
    blamed_ = std::move(doubtful);
    for (const Blamed &one : blamed_)
        if (meaning_of(one.error) == Meaning::too_large)
            return sink_.send_smaller_requests(routes_.of(one.event, batch_[one.event]).topic);
}

void Delivery::deliver(std::uint32_t event) {
    outcomes_.delivered(event);
    states_[event] = State::settled;
    ++settled_;
    order_->done(event);
}

void Delivery::reject(std::uint32_t event, const std::string &why) {
    outcomes_.rejected(event, why);
    states_[event] = State::settled;
    ++settled_;
    order_->done(event);
}

void Delivery::unknown_topic(std::uint32_t event, const std::string &why) {
    if (sink_.settings_.on_unknown_topic == Refusal::reject) return reject(event, why);
    give_up(Failure(PGAT_E_UNAVAILABLE, sink_.settings_.brokers + ": " + why));
}

void Delivery::too_large(std::uint32_t event, const std::string &why) {
    if (sink_.settings_.on_too_large == Refusal::reject) return reject(event, why);
    give_up(Failure(PGAT_E_UNAVAILABLE, sink_.settings_.brokers + ": " + why));
}

void Delivery::give_up(Failure why) {
    if (!trouble_) trouble_ = std::move(why);
}

bool Delivery::told_to_stop() {
    const TimePoint now = Clock::now();
    if (!stopping_ && sink_.host_.cancelled()) {
        stopping_ = true;
        end_ = std::min(end_, now + grace);
    }
    if (now >= end_) stopping_ = true;
    return stopping_;
}

// Whether to wait no longer for what is under way.
bool Delivery::must_end() {
    if (told_to_stop() && Clock::now() >= end_) return true;
    return brokers_silent();
}

bool Delivery::brokers_silent() {
    const bool too_long = Clock::now() - last_news_ >= sink_.settings_.timeout;
    if (!too_long && !sink_.health_.hopeless()) return false;
    if (trouble_) return true;
    const bool answered = sink_.a_broker_answers(longest_wait);
    if (!too_long && answered) return false;
    if (!answered) {
        give_up(sink_.unavailable("no broker can be reached"));
        return true;
    }
    std::string why =
        "no message was confirmed in " + std::to_string(sink_.settings_.timeout.count()) + " ms";
    for (std::uint32_t i = 0; i < flights_.size(); ++i) {
        if (flights_[i] == nullptr) continue;
        const auto complaint =
            sink_.connection_->topics.complaint(routes_.of(i, batch_[i]).topic, longest_wait);
        if (!complaint.empty()) why += ": " + complaint;
        break;
    }
    give_up(Failure(PGAT_E_UNAVAILABLE, sink_.settings_.brokers + ": " + why));
    return true;
}

void Delivery::wait() {
    sink_.connection_->producer.give_back_if_stopped();
    const bool blind = batch_.cancel_fd() < 0 && !stopping_;
    const auto left = std::chrono::ceil<milliseconds>(end_ - Clock::now());
    sink_.connection_->producer.wait(
        stopping_ ? -1 : batch_.cancel_fd(),
        std::clamp(left, milliseconds::zero(), blind ? look_again : longest_wait));
    hear();
}

} // namespace pgat::kafka
