#include "rabbitmq/rabbitmq_sink.hpp"

#include <algorithm>

#include "rabbitmq/delivery.hpp"
#include "rabbitmq/refusal.hpp"
#include "rabbitmq/tls.hpp"

namespace pgat::rabbitmq {

namespace {

using plugin::Failure;
using plugin::TimePoint;
using std::chrono::steady_clock;

} // namespace

RabbitmqSink::RabbitmqSink(plugin::Host host, std::string_view config)
    : host_(host), settings_(read_settings(host, config)), metrics_(host),
      messages_(settings_, host), window_(settings_.confirm_window) {
    const auto with_tls = std::find_if(settings_.brokers.begin(), settings_.brokers.end(),
                                       [](const Broker &broker) { return broker.tls; });
    if (with_tls == settings_.brokers.end()) return;
    make_tls(settings_.tls, with_tls->host); // whether the files are what they should be
    if (!settings_.tls.verify)
        host_.warn("tls.verify is false: anybody on the way can pose as " + with_tls->name());
}

RabbitmqSink::~RabbitmqSink() {
    if (session_) session_->close();
}

void RabbitmqSink::connect(const Patience &patience) {
    std::string reasons;
    for (std::size_t tried = 0; tried < settings_.brokers.size(); ++tried) {
        const Broker &broker = settings_.brokers[next_broker_];
        const TimePoint until =
            std::min(patience.deadline(), steady_clock::now() + settings_.connect_timeout);
        try {
            session_ = std::make_unique<Session>(broker, settings_, host_.version(), resolver_,
                                                 patience, until);
        } catch (const Failure &failure) {
            if (failure.status() == PGAT_E_CANCELLED) throw;
            metrics_.connection_failures.add();
            next_broker_ = (next_broker_ + 1) % settings_.brokers.size();
            if (!reasons.empty()) reasons += "; ";
            reasons += failure.what();
            continue;
        }
        metrics_.connections.add();
        if (connected_before_) metrics_.reconnects.add();
        connected_before_ = true;
        metrics_.connected.set(1);
        // While it blocks us this goes on and on: worth a line only once it is over.
        const std::string line = "connected to " + session_->server() + " at " + broker.name() +
                                 ", vhost " + one_line(broker.vhost) +
                                 (broker.tls ? ", with TLS" : "");
        was_blocked_ ? host_.debug(line) : host_.info(line);
        return;
    }
    throw Failure(PGAT_E_UNAVAILABLE, reasons);
}

void RabbitmqSink::drop_session(std::string_view why) {
    if (!session_) return;
    const std::string line = "connection to " + session_->where() + " dropped: " + std::string(why);
    was_blocked_ ? host_.debug(line) : host_.warn(line);
    session_->abandon();
    session_.reset();
    metrics_.connected.set(0);
    metrics_.blocked.set(0);
    metrics_.in_flight.set(0);
    next_broker_ = (next_broker_ + 1) % settings_.brokers.size();
}

void RabbitmqSink::publish(const plugin::Batch &batch, plugin::Outcomes &outcomes) {
    metrics_.window.set(static_cast<double>(window_.limit()));
    Delivery(*this, batch, outcomes).run();
}

void RabbitmqSink::probe(TimePoint deadline) {
    const Patience patience(host_, deadline, host_.cancel_fd());
    const auto ask = [&] {
        session_->ping(was_blocked_, patience,
                       std::min(deadline, steady_clock::now() + settings_.connect_timeout));
        if (was_blocked_) host_.info(session_->where() + " takes messages again");
        was_blocked_ = false;
    };
    if (session_) {
        try {
            ask();
            return;
        } catch (const ConnectionLost &lost) {
            drop_session(lost.what());
        } catch (const ChannelClosed &closed) {
            drop_session(closed.what());
        }
    }
    connect(patience);
    if (!was_blocked_) return;
    try {
        ask();
    } catch (const ConnectionLost &lost) {
        const std::string why = session_->where() + ": " + lost.what();
        drop_session(lost.what());
        throw Failure(PGAT_E_UNAVAILABLE, why);
    } catch (const ChannelClosed &) {
        // It may not write to the default exchange: then only an event can tell.
        session_->close();
        session_.reset();
        metrics_.connected.set(0);
    }
}

} // namespace pgat::rabbitmq
