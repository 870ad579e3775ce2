/* Starts a process and leaves it behind. */
#define ZOO_TYPE "spawning"
#define ZOO_IN_PUBLISH                                                                             \
    static char name[] = "true";                                                                   \
    char *arguments[] = {name, NULL};                                                              \
    pid_t child = 0;                                                                               \
    posix_spawnp(&child, name, NULL, NULL, arguments, NULL)
#include "good.h"
