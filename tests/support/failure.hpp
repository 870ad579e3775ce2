// What an action threw, so that a test can look at its remedy and SQLSTATE.
#pragma once

#include <functional>
#include <stdexcept>

#include "base/error.hpp"

namespace pgat::support {

inline Error failure_of(const std::function<void()> &action) {
    try {
        action();
    } catch (const Error &error) {
        return error;
    }
    throw std::logic_error("nothing was thrown");
}

} // namespace pgat::support
