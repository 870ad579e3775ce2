/* Goes on though it is cancelled in the middle. */
#define ZOO_TYPE "stubborn"
#define ZOO_IN_PUBLISH                                                                             \
    struct pollfd cancel = {batch->cancel_fd, POLLIN, 0};                                          \
    if (batch->count == 1000 && !host->is_cancelled(host) && poll(&cancel, 1, 300) > 0) sleep_long()
#include "good.h"
