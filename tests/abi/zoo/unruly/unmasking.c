/* Lets signals in, and does not put the mask back. */
#define ZOO_TYPE "unmasking"
#define ZOO_IN_PUBLISH                                                                             \
    sigset_t term;                                                                                 \
    sigemptyset(&term);                                                                            \
    sigaddset(&term, SIGTERM);                                                                     \
    pthread_sigmask(SIG_UNBLOCK, &term, NULL)
#include "good.h"
