/* Makes a counter of a name that is none. */
#define ZOO_TYPE "miscounting"
#define ZOO_IN_CREATE host->counter(host, str("Events Seen"), str("Events."))
#include "good.h"
