// `dead-letters retry`: delivers through a sink of its own. A delivered letter is removed after its delivery, so a
// crash in between makes a duplicate and no loss.
#include <algorithm>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <nlohmann/json.hpp>
#include <unistd.h>

#include "cli/dead_letters/verbs.hpp"
#include "cli/progress_display.hpp"
#include "cli/sink_session.hpp"
#include "cli/terminal_text.hpp"
#include "delivery/redelivery.hpp"

namespace pgat::cli::dead_letters {

namespace {

struct StillDead {
    EventId id;
    std::string reason;
};

// The first of them; the table has all.
constexpr std::size_t most_shown = 20;

struct Outcome {
    std::int64_t total = 0;
    std::int64_t delivered = 0;
    std::int64_t failed = 0;
    std::vector<StillDead> still_dead;
    std::vector<EventId> settled; // if letters were named
    std::string stopped;          // why before the end; empty: it was not

    std::int64_t not_tried() const noexcept {
        return std::max<std::int64_t>(total - delivered - failed, 0);
    }
};

class Retry {
  public:
    Retry(postgres::Connection &sql, outbox::LetterSelection selection,
          const config::Stream &stream, const Halt &halt, DeliveryProgress &progress)
        : sql_(sql), selection_(std::move(selection)), stream_(stream), halt_(halt),
          progress_(progress), uid_(require_uid(sql, selection_.stream)) {
        outcome_.total = outbox::count_letters(sql, selection_);
    }

    void run(sinks::Sink &sink) {
        auto policy = redelivery_policy(stream_);
        policy.each_once = true;
        delivery::Redelivery redelivery(sink, policy, halt_, progress_.counts);
        // A page is one batch.
        outbox::LetterWalk walk(selection_, {stream_.batch.max_size, stream_.batch.max_bytes});
        while (!halt_.halted() && outcome_.stopped.empty()) {
            outbox::Chunk page;
            if (!walk.read_page(sql_, page)) {
                // What somebody else has removed meanwhile is nothing to go on with.
                outcome_.total = outcome_.delivered + outcome_.failed;
                return;
            }
            std::vector<const outbox::Event *> events;
            for (const auto &event : page.events)
                events.push_back(&event);
            const auto result = redelivery.deliver(events, uid_);
            settle(events, result);
            if (result.given_up)
                outcome_.stopped = "the sink takes no events: " + result.given_up->reason;
        }
        if (outcome_.stopped.empty() && outcome_.not_tried() > 0) outcome_.stopped = "interrupted";
    }

    const Outcome &outcome() const noexcept { return outcome_; }

  private:
    void settle(const std::vector<const outbox::Event *> &events,
                const delivery::Redelivered &result) {
        std::vector<outbox::Position> delivered;
        for (const auto index : result.delivered)
            delivered.push_back(events[index]->at);
        std::vector<outbox::FailedAgain> failed;
        for (const auto &refusal : result.refused)
            failed.push_back({events[refusal.index]->at, refusal.reason, refusal.attempts});
        remove(delivered);
        outbox::mark_letters(sql_, selection_.stream, failed);

        outcome_.delivered += static_cast<std::int64_t>(delivered.size());
        outcome_.failed += static_cast<std::int64_t>(failed.size());
        if (result.prefix > 0) progress_.last_id = events[result.prefix - 1]->at.id.value();
        for (const auto &letter : failed)
            if (outcome_.still_dead.size() < most_shown)
                outcome_.still_dead.push_back({letter.at.id, std::string(letter.reason)});
        if (selection_.ids.empty()) return;
        for (const auto &at : delivered)
            outcome_.settled.push_back(at.id);
        for (const auto &letter : failed)
            outcome_.settled.push_back(letter.at.id);
    }

    void remove(const std::vector<outbox::Position> &delivered) {
        try {
            outbox::remove_letters(sql_, selection_.stream, delivered);
        } catch (const Error &error) {
            std::vector<EventId> ids;
            for (const auto &at : delivered)
                ids.push_back(at.id);
            throw Error(Remedy::stop,
                        fmt::format("{} letters were delivered but could not be removed: {}",
                                    ids.size(), error.what()))
                .with_sqlstate(error.sqlstate())
                .with_hint(fmt::format("the next retry delivers them again; to prevent that, "
                                       "`dead-letters discard {}`",
                                       fmt::join(ids, " ")));
        }
    }

