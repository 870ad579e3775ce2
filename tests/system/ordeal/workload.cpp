#include "workload.hpp"

#include <deque>
#include <optional>

#include <fmt/format.h>

#include "support/waiting.hpp"

namespace pgat::ordeal {

using namespace std::chrono_literals;

namespace {

constexpr int hot_rows = 40; // few, so that writers meet
constexpr auto gid_prefix = "ordeal-";

// A transaction that waits to be ended; its name says how.
std::string gid(std::int64_t transaction, bool commit) {
    return fmt::format("{}{}-{}", gid_prefix, transaction, commit ? "commit" : "rollback");
}

std::string ending_of(std::string_view gid) {
    return fmt::format("{} PREPARED '{}'", gid.ends_with("commit") ? "COMMIT" : "ROLLBACK", gid);
}

} // namespace

// One session, and what it does with it.
class Workload::Writer {
  public:
    Writer(Stage &stage, Ledger &ledger, const Pause &over, std::uint64_t seed, int number)
        : stage_(stage), ledger_(ledger), over_(over),
          random_(seed * 1000 + static_cast<std::uint64_t>(number)),
          next_row_(1'000'000 * std::int64_t{number}) {}

    void run() {
        while (!over_.over()) {
            try {
                if (!sql_ || !sql_->usable()) connect();
                end_prepared();
                write();
            } catch (const Error &) {
                if (!sql_ || !sql_->usable()) sql_.reset();
            }
            over_.wait(std::chrono::milliseconds(sql_ ? below(40) : 50));
        }
    }

  private:
    struct Prepared {
        std::string gid;
        Clock::time_point due;
    };

    void connect() {
        postgres::SessionOptions options;
        options.keywords = stage_.cluster().keywords(stage_.site().database());
        // Two writers that meet give way to each other; what waits for a stalled standby is let wait.
        options.settings = {{"lock_timeout", "2s"}, {"deadlock_timeout", "200ms"}};
        options.answer_timeout = 120s;
        sql_.emplace(postgres::Connection::open(options));
    }

    int below(int limit) { return std::uniform_int_distribution<>(0, limit - 1)(random_); }

    void end_prepared() {
        while (!prepared_.empty() && prepared_.front().due <= Clock::now()) {
            try {
                sql_->exec(ending_of(prepared_.front().gid));
            } catch (const Error &error) {
                // 42704: the session was lost when it had been ended already.
                if (error.sqlstate() != "42704") throw;
            }
            prepared_.pop_front();
        }
    }

    // One transaction. What its error says of its outcome goes to the ledger.
    void write() {
        constexpr const char *kinds[] = {"short",       "short",      "bulk",     "long",
                                         "rolled back", "savepoints", "prepared", "unflushed"};
        const std::string kind = kinds[below(static_cast<int>(std::size(kinds)))];
        const auto number = ledger_.begin(kind);
        events_ = 0;
        // A transaction whose end was not sent did not commit.
        auto outcome = Outcome::rolled_back;
        try {
            sql_->exec("BEGIN");
            if (kind == "unflushed") sql_->exec("SET LOCAL synchronous_commit = off");
            if (kind == "bulk")
                insert_many(number);
            else
                for (int left = 1 + below(5); left > 0; --left) {
                    statement(number);
                    if (kind == "savepoints") undone(number);
                    if (kind == "long") over_.wait(std::chrono::milliseconds(below(1200)));
                }
            outcome = end(kind, number, outcome);
        } catch (const Error &) {
            ledger_.end(number, events_, outcome);
            if (sql_->usable()) sql_->exec("ROLLBACK");
            throw;
        }
        ledger_.end(number, events_, outcome);
    }

    // Sets `at_error` to what is true if it throws.
    Outcome end(const std::string &kind, std::int64_t number, Outcome &at_error) {
        if (kind == "rolled back") {
            if (below(2) == 0) sql_->exec("SET CONSTRAINTS ALL IMMEDIATE");
            sql_->exec("ROLLBACK");
            return Outcome::rolled_back;
        }
        if (below(4) == 0) {
            // Events are written now, and commit later.
            sql_->exec("SET CONSTRAINTS ALL IMMEDIATE");
            over_.wait(std::chrono::milliseconds(below(300)));
        }
        if (kind == "prepared") {
            const bool commit = below(3) != 0;
            sql_->exec("SET CONSTRAINTS ALL IMMEDIATE");
            at_error = commit ? Outcome::unknown : Outcome::rolled_back;
            sql_->exec(fmt::format("PREPARE TRANSACTION '{}'", gid(number, commit)));
            prepared_.push_back(
                {gid(number, commit), Clock::now() + std::chrono::milliseconds(below(2500))});
            return commit ? Outcome::committed : Outcome::rolled_back;
        }
        at_error = Outcome::unknown;
        try {
            sql_->exec("COMMIT");
        } catch (const Error &error) {
            // A deferred trigger may have met an error of its own: then it is certain.
            if (sql_->usable()) at_error = Outcome::rolled_back;
            throw;
        }
        return kind == "unflushed" ? Outcome::unknown : Outcome::committed;
    }

