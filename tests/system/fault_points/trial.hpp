// One case: a daemon that ends at a fault point while an application writes, the next daemon, and what came of
// it. The row of async_triggers.streams as the crash left it is the measure: what it holds is not delivered
// again, everything else is, once.
#pragma once

#include <atomic>
#include <condition_variable>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "fault_points/application.hpp"
#include "fault_points/cases.hpp"
#include "ordeal/ledger.hpp"
#include "outbox/cursor.hpp"
#include "support/daemon.hpp"
#include "support/http_receiver.hpp"

namespace pgat::fault_points {

class Trial {
  public:
    // `making` is held while the cluster makes a database. Everything else may run beside other trials.
    Trial(support::Cluster &cluster, std::mutex &making, const Case &what);
    ~Trial();
    Trial(const Trial &) = delete;
    Trial &operator=(const Trial &) = delete;

    // What went wrong; empty: nothing.
    std::string run();

  private:
    using EventKey = ordeal::EventKey;
    struct Committed {
        Xid xid;
        std::int64_t row;
        std::int64_t version;
    };
    // By the daemons up to the crash, and by the one after it.
    enum Life { before, after };

    std::filesystem::path configure(Life life);
    support::HttpAnswer answer(const support::HttpRequest &request);
    bool rejects(const EventKey &key) const;
    void prepare();
    void run_to_a_clean_stop();
    void make_an_old_partition();
    bool end_at_the_point();
    void lose_the_sink_again_and_again(support::Daemon &daemon);
    void write_until_it_ends(support::Daemon &daemon);
    void allow(std::optional<int> more);
    bool row_holds_all();
    void look_at_the_row();
    bool deliver_the_rest();
    void read_table();
    std::size_t due() const;
    std::size_t taken(Life life) const;
    void judge();
    void judge_order();
    template <class... Values>
    void complain(const char *format, const Values &...values);

    const Case what_;
    std::unique_ptr<support::Site> site_;
    std::unique_ptr<Application> application_;
    support::HttpReceiver receiver_;
    mutable std::mutex mutex_;
    std::condition_variable may_take_;
    // How many events more the sink takes; nothing: all. Less than the application writes, so that at any point
    // some are committed and not delivered.
    std::optional<int> allowance_;
    std::atomic<bool> down_{false};
    std::vector<EventKey> taken_[2]; // by Life
    std::map<EventKey, Committed> committed_;
    outbox::Cursor cursor_; // at the crash
    std::string old_partition_;
    std::string complaints_;
    std::string logs_;
};

} // namespace pgat::fault_points
