// A stream's report for programs. The keys are a contract: docs/status.md. Add, do not rename.
#pragma once

#include <vector>

#include <nlohmann/json.hpp>

#include "outbox/report/findings.hpp"

namespace pgat::outbox {

// Holds no payload and no secret.
nlohmann::ordered_json to_json(const StreamReport &report, const std::vector<Finding> &findings);
nlohmann::ordered_json to_json(const std::vector<Finding> &findings);

// Whether none of them is a problem.
bool healthy(const std::vector<Finding> &findings) noexcept;

// As one text; bytes that are no UTF-8 are replaced.
std::string dump(const nlohmann::ordered_json &json);

} // namespace pgat::outbox