    void statement(std::int64_t number) {
        switch (below(4)) {
        case 0:
            sql_->exec("UPDATE public.things SET version = version + 1, tag = $1 WHERE id = $2",
                       {number, below(hot_rows)});
            break;
        case 1:
            sql_->exec("WITH raised AS (UPDATE public.counters SET version = version + 1"
                       " WHERE id = $2 RETURNING id, version)"
                       " INSERT INTO async_triggers.events (stream_id, payload)"
                       " SELECT $3, jsonb_build_object('direct', jsonb_build_object("
                       "'id', id, 'version', version, 'tag', $1::bigint)) FROM raised",
                       {number, below(hot_rows), stage_.site().stream()});
            break;
        case 2:
            insert(number, 1);
            return;
        default:
            if (next_row_ == oldest_row_) return;
            // One of our own: whether it is there depends on how its transaction ended.
            events_ += static_cast<std::int64_t>(
                sql_->exec("UPDATE public.things SET version = version + 1, tag = $1 WHERE id = $2",
                           {number, next_row_})
                    .affected());
            events_ += static_cast<std::int64_t>(
                sql_->exec("DELETE FROM public.things WHERE id = $1", {next_row_}).affected());
            return;
        }
        ++events_;
    }

    // Something that a savepoint takes back, written or only due.
    void undone(std::int64_t number) {
        const auto before = events_;
        sql_->exec("SAVEPOINT s");
        statement(number);
        if (below(2) == 0) sql_->exec("SET CONSTRAINTS ALL IMMEDIATE");
        sql_->exec("ROLLBACK TO s");
        events_ = before;
    }

    void insert_many(std::int64_t number) { insert(number, 50 + below(400)); }

    void insert(std::int64_t number, int count) {
        if (oldest_row_ == 0) oldest_row_ = next_row_;
        sql_->exec(
            "INSERT INTO public.things SELECT i, 0, $1 FROM generate_series($2::bigint, $3) i",
            {number, next_row_ + 1, next_row_ + count});
        next_row_ += count;
        events_ += count;
    }

    Stage &stage_;
    Ledger &ledger_;
    const Pause &over_;
    std::mt19937_64 random_;
    std::optional<postgres::Connection> sql_;
    std::deque<Prepared> prepared_;
    std::int64_t events_ = 0;
    std::int64_t next_row_; // the newest that we inserted
    std::int64_t oldest_row_ = 0;
};

Workload::Workload(Stage &stage, Ledger &ledger) : stage_(stage), ledger_(ledger) {
    auto &site = stage_.site();
    site.exec("CREATE TABLE public.things (id bigint PRIMARY KEY, version bigint NOT NULL,"
              " tag bigint NOT NULL);"
              "CREATE TABLE public.counters (id bigint PRIMARY KEY, version bigint NOT NULL);"
              "GRANT TRIGGER ON public.things TO " +
              site.role());
    site.exec("INSERT INTO public.things SELECT i, 0, 0 FROM generate_series(0, $1 - 1) i",
              {hot_rows});
    site.exec("INSERT INTO public.counters SELECT i, 0 FROM generate_series(0, $1 - 1) i",
              {hot_rows});
    for (const auto *operation : {"INSERT", "UPDATE", "DELETE"})
        site.exec(
            "INSERT INTO async_triggers.subscriptions"
            " (key, stream_id, operation, schema_name, table_name, column_names)"
            " VALUES ($2::text, $1, $2::text::async_triggers.operation_type, 'public', 'things',"
            " '{id,version,tag}')",
            {site.stream(), operation});
}

Workload::~Workload() { finish(); }

void Workload::start(std::uint64_t seed, int writers) {
    for (int number = 1; number <= writers; ++number)
        threads_.emplace_back(
            [this, seed, number] { Writer(stage_, ledger_, over_, seed, number).run(); });
}

void Workload::finish() {
    if (threads_.empty()) return;
    over_.end();
    for (auto &thread : threads_)
        thread.join();
    threads_.clear();
    stage_.ask([](postgres::Connection &sql) {
        const auto left =
            sql.exec("SELECT gid FROM pg_prepared_xacts WHERE gid LIKE $1 || '%'", {gid_prefix});
        for (int row = 0; row < left.rows(); ++row)
            sql.exec(ending_of(left.text(row, 0)));
    });
}

} // namespace pgat::ordeal
