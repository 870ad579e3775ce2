// The cursor against a set of events, on a simulated server: transactions that take ids long before
// they commit, snapshots, a stream in commit order that is cut and read again, rounds that stop in the
// middle. At every step each event of the table is asked for.
#include "outbox/cursor.hpp"

#include <algorithm>
#include <map>
#include <random>
#include <set>

#include <gtest/gtest.h>

#include "outbox/floors.hpp"

namespace pgat::outbox {
namespace {

struct Row {
    Xid xid;
    Position at;
};

// What Postgres does, as far as a cursor can tell.
class Server {
  public:
    explicit Server(std::mt19937_64 &random) : random_(random) {}

    void write_something() {
        const auto what = random_() % 6;
        if (what == 0 || open_.empty()) {
            open_[Xid(next_xid_++)];
            return;
        }
        // The first one, the longest open, is seldom chosen.
        auto chosen = std::next(open_.begin(), static_cast<long>(random_() % open_.size()));
        if (chosen == open_.begin() && random_() % 4 != 0) chosen = std::prev(open_.end());
        auto &[xid, rows] = *chosen;
        if (what <= 3) {
            // Ids ascend, times not always: the clock may be set back.
            const auto id = next_id_++;
            const auto jitter = static_cast<std::int64_t>(random_() % 5000);
            rows.push_back({xid, {EventId(id), Timestamp(id * 1000 + jitter)}});
            return;
        }
        if (what == 4) {
            for (const Row &row : rows)
                table.emplace(row.at, xid);
            log.push_back(rows);
        }
        latest_completed_ = std::max(latest_completed_, xid);
        open_.erase(chosen);
    }

    Capture capture() {
        Capture capture;
        capture.seq = EventId(next_id_ - 1);
        capture.before = Xid(next_xid_++);
        latest_completed_ = capture.before;
        // Between its statements others go on.
        while (random_() % 3 != 0)
            write_something();
        const Xid xmax(latest_completed_.value() + 1);
        const Xid xmin = open_.empty() ? xmax : std::min(open_.begin()->first, xmax);
        std::string text = fmt::format("{}:{}:", xmin, xmax);
        for (const auto &[xid, rows] : open_)
            if (xid < xmax) text += fmt::format("{}{}", text.back() == ':' ? "" : ",", xid);
        capture.snapshot = Snapshot::from_server(text);
        while (random_() % 3 != 0)
            write_something();
        capture.wal = Lsn(log.size());
        return capture;
    }

    std::vector<std::vector<Row>> log; // committed transactions in the order of their commits
    std::map<Position, Xid> table;

  private:
    std::mt19937_64 &random_;
    std::map<Xid, std::vector<Row>> open_;
    std::uint64_t next_xid_ = 700;
    Xid latest_completed_{699};
    std::int64_t next_id_ = 1;
};

// A daemon that streams, goes into failover, and recovers by rounds.
class Daemon {
  public:
    Daemon(Server &server, std::mt19937_64 &random) : server_(server), random_(random) {}

    void step() {
        if (!cursor_.round() && streaming_) {
            stream();
            if (random_() % 40 == 0) streaming_ = false;
        } else {
            replay();
        }
        if (random_() % 10 == 0) reload();
    }

    bool idle() const {
        return streaming_ && !cursor_.round() && read_ == server_.log.size() && captures_.empty();
    }

    void check() const {
        for (const auto &[at, xid] : server_.table) {
            ASSERT_EQ(cursor_.holds(xid, at), delivered_.contains(at))
                << at.id.value() << " of " << xid.value();
            ASSERT_TRUE(delivered_.contains(at) || at.id > cursor_.floor()) << at.id.value();
        }
    }

    std::set<Position> delivered_;

  private:
    void deliver(const Row &row) {
        ASSERT_TRUE(delivered_.insert(row.at).second) << row.at.id.value() << " is delivered twice";
    }

    void stream() {
        if (random_() % 4 == 0) captures_.push_back(server_.capture());
        if (read_ < server_.log.size()) {
            const auto &rows = server_.log[read_];
            if (!rows.empty() && !deliver_some_of(rows)) return;
            ++read_;
        }
        while (!captures_.empty() && captures_.front().wal <= Lsn(read_)) {
            floors_.add(captures_.front());
            cursor_.advance(captures_.front().snapshot,
                            floors_.floor_for(captures_.front().snapshot));
            floors_.forget_below(cursor_.delivered().xmin());
            captures_.erase(captures_.begin());
        }
    }

