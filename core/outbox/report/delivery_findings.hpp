// What keeps events from being delivered: the daemon, the sink, the slot.
#pragma once

#include "outbox/report/finding_list.hpp"

namespace pgat::outbox::report {

class DeliveryFindings : public FindingList {
  public:
    using FindingList::FindingList;

    void daemon();
    void sink();
    void slot();
    // Events that wait for too long.
    void waiting_events();

  private:
    std::string waiting() const;
    std::string outage_text(const Outage &outage) const;
    bool reader_is_ours() const;
};

} // namespace pgat::outbox::report
