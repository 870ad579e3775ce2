/* Logs once more when it is gone. */
#define _GNU_SOURCE
#include <pthread.h>
#include <string.h>
#include <time.h>

#include <pgat/sink.h>

static void *haunt(void *arg) {
    const struct timespec a_while = {0, 50000000};
    nanosleep(&a_while, NULL);
    const pgat_host *host = arg;
    const pgat_str boo = PGAT_LIT("boo");
    host->log(host, PGAT_LOG_INFO, boo);
    return NULL;
}

#define ZOO_TYPE "haunting"
#define ZOO_STATE bool used;
#define ZOO_IN_PUBLISH sink->used = true
#define ZOO_IN_DESTROY                                                                             \
    pthread_t thread;                                                                              \
    if (sink->used && pthread_create(&thread, NULL, haunt, (void *)(size_t)sink->host) == 0)       \
    pthread_detach(thread)
#include "good.h"
