// The configuration's words on retries and rejections as the dispatcher knows them.
#pragma once

#include "config/config.hpp"
#include "delivery/dispatcher.hpp"

namespace pgat::delivery {

DispatchPolicy dispatch_policy(const config::Stream &stream);

} // namespace pgat::delivery