    postgres::Connection &sql_;
    const outbox::LetterSelection selection_;
    const config::Stream &stream_;
    const Halt &halt_;
    DeliveryProgress &progress_;
    const std::string uid_;
    Outcome outcome_;
};

// The command for the letters that were not tried.
std::string next_command(const Program &program, const Choice &choice, const Outcome &outcome) {
    std::vector<std::string> arguments = {"dead-letters", "retry"};
    if (choice.all) arguments.emplace_back("--all");
    for (const auto id : choice.ids)
        if (std::find(outcome.settled.begin(), outcome.settled.end(), EventId(id)) ==
            outcome.settled.end())
            arguments.push_back(std::to_string(id));
    return command_line(program, arguments);
}

void print_text(const Program &program, const Choice &choice, StreamId stream,
                const Outcome &outcome) {
    const auto letters = [](std::int64_t count) {
        return fmt::format("{} dead letter{}", count, count == 1 ? "" : "s");
    };
    fmt::print("stream {}: {} delivered and removed\n", stream, letters(outcome.delivered));
    if (outcome.failed > 0) {
        fmt::print("{} failed again and stay{}:\n", outcome.failed, outcome.failed == 1 ? "s" : "");
        for (const auto &letter : outcome.still_dead)
            fmt::print("{}\n",
                       fit_to(STDOUT_FILENO, fmt::format("  {}: {}", letter.id, letter.reason)));
        if (outcome.failed > static_cast<std::int64_t>(outcome.still_dead.size()))
            fmt::print("  … `dead-letters list` shows all\n");
    }
    if (outcome.not_tried() > 0) {
        fmt::print("{} not tried: {}\n", outcome.not_tried(), printable(outcome.stopped));
        fmt::print("To go on: {}\n", next_command(program, choice, outcome));
    }
}

void print_json(StreamId stream, const Outcome &outcome) {
    auto still_dead = nlohmann::ordered_json::array();
    for (const auto &letter : outcome.still_dead)
        still_dead.push_back({{"event_id", letter.id.value()}, {"reason", letter.reason}});
    const nlohmann::ordered_json object = {
        {"stream_id", stream.value()},
        {"delivered", outcome.delivered},
        {"failed", outcome.failed},
        {"first_failed", still_dead},
        {"not_tried", outcome.not_tried()},
        {"stopped", outcome.stopped.empty() ? nlohmann::ordered_json()
                                            : nlohmann::ordered_json(outcome.stopped)}};
    fmt::print("{}\n",
               object.dump(2, ' ', false, nlohmann::ordered_json::error_handler_t::replace));
}

} // namespace

int retry(const Program &program, const config::Config &config, const Choice &choice) {
    // Not to be interrupted: what is delivered is to be removed.
    auto sql =
        postgres::Connection::open(sink_session_options(config, "dead-letters retry", nullptr));
    require_schema(sql);
    auto selection = selection_of(config, choice);
    take(sql, selection);
    Halt halt;
    DeliveryProgress progress;
    Retry retry(sql, selection, config.stream, halt, progress);
    if (retry.outcome().total == 0) {
        if (choice.json)
            print_json(selection.stream, retry.outcome());
        else
            fmt::print("no dead letters to retry\n");
        return done;
    }
    {
        ProgressDisplay display(config.log, retry.outcome().total, progress);
        SinkSession session;
        session.work = [&](sinks::Sink &sink) { retry.run(sink); };
        session.tick = [&] { display.show(); };
        session.abandoned = [] {
            fmt::print(stderr, "letters that it delivered in this call are still dead letters\n");
        };
        run_with_sink(config, halt, session);
    }
    const Outcome &outcome = retry.outcome();
    if (choice.json)
        print_json(selection.stream, outcome);
    else
        print_text(program, choice, selection.stream, outcome);
    return outcome.failed == 0 && outcome.not_tried() == 0 ? done : failed;
}

} // namespace pgat::cli::dead_letters
