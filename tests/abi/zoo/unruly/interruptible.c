/* Its thread takes signals. */
#define _GNU_SOURCE
#include <pthread.h>
#include <signal.h>
#include <time.h>

static void *listen_to_signals(void *arg) {
    sigset_t none;
    sigemptyset(&none);
    pthread_sigmask(SIG_SETMASK, &none, NULL);
    const struct timespec a_while = {0, 100000000};
    nanosleep(&a_while, NULL);
    return arg;
}

#define ZOO_TYPE "interruptible"
#define ZOO_IN_PUBLISH                                                                             \
    pthread_t thread;                                                                              \
    if (pthread_create(&thread, NULL, listen_to_signals, NULL) == 0) pthread_join(thread, NULL)
#include "good.h"
