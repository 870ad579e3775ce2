// Keys set from the environment: ASYNC_TRIGGERS_STREAM__PG_CONNECTION__PASSWORD.
#pragma once

#include "config/document.hpp"
#include "config/environment.hpp"

namespace pgat::config {

// Writes each such variable into the tree, over what the file says, as it is ("$" means itself). Under
// `sink` a name that the file has already is met whatever its case, hyphens and dots, and what reads as
// JSON is taken so ('"12"' is the string 12, '["a","b"]' a list; of secrets only such a list). Returns how many it wrote.
//
// Variables without "__" are not ours (Kubernetes makes such ones for a service called async-triggers),
// except where two underscores were clearly meant: that is a problem.
std::size_t apply_overrides(Node &root, const Environment &environment, Problems &problems);

} // namespace pgat::config
