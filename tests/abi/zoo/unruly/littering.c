/* Starts a thread in publish() and leaves it running. */
#define _GNU_SOURCE
#include <pthread.h>
#include <unistd.h>

static void *idle(void *arg) {
    for (;;)
        pause();
    return arg;
}

#define ZOO_TYPE "littering"
#define ZOO_IN_PUBLISH                                                                             \
    pthread_t thread;                                                                              \
    pthread_create(&thread, NULL, idle, NULL)
#include "good.h"
