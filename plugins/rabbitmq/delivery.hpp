// One publish(): from the batch to a verdict for each event. Lives for the length of that call; a session
// that still owes answers when it ends is dropped.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "pgat/sink.hpp"
#include "rabbitmq/confirms.hpp"
#include "rabbitmq/order.hpp"
#include "rabbitmq/patience.hpp"
#include "rabbitmq/rabbitmq_sink.hpp"
#include "rabbitmq/refusal.hpp"
#include "rabbitmq/session.hpp"

namespace pgat::rabbitmq {

class Delivery final : Listener {
  public:
    Delivery(RabbitmqSink &sink, const plugin::Batch &batch, plugin::Outcomes &outcomes);

    // Returns when no event is left to send; throws Failure if the broker takes none now, or when told to
    // stop. Verdicts are given as they become known.
    void run();

  private:
    void exchange_all();
    void send_what_may_go();
    void look_for_a_stop();
    void look_at_the_clock();
    void look_whether_blocked(plugin::TimePoint now);
    plugin::TimePoint next_look() const;
    [[noreturn]] void give_up(pgat_status status, const std::string &why);

    void confirmed(std::uint64_t number, bool multiple, bool taken) override;
    void returned(std::string_view message_id, std::string_view why) override;
    void settle_delivered();
    void refuse_for_now(std::uint32_t event, const std::string &why);
    void unroutable(std::uint32_t event, const std::string &why);

    void channel_closed(const Refusal &refusal);
    void connection_lost(const ConnectionLost &lost);

    RabbitmqSink &sink_;
    const plugin::Batch &batch_;
    plugin::Outcomes &outcomes_;
    Patience patience_;
    Order order_;
    Confirms confirms_;
    std::vector<Confirms::Answered> answered_;
    std::vector<std::uint32_t> delivered_;
    std::string why_; // scratch
    // What was sent up to here, when the last message was refused, does not open the window again.
    std::uint64_t refused_at_ = 0;
    std::size_t opening_ = 0; // messages of delivered_ that do

    bool reopen_ = false;           // the session needs a new channel
    unsigned losses_ = 0;           // of connections, since the last confirm
    std::uint64_t overtaken_ = 0;   // events taken though one that they come after was refused
    plugin::TimePoint last_answer_; // or when the first message that waits for one was sent
    plugin::TimePoint begun_;
    plugin::TimePoint
        blocked_counted_{}; // up to where blocked time is in the metrics; zero: not blocked

    bool stopping_ = false; // we were told to: send no more
    plugin::TimePoint give_up_at_;
};

} // namespace pgat::rabbitmq
