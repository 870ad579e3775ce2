#include "rabbitmq/delivery.hpp"

#include <algorithm>
#include <utility>

namespace pgat::rabbitmq {

namespace {

using plugin::Failure;
using plugin::TimePoint;
using std::chrono::milliseconds;
using std::chrono::steady_clock;

// After cancellation, for confirms that are about to come: each spares a repeat.
constexpr milliseconds grace{500};
// As much is handed to the socket at once; more waits for it to be taken.
constexpr std::size_t enough_to_send = 65536;

std::vector<std::string_view> keys_of(const plugin::Batch &batch) {
    std::vector<std::string_view> keys;
    keys.reserve(batch.size());
    for (std::uint32_t i = 0; i < batch.size(); ++i)
        keys.push_back(batch[i].key());
    return keys;
}

} // namespace

Delivery::Delivery(RabbitmqSink &sink, const plugin::Batch &batch, plugin::Outcomes &outcomes)
    : sink_(sink), batch_(batch), outcomes_(outcomes),
      patience_(sink.host_, batch.deadline(), batch.cancel_fd()),
      order_(keys_of(batch), sink.settings_.strict_order), last_answer_(steady_clock::now()),
      begun_(last_answer_), give_up_at_(batch.deadline()) {}

void Delivery::run() {
    while (true) {
        try {
            if (!sink_.session_) sink_.connect(patience_);
            if (reopen_)
                sink_.session_->reopen(patience_,
                                       steady_clock::now() + sink_.settings_.connect_timeout);
            reopen_ = false;
            exchange_all();
            break;
        } catch (const ChannelClosed &closed) {
            channel_closed(closed.refusal());
        } catch (const ConnectionLost &lost) {
            connection_lost(lost);
        }
    }
    if (overtaken_ > 0)
        sink_.host_.warn(std::to_string(overtaken_) +
                         " events were taken by the broker before an earlier one of their key, "
                         "which it refused: set strict_order where that must not be");
    if (stopping_ && order_.has_more()) throw Failure(PGAT_E_CANCELLED, "told to stop");
}

void Delivery::exchange_all() {
    Session &session = *sink_.session_;
    while (true) {
        look_for_a_stop();
        if (!stopping_) send_what_may_go();
        if (confirms_.empty() && (stopping_ || !session.blocked())) return;
        const std::size_t waiting = confirms_.size();
        session.exchange(*this);
        settle_delivered();
        look_at_the_clock();
        // Room in the window, or in the socket: send on before waiting.
        if (confirms_.size() == waiting) session.wait(patience_, next_look());
    }
}

void Delivery::send_what_may_go() {
    Session &session = *sink_.session_;
    while (!session.blocked() && confirms_.size() < sink_.window_.limit() &&
           session.backlog() < enough_to_send) {
        const auto event = order_.next();
        if (!event) return;
        const Message *const message = sink_.messages_.compose(batch_[*event], why_);
        if (message == nullptr) {
            outcomes_.rejected(*event, why_);
            order_.done(*event);
            continue;
        }
        const auto number = session.publish(*message, sink_.settings_.mandatory);
        if (!number) {
            outcomes_.rejected(*event, "its headers do not fit into one of the broker's frames");
            order_.done(*event);
            continue;
        }
        if (confirms_.empty()) last_answer_ = steady_clock::now();
        confirms_.add(*number, *event);
        sink_.metrics_.published.add();
    }
}

void Delivery::look_for_a_stop() {
    if (stopping_ || !patience_.cancelled()) return;
    stopping_ = true;
    patience_.deafen();
    give_up_at_ = std::min(give_up_at_, steady_clock::now() + grace);
}

void Delivery::look_at_the_clock() {
    const TimePoint now = steady_clock::now();
    const Session &session = *sink_.session_;
    look_whether_blocked(now);
    sink_.metrics_.in_flight.set(static_cast<double>(confirms_.size()));
    if (now >= give_up_at_)
        give_up(PGAT_E_CANCELLED, std::to_string(confirms_.size()) +
                                      " messages were not confirmed by " + session.where() +
                                      (stopping_ ? " before we had to stop" : " in time"));
    if (now < next_look()) return;
    if (session.blocked()) {
        const std::string why = session.where() + " takes no messages: " + *session.blocked() +
                                ": free memory or disk space there, or raise its watermarks";
        sink_.drop_session(why);
        sink_.was_blocked_ = true;
        throw Failure(PGAT_E_UNAVAILABLE, why);
    }
    if (!confirms_.empty())
        give_up(PGAT_E_UNAVAILABLE,
                session.where() + " has confirmed none of " + std::to_string(confirms_.size()) +
                    " messages for " + std::to_string(sink_.settings_.confirm_timeout.count()) +
                    " ms: is a quorum queue without its majority, or the disk slow?");
}

TimePoint Delivery::next_look() const {
    const Session &session = *sink_.session_;
    if (session.blocked())
        return std::min(give_up_at_, std::max({session.blocked_since(), last_answer_, begun_}) +
                                         sink_.settings_.blocked_timeout);
    return std::min(give_up_at_, last_answer_ + sink_.settings_.confirm_timeout);
}

void Delivery::look_whether_blocked(TimePoint now) {
    const auto &reason = sink_.session_->blocked();
    const bool counting = blocked_counted_ != TimePoint{};
    if (counting) {
        const auto span = std::chrono::floor<milliseconds>(now - blocked_counted_);
        sink_.metrics_.blocked_milliseconds.add(static_cast<std::uint64_t>(span.count()));
        blocked_counted_ += span;
    }
    if (reason && !counting) {
        sink_.host_.warn(sink_.session_->where() + " blocks publishers: " + *reason);
        blocked_counted_ = now;
        sink_.metrics_.blocked.set(1);
    } else if (!reason && counting) {
        sink_.host_.info(sink_.session_->where() + " takes messages again");
        blocked_counted_ = {};
        sink_.metrics_.blocked.set(0);
    }
}

void Delivery::give_up(pgat_status status, const std::string &why) {
    if (!confirms_.empty() || status != PGAT_E_CANCELLED) sink_.drop_session(why);
    throw Failure(status, why);
}

void Delivery::confirmed(std::uint64_t number, bool multiple, bool taken) {
    answered_.clear();
    confirms_.take(number, multiple, answered_);
    if (answered_.empty()) return;
    last_answer_ = steady_clock::now();
    losses_ = 0;
    for (Confirms::Answered &one : answered_) {
        if (!taken) {
            sink_.metrics_.nacked.add();
            refuse_for_now(one.event,
                           "the broker refused it (basic.nack): its queue is full, or failed");
        } else if (!one.returned.empty()) {
            unroutable(one.event, one.returned);
        } else {
            if (order_.behind_retry(one.event)) {
                ++overtaken_;
                sink_.metrics_.overtaken.add();
            }
            if (one.number > refused_at_) ++opening_;
            delivered_.push_back(one.event);
            order_.done(one.event);
        }
    }
}

void Delivery::returned(std::string_view message_id, std::string_view why) {
    sink_.metrics_.returned.add();
    for (const std::uint32_t event : confirms_.events()) {
        if (batch_[event].id() != message_id) continue;
        confirms_.note_return(event, std::string(why));
        return;
    }
}

void Delivery::settle_delivered() {
    if (delivered_.empty()) return;
    sink_.metrics_.confirmed.add(delivered_.size());
    sink_.window_.taken(std::exchange(opening_, 0));
    for (std::size_t i = 0; i < delivered_.size();) {
        std::size_t end = i + 1;
        while (end < delivered_.size() && delivered_[end] == delivered_[end - 1] + 1)
            ++end;
        outcomes_.delivered(delivered_[i], static_cast<std::uint32_t>(end - i));
        i = end;
    }
    delivered_.clear();
}

void Delivery::refuse_for_now(std::uint32_t event, const std::string &why) {
    settle_delivered();
    // Behind another one that was refused it is not charged: its turn had not come.
    if (!order_.behind_retry(event)) outcomes_.retry(event, why);
    order_.retry(event);
    sink_.window_.refused(1);
    refused_at_ = confirms_.last_number();
}

void Delivery::unroutable(std::uint32_t event, const std::string &why) {
    if (!sink_.settings_.reject_unroutable) return refuse_for_now(event, why);
    outcomes_.rejected(event, why);
    order_.done(event);
}

// All that the broker took before the message that it blames may be among those without a confirm: one at a
// time shows which one that is.
void Delivery::channel_closed(const Refusal &refusal) {
    settle_delivered();
    sink_.metrics_.channel_closes.add();
    const std::vector<std::uint32_t> under_way = confirms_.events();
    confirms_.clear();
    refused_at_ = 0;
    const std::string why = refusal.text + std::string(remedy_for(refusal));
    const Blame blame = blame_of(refusal);
    const bool about_us =
        !refusal.of_a_publish() || (blame == Blame::route && sink_.messages_.same_route_for_all());
    if (about_us) {
        const std::string where = sink_.session_->where();
        sink_.drop_session("the broker closed the channel: " + refusal.text);
        throw Failure(PGAT_E_UNAVAILABLE, where + ": " + why);
    }
    sink_.window_.refused(under_way.size());
    if (under_way.size() == 1) {
        const std::uint32_t event = under_way.front();
        if (blame == Blame::message) {
            outcomes_.rejected(event, why);
            order_.done(event);
        } else if (blame == Blame::route) {
            unroutable(event, why);
        } else {
            refuse_for_now(event, why);
        }
    } else {
        sink_.host_.warn("the broker closed the channel because of one of " +
                         std::to_string(under_way.size()) + " messages: " + refusal.text +
                         ": they go again one at a time");
    }
    order_.rewind();
    reopen_ = true;
}

void Delivery::connection_lost(const ConnectionLost &lost) {
    settle_delivered();
    constexpr std::uint16_t first_hard_code = 500; // those blame what we sent
    const std::vector<std::uint32_t> under_way = confirms_.events();
    confirms_.clear();
    refused_at_ = 0;
    reopen_ = false;
    const std::string why = sink_.session_->where() + ": " + lost.what();
    sink_.drop_session(lost.what() + (under_way.empty()
                                          ? std::string()
                                          : ", with " + std::to_string(under_way.size()) +
                                                " messages unconfirmed"));
    if (stopping_) throw Failure(PGAT_E_CANCELLED, why);
    ++losses_;
    const bool blames_us = lost.code() >= first_hard_code;
    if (blames_us && !under_way.empty()) sink_.window_.refused(under_way.size());
    if (losses_ > 1 && blames_us && under_way.size() == 1) {
        refuse_for_now(under_way.front(), why);
    } else if (losses_ > 1) {
        throw Failure(PGAT_E_UNAVAILABLE, why);
    }
    order_.rewind();
}

} // namespace pgat::rabbitmq
