// What `status` shows people, on standard output: what is wrong first, then a line a thing.
#pragma once

#include <vector>

#include "outbox/report/findings.hpp"

namespace pgat::cli::status {

void print(const outbox::StreamReport &report, const std::vector<outbox::Finding> &findings);
void print(const std::vector<outbox::Finding> &findings);

} // namespace pgat::cli::status