    // True if the whole transaction is delivered.
    bool deliver_some_of(const std::vector<Row> &rows) {
        const Xid xid = rows.front().xid;
        if (cursor_.holds_all_of(xid)) return true;
        for (const Row &row : rows) {
            if (cursor_.holds(xid, row.at)) continue;
            if (random_() % 16 == 0) {
                // This one's key waits; the others run ahead of it.
                for (const Row &other : rows)
                    if (other.at > row.at && random_() % 2 == 0 && !cursor_.holds(xid, other.at)) {
                        deliver(other);
                        EXPECT_TRUE(cursor_.deliver_ahead(xid, other.at.id));
                    }
                return false;
            }
            deliver(row);
            cursor_.deliver_part(xid, row.at.id);
        }
        cursor_.commit(xid);
        return true;
    }

    void replay() {
        if (!cursor_.round()) {
            const Capture capture = server_.capture();
            floors_.add(capture);
            captures_.clear();
            // What passed in the stream so far is in the table, and R sees it.
            read_ = server_.log.size();
            cursor_.begin_round(capture.snapshot);
        }
        const auto &round = *cursor_.round();
        const Cursor at_start = cursor_;
        auto row = server_.table.upper_bound({at_start.round_from(), Timestamp(0)});
        for (; row != server_.table.end(); ++row) {
            const auto &[at, xid] = *row;
            if (!round.snapshot.sees(xid) || cursor_.holds(xid, at)) continue;
            if (random_() % 8 == 0) return; // stopped
            if (random_() % 8 == 0) {
                deliver({xid, at});
                EXPECT_TRUE(cursor_.deliver_ahead(xid, at.id));
                continue;
            }
            if (ahead_of(at)) return;
            deliver({xid, at});
            cursor_.round_delivered(at);
        }
        if (undelivered_of_round()) return;
        cursor_.end_round(floors_.floor_for(round.snapshot));
        // Transactions that passed and that this round did not see are still to come from the table.
        streaming_ = random_() % 2 == 0 && sees_all_passed();
    }

    // Whether an event before this one was left out.
    bool ahead_of(const Position &at) const {
        for (const auto &[other, xid] : server_.table) {
            if (other >= at) return false;
            if (cursor_.round()->snapshot.sees(xid) && !cursor_.holds(xid, other)) return true;
        }
        return false;
    }
    bool undelivered_of_round() const {
        for (const auto &[at, xid] : server_.table)
            if (cursor_.round()->snapshot.sees(xid) && !cursor_.holds(xid, at)) return true;
        return false;
    }
    bool sees_all_passed() const {
        for (std::size_t i = 0; i < read_; ++i)
            for (const Row &row : server_.log[i])
                if (!cursor_.holds_all_of(row.xid)) return false;
        return true;
    }

    // As a row keeps it: the xids of what ran ahead are not in it.
    void reload() {
        std::vector<Cursor::Ahead> ahead;
        for (const auto &entry : cursor_.ahead())
            ahead.push_back({entry.id, random_() % 2 == 0 ? Xid{} : entry.xid});
        cursor_ =
            Cursor(Snapshot::from_server(cursor_.delivered().text()), cursor_.extras().sorted(),
                   cursor_.floor(), cursor_.round(), cursor_.parts(), ahead);
    }

    Server &server_;
    std::mt19937_64 &random_;
    Cursor cursor_;
    Floors floors_;
    std::vector<Capture> captures_;
    std::size_t read_ = 0;
    bool streaming_ = false;
};

TEST(CursorModel, HoldsExactlyWhatWasDeliveredOnceEach) {
    std::size_t events = 0;
    for (std::uint64_t seed = 1; seed <= 60; ++seed) {
        SCOPED_TRACE(seed);
        std::mt19937_64 random(seed);
        Server server(random);
        Daemon daemon(server, random);
        for (int step = 0; step < 400; ++step) {
            for (auto writes = random() % 6; writes > 0; --writes)
                server.write_something();
            daemon.step();
            daemon.check();
            if (testing::Test::HasFatalFailure()) return;
        }
        for (int step = 0; step < 5000 && !daemon.idle(); ++step)
            daemon.step();
        daemon.check();
        EXPECT_EQ(daemon.delivered_.size(), server.table.size());
        events += server.table.size();
    }
    EXPECT_GT(events, 10'000U);
}

} // namespace
} // namespace pgat::outbox
