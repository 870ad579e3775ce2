// ${VAR} in the strings of a configuration.
#pragma once

#include <string>

#include "config/document.hpp"
#include "config/environment.hpp"

namespace pgat::config {

// Replaces each ${NAME} by the environment's value and each $$ by a dollar; any other dollar stays. Throws
// BadValue for a variable that is not set, a name that is none, and a brace that is not closed.
std::string replace_variables(const std::string &text, const Environment &environment);

// The same for every scalar below `node` that is not literal; records what fails under its full key.
void replace_variables(Node &node, const std::string &path, const Environment &environment,
                       Problems &problems);

} // namespace pgat::config
