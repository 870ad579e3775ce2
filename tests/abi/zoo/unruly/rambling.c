/* Ends its log lines with a newline. */
#define ZOO_TYPE "rambling"
#define ZOO_IN_CREATE host->log(host, PGAT_LOG_INFO, str("made\n"))
#include "good.h"
