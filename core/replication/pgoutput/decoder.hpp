// From the bytes of one pgoutput message to its value: pure, without a copy, and without an
// allocation once the widest table has been seen.
#pragma once

#include <string_view>
#include <vector>

#include "replication/pgoutput/message.hpp"

namespace pgat::replication {

class Decoder {
  public:
    // The value points into `bytes` and into the decoder; both hold until the next call. Throws
    // Error (reconnect) when the bytes are cut short, too long, or make no sense; never reads
    // outside of them.
    Message decode(std::string_view bytes);

  private:
    std::vector<Value> values_;
    std::vector<ColumnDescription> columns_;
};

} // namespace pgat::replication
