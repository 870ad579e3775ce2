// What the functions that look for findings share: the report, and where they put what they find.
#pragma once

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "outbox/report/findings.hpp"

namespace pgat::outbox::report {

class FindingList {
  public:
    FindingList(const StreamReport &report, const ReportRequest &request)
        : report_(report), request_(request), state_(report.state()) {}

    // The worst first.
    std::vector<Finding> take() {
        std::stable_sort(found_.begin(), found_.end(), [](const Finding &a, const Finding &b) {
            return a.severity < b.severity;
        });
        return std::move(found_);
    }

  protected:
    void problem(std::string code, std::string what, std::vector<std::string> remedy) {
        found_.push_back({Severity::problem, std::move(code), std::move(what), std::move(remedy)});
    }
    void notice(std::string code, std::string what, std::vector<std::string> remedy) {
        found_.push_back({Severity::notice, std::move(code), std::move(what), std::move(remedy)});
    }
    // By the server's clock.
    std::int64_t seconds_since(Timestamp time) const {
        return std::max<std::int64_t>((report_.server.now.value() - time.value()) / 1'000'000, 0);
    }
    bool daemon_is_there() const {
        return state_ != StreamState::away && state_ != StreamState::never_started;
    }
    bool daemon_ran() const { return report_.row && report_.row->generation > 0; }

    const StreamReport &report_;
    const ReportRequest &request_;
    const StreamState state_;

  private:
    std::vector<Finding> found_;
};

} // namespace pgat::outbox::report
