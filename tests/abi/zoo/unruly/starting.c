/* Starts a thread when it is loaded. */
#define _GNU_SOURCE
#include <pthread.h>
#include <signal.h>
#include <unistd.h>

static void *idle(void *arg) {
    for (;;)
        pause();
    return arg;
}

static inline void start(void) {
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_BLOCK, &all, &before);
    pthread_t thread;
    pthread_create(&thread, NULL, idle, NULL);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
}

#define ZOO_TYPE "starting"
#define ZOO_AT_LOAD start()
#include "good.h"
