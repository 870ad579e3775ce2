#include "cli/replay/replay.hpp"

#include <algorithm>
#include <optional>
#include <vector>

#include <fmt/format.h>
#include <nlohmann/json.hpp>
#include <unistd.h>

#include "cli/confirmation.hpp"
#include "cli/progress_display.hpp"
#include "cli/sink_session.hpp"
#include "cli/terminal_text.hpp"
#include "observe/log.hpp"
#include "outbox/page_ahead.hpp"
#include "outbox/time_text.hpp"

namespace pgat::cli::replay {

namespace {

constexpr observe::Log log{"replay"};

// The log names all.
constexpr std::size_t most_shown = 20;

struct Refused {
    EventId id;
    std::string reason;
};

struct Outcome {
    std::int64_t total = 0;
    std::int64_t delivered = 0;
    std::int64_t refused = 0;
    std::vector<Refused> first_refused;
    std::string stopped; // why before the end; empty: it was not
    EventId next;        // where to go on, if it stopped

    std::int64_t left() const noexcept {
        return std::max<std::int64_t>(total - delivered - refused, 0);
    }
};

class Replay {
  public:
    Replay(const config::Stream &stream, std::string uid, const Halt &halt,
           DeliveryProgress &progress, const outbox::StoredEvents &events)
        : limits_(stream.batch), uid_(std::move(uid)), halt_(halt), progress_(progress),
          policy_(redelivery_policy(stream)) {
        outcome_.total = events.count();
        outcome_.next = events.first()->id;
    }

    void run(sinks::Sink &sink, postgres::Connection reading, outbox::StoredEvents events) {
        delivery::Redelivery redelivery(sink, policy_, halt_, progress_.counts);
        try {
            outbox::PageAhead pages(std::move(reading),
                                    [&events](postgres::Connection &from, outbox::Chunk &page) {
                                        return events.read_page(from, page);
                                    });
            while (!halt_.halted() && outcome_.stopped.empty()) {
                const auto page = pages.next();
                if (!page) return;
                deliver(redelivery, *page);
            }
        } catch (const Error &error) {
            if (error.remedy() != Remedy::interrupted) outcome_.stopped = error.what();
        } catch (const std::exception &error) {
            outcome_.stopped = error.what();
        }
        if (outcome_.stopped.empty() && outcome_.left() > 0) outcome_.stopped = "interrupted";
    }

    const Outcome &outcome() const noexcept { return outcome_; }

  private:
    using Events = std::vector<const outbox::Event *>;

    void deliver(delivery::Redelivery &redelivery, const outbox::Chunk &page) {
        auto next = page.events.begin();
        while (next != page.events.end() && !halt_.halted() && outcome_.stopped.empty()) {
            Events batch;
            std::size_t bytes = 0;
            for (; next != page.events.end() && batch.size() < limits_.max_size; ++next) {
                bytes += next->payload.size() + next->metadata.size();
                if (!batch.empty() && bytes > limits_.max_bytes) break;
                batch.push_back(&*next);
            }
            take(batch, redelivery.deliver(batch, uid_));
        }
    }

    void take(const Events &batch, const delivery::Redelivered &result) {
        outcome_.delivered += static_cast<std::int64_t>(result.delivered.size());
        outcome_.refused += static_cast<std::int64_t>(result.refused.size());
        for (const auto &refusal : result.refused) {
            const EventId id = batch[refusal.index]->at.id;
            log.warn("an event was not delivered again",
                     {{"event", id}, {"attempts", refusal.attempts}, {"reason", refusal.reason}});
            if (outcome_.first_refused.size() < most_shown)
                outcome_.first_refused.push_back({id, refusal.reason});
        }
        if (result.prefix > 0) progress_.last_id = batch[result.prefix - 1]->at.id.value();
        outcome_.next = result.prefix < batch.size() ? batch[result.prefix]->at.id
                                                     : EventId(batch.back()->at.id.value() + 1);
        if (!result.given_up) return;
        outcome_.stopped = "the sink takes no events: " + result.given_up->reason;
        if (result.given_up->since) outcome_.next = result.given_up->since->id;
    }

