/* Forks. */
#define ZOO_TYPE "forking"
#define ZOO_IN_PUBLISH                                                                             \
    const pid_t child = fork();                                                                    \
    if (child == 0) _exit(0);                                                                      \
    waitpid(child, NULL, 0)
#include "good.h"
