// The verbs of `subscriptions`, each with its exit status.
#pragma once

#include <string>

#include "cli/program.hpp"

namespace pgat::cli::subscriptions {

struct ApplyChoice {
    std::string file;
    bool dry_run = false;
    bool yes = false;
    bool json = false;
};
int apply(const config::Config &config, const ApplyChoice &choice);

enum class ListShape { table, json, yaml };
int list(const config::Config &config, ListShape shape);

} // namespace pgat::cli::subscriptions