    const config::Batch limits_;
    const std::string uid_;
    const Halt &halt_;
    DeliveryProgress &progress_;
    const delivery::RedeliveryPolicy policy_;
    Outcome outcome_;
};

std::string next_command(const Program &program, const Choice &choice,
                         const outbox::StoredEvents &events, EventId next) {
    std::vector<std::string> arguments = {"replay", "--from", fmt::format("{}", next), "--to"};
    // What has been written since is the stream's to deliver.
    arguments.push_back(choice.range.to.empty() ? fmt::format("{}", events.last()->id)
                                                : choice.range.to);
    if (!choice.range.subscription.empty())
        arguments.insert(arguments.end(), {"--subscription", choice.range.subscription});
    return command_line(program, arguments);
}

std::string named(const outbox::Position &at) {
    return fmt::format("{} of {}", at.id, outbox::iso_time_text(at.created_at));
}

std::string range_text(const outbox::StoredEvents &events) {
    return events.count() == 1 ? fmt::format("event {}", named(*events.first()))
                               : fmt::format("{} events, from {} to {}", events.count(),
                                             named(*events.first()), named(*events.last()));
}

nlohmann::ordered_json to_json(const std::optional<outbox::Position> &at) {
    if (!at) return nullptr;
    return {{"event_id", at->id.value()}, {"created_at", outbox::iso_time_text(at->created_at)}};
}

nlohmann::ordered_json to_json(StreamId stream, const outbox::StoredEvents &events) {
    return {{"stream_id", stream.value()},
            {"events", events.count()},
            {"first", to_json(events.first())},
            {"last", to_json(events.last())}};
}

void print(const nlohmann::ordered_json &object) {
    fmt::print("{}\n",
               object.dump(2, ' ', false, nlohmann::ordered_json::error_handler_t::replace));
}

void print_json(StreamId stream, const outbox::StoredEvents &events, const Outcome &outcome) {
    auto object = to_json(stream, events);
    object["delivered"] = outcome.delivered;
    object["refused"] = outcome.refused;
    object["first_refused"] = nlohmann::ordered_json::array();
    for (const auto &event : outcome.first_refused)
        object["first_refused"].push_back(
            {{"event_id", event.id.value()}, {"reason", event.reason}});
    object["left"] = outcome.left();
    object["stopped"] = nullptr;
    object["go_on_from"] = nullptr;
    if (!outcome.stopped.empty()) {
        object["stopped"] = outcome.stopped;
        object["go_on_from"] = outcome.next.value();
    }
    print(object);
}

void print_text(const Program &program, const Choice &choice, StreamId stream,
                const outbox::StoredEvents &events, const Outcome &outcome) {
    fmt::print("stream {}: {} of {} events delivered again\n", stream, outcome.delivered,
               events.count());
    if (outcome.refused > 0) {
        fmt::print("{} {} not delivered, the sink refused {}:\n", outcome.refused,
                   outcome.refused == 1 ? "was" : "were", outcome.refused == 1 ? "it" : "them");
        for (const auto &event : outcome.first_refused)
            fmt::print("{}\n",
                       fit_to(STDOUT_FILENO, fmt::format("  {}: {}", event.id, event.reason)));
        if (outcome.refused > static_cast<std::int64_t>(outcome.first_refused.size()))
            fmt::print("  … and {} more, which the log names\n",
                       outcome.refused - static_cast<std::int64_t>(outcome.first_refused.size()));
    }
    if (outcome.stopped.empty() && outcome.left() > 0)
        fmt::print("{} were no longer stored when their turn came: their partition was dropped\n",
                   outcome.left());
    if (outcome.stopped.empty()) return;
    fmt::print("stopped at event {}: {}\n", outcome.next, printable(outcome.stopped));
    fmt::print("To go on: {}\n", next_command(program, choice, events, outcome.next));
}

// What the range may have held, and is no more.
void tell_of_lost(const outbox::EventRange &range, const outbox::StoredEvents &events) {
    const auto &oldest = events.oldest();
    // The first id there ever was.
    if (!oldest || oldest->id <= EventId(1)) return;
    const bool before = (range.from_id && *range.from_id < oldest->id) ||
                        (range.from_time && *range.from_time < oldest->created_at);
    if (before)
        fmt::print(stderr,
                   "the oldest stored event is {}; those before it have gone with their "
                   "partitions\n",
                   named(*oldest));
}

} // namespace

int replay(const Program &program, const config::Config &config, const Choice &choice) {
    const auto range = range_of(choice.range, config.stream.id);
    auto sql = postgres::Connection::open(sink_session_options(config, "replay", nullptr));
    require_schema(sql);
    const std::string uid = require_uid(sql, range.stream);
    const outbox::StoredEvents events(sql, range);
    require_subscription(sql, range, events.count() > 0);
    tell_of_lost(range, events);
    if (events.count() == 0 || choice.dry_run) {
        if (choice.json)
            print(to_json(range.stream, events));
        else if (events.count() == 0)
            fmt::print("stream {}: no stored events in that range\n", range.stream);
        else
            fmt::print("stream {}: {}\n", range.stream, range_text(events));
        return done;
    }
    if (!choice.yes) {
        fmt::print("This delivers again, to sink {}: {}.\n", config.sink.type, range_text(events));
        std::fflush(stdout);
        if (!confirmed("replay asks before it delivers anything")) {
            fmt::print("nothing was delivered\n");
            return failed;
        }
    }

    Halt halt;
    DeliveryProgress progress;
    Replay replay(config.stream, uid, halt, progress, events);
    sql.interrupt_by(&halt.bell());
    {
        ProgressDisplay display(config.log, events.count(), progress);
        SinkSession session;
        session.work = [&](sinks::Sink &sink) { replay.run(sink, std::move(sql), events); };
        session.tick = [&] { display.show(); };
        session.abandoned = [&] {
            const std::int64_t last = progress.last_id;
            const EventId next = last == 0 ? events.first()->id : EventId(last + 1);
            fmt::print(stderr, "To go on: {}\n", next_command(program, choice, events, next));
        };
        run_with_sink(config, halt, session);
    }
    const Outcome &outcome = replay.outcome();
    if (choice.json)
        print_json(range.stream, events, outcome);
    else
        print_text(program, choice, range.stream, events, outcome);
    return outcome.left() == 0 && outcome.refused == 0 && outcome.stopped.empty() ? done : failed;
}

} // namespace pgat::cli::replay
