#include "stage.hpp"

#include <csignal>
#include <cstdlib>
#include <fstream>

#include <fmt/format.h>

#include "support/waiting.hpp"

namespace pgat::ordeal {

using namespace std::chrono_literals;
using support::Daemon;

namespace {

// Quick to fail over and to come back; small batches, so that more happens between them. No event is ever
// charged so often that it counts as undeliverable.
constexpr auto stream_settings = "  batch: {max_size: 100}\n"
                                 "  retry: {attempts: 3, initial_backoff_ms: 20, max_backoff_ms: "
                                 "500, max_event_attempts: 1000000}\n";

// A request that a daemon sent just before it died may come to the ledger this much later.
constexpr auto under_way = 200ms;

std::string tail(const std::string &text) {
    return text.size() < 6000 ? text : "…" + text.substr(text.size() - 6000);
}

} // namespace

Stage::Stage(Ledger &ledger, const std::string &sink, bool keyed)
    : ledger_(ledger), keyed_(keyed),
      cluster_({.settings = {{"max_wal_size", "256MB"}}, .hba = {}}), site_(cluster_),
      network_(cluster_.port()) {
    const auto below_sink = sink + (keyed ? fmt::format("  concurrency: {}\n", concurrency) : "");
    const auto below_stream =
        std::string(stream_settings) + (keyed ? "  group_key: /new/id\n" : "");
    configuration_ = site_.configure(below_sink, below_stream, network_.port());
    direct_configuration_ = site_.configure(below_sink, below_stream);
    if (const char *folder = std::getenv("PGAT_TEST_LOGS")) // NOLINT(concurrency-mt-unsafe)
        logs_ = folder;
    const auto migrated =
        site_.run_program({"--config", direct_configuration_.string(), "migrate"});
    if (migrated.status != 0) throw std::runtime_error("migrate failed: " + migrated.err);
}

Stage::~Stage() {
    if (daemon_) farewell(*daemon_);
    if (second_) farewell(*second_);
}

postgres::Connection Stage::connect() const {
    postgres::SessionOptions options;
    options.keywords = cluster_.keywords(site_.database());
    options.settings = {{"synchronous_commit", "local"}, {"statement_timeout", "20s"}};
    return postgres::Connection::open(options);
}

void Stage::ask(const std::function<void(postgres::Connection &)> &work) const {
    std::string last;
    const bool done = support::eventually(
        [&] {
            try {
                auto sql = connect();
                work(sql);
                return true;
            } catch (const Error &error) {
                last = error.what();
                return false;
            }
        },
        60s);
    if (!done) throw std::runtime_error("Postgres does not do what the test wants: " + last);
}

void Stage::start_daemon(const std::map<std::string, std::string> &environment) {
    daemon_ = std::make_unique<Daemon>(configuration_, environment);
}

bool Stage::bury_daemon(std::chrono::milliseconds time) {
    const auto from = Clock::now();
    const bool ended = daemon_->wait(time).has_value();
    if (!ended) {
        kill_daemon();
        return false;
    }
    ledger_.excuse({"kill", from, Clock::now() + under_way});
    farewell(*daemon_);
    daemon_.reset();
    return true;
}

void Stage::stop_daemon() { stop(daemon_); }

void Stage::stop_second() { stop(second_); }

void Stage::stop(std::unique_ptr<Daemon> &daemon) {
    if (!daemon) return;
    const auto from = Clock::now();
    const int status = daemon->stop();
    const auto said = daemon->err();
    if (status != 0)
        complaints_ +=
            fmt::format("a daemon's clean stop ended with status {}:\n{}\n", status, tail(said));
    // It has said so, and what follows; but it is to be rare.
    if (said.find("could not be stored") != std::string::npos || status != 0) {
        ledger_.count_fault("(stop without storing the cursor)");
        ledger_.excuse({"stop without storing", from, Clock::now()});
    }
    farewell(*daemon);
    daemon.reset();
}

void Stage::kill_daemon() {
    const auto from = Clock::now();
    daemon_->signal(SIGKILL);
    daemon_->wait();
    ledger_.excuse({"kill", from, Clock::now() + under_way});
    farewell(*daemon_);
    daemon_.reset();
}

Daemon &Stage::start_second() {
    second_ = std::make_unique<Daemon>(direct_configuration_);
    return *second_;
}

void Stage::look_after_daemon() {
    if (daemon_runs()) return;
    if (daemon_) {
        complaints_ += fmt::format("the daemon ended by itself, with status {}:\n{}\n",
                                   daemon_->wait(0ms).value_or(-1), tail(daemon_->err()));
        const auto now = Clock::now();
        ledger_.excuse({"end of its own", now - 10s, now});
        farewell(*daemon_);
    }
    start_daemon();
}

void Stage::farewell(Daemon &daemon) {
    if (!logs_.empty())
        std::ofstream(logs_ / fmt::format("daemon-{}.log", daemon.pid())) << daemon.err();
}

} // namespace pgat::ordeal
