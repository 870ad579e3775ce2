/* The binary contract between postgres-async-triggers (the host) and a sink (a plugin that carries
 * events somewhere). C11, no dependencies, 64-bit Linux. A plugin is a file <type>.so that exports
 * one symbol, pgat_sink_entry, and needs nothing else from the host.
 *
 * GROWTH. Every struct starts with struct_size, set by the side that fills it in. Within a major
 * version members are appended only, in multiples of 8 bytes: none is moved, retyped, reused or
 * taken away, and zero in a newer member means "as before it existed". Before reading a member, or
 * calling a function, that came after 1.0 ask PGAT_HAS; all of 1.0 is always there. No struct has
 * tail padding, so each addition changes its size (asserted at the end). pgat_str, the parameters
 * and results of functions, and the values of constants never change; new constants may come, and
 * UNKNOWNS says how who does not know them reads them.
 *
 * VERSIONS. A plugin is loaded when its abi_major is the host's and its min_host_minor is not above
 * the host's minor. Its own abi_minor only informs: a plugin may be built with a newer header than
 * the host's, and ask at run time what the host can do.
 *
 * TEXT. pgat_str is a pointer and a length in bytes, UTF-8, without a terminating NUL. The pointer
 * may be NULL only where the length is 0.
 *
 * OWNERSHIP. Nobody frees what the other side made. What is passed to a call is good until that
 * call returns; who wants to keep it copies it. Two things live longer: the table that
 * pgat_sink_entry returns, for the life of the process, and the pgat_host given to create(), until
 * destroy() has returned. What extension() returns lives as long as the table it was asked of.
 *
 * THREADS. Each function is marked with the threads it may be called on. [sink]: the one host
 * thread that owns the sink; create, publish, probe and destroy all run there and never overlap for
 * one sink. [any]: any thread, the plugin's own included, from create() until destroy() returns.
 * Two sinks of one plugin may live on two threads, so mutable globals need a lock. The host calls
 * with all signals blocked but those that report a crash, so that a write to a closed connection is
 * EPIPE, one beyond a file's limit EFBIG, and nothing is interrupted; threads that a plugin starts
 * inherit that, keep it, and are joined before destroy() returns.
 *
 * MANNERS. No exception, longjmp or thread cancellation leaves a function of either side. A plugin
 * does not exit, abort or fork; it leaves signal handlers, locale, umask, environment and working
 * directory as they are, and does not write to standard output or standard error: it logs. It is
 * never unloaded. PGAT_OK after fail() was called reads as PGAT_E_BROKEN.
 *
 * UNKNOWNS. An unknown status reads as PGAT_E_BROKEN, an unknown verdict as PGAT_RETRY, an unknown
 * log level as PGAT_LOG_ERROR, an unknown kind of JSON as PGAT_JSON_OTHER. Unknown flags are
 * ignored.
 */
#ifndef PGAT_SINK_H
#define PGAT_SINK_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
#define PGAT_ASSERT(condition) static_assert(condition, #condition)
#define PGAT_SIZE_OF_MEMBER(type, member) sizeof(type::member)
#else
#define PGAT_ASSERT(condition) _Static_assert(condition, #condition)
#define PGAT_SIZE_OF_MEMBER(type, member) sizeof(((const type *)0)->member)
#endif

#define PGAT_ABI_MAJOR 1u
#define PGAT_ABI_MINOR 0u

#define PGAT_EXPORT __attribute__((visibility("default")))

/* Whether `member` lies inside what the side that filled in *p knew of. */
#define PGAT_HAS(type, p, member)                                                                  \
    (offsetof(type, member) + PGAT_SIZE_OF_MEMBER(type, member) <= (p)->struct_size)

/* An initializer of a pgat_str from a string literal. */
#define PGAT_LIT(literal)                                                                          \
    { "" literal, sizeof("" literal) - 1 }

#ifdef __cplusplus
extern "C" {
#endif

typedef struct pgat_str {
    const char *ptr;
    size_t len;
} pgat_str;

typedef struct pgat_sink pgat_sink; /* the plugin's instance; only the plugin knows its inside */
typedef struct pgat_outcomes pgat_outcomes; /* the host's ledger of one publish() */

/* ---- What a call says about the sink as a whole. ----
 * Whoever returns anything but PGAT_OK first gives the reason through host->fail(). What became of
 * single events is not said here: each has a verdict. */
typedef int32_t pgat_status;
#define PGAT_OK 0
/* create: this configuration can never work, the daemon stops. Elsewhere it reads as broken. */
#define PGAT_E_CONFIG 1
/* The receiver is down or asks for patience. The instance is kept and called again later; no event
 * is charged an attempt, so an outage never brings good events among the dead letters. */
#define PGAT_E_UNAVAILABLE 2
/* Stopped early, by cancellation or the deadline. Nobody is charged. */
#define PGAT_E_CANCELLED 3
/* The instance is unusable: the host destroys it and makes a new one. The first event without a
 * verdict is charged an attempt, so that an event that breaks the plugin is not tried for ever. */
#define PGAT_E_BROKEN 4
/* create: needs something that this host, or this build of the plugin, does not offer. */
#define PGAT_E_UNSUPPORTED 5

/* ---- What became of one event. ----
 * An event without a verdict was not attempted, and is charged nothing. */
typedef int32_t pgat_verdict;
#define PGAT_DELIVERED 1 /* the receiver has taken responsibility for it */
#define PGAT_RETRY 2     /* this event failed and may work later: it comes again with attempt + 1 */
#define PGAT_REJECTED 3  /* it can never work: the host keeps it as a dead letter and goes on */

#define PGAT_LOG_DEBUG 10
#define PGAT_LOG_INFO 20
#define PGAT_LOG_WARN 30
#define PGAT_LOG_ERROR 40

#define PGAT_JSON_INVALID (-1) /* the document is not JSON */
#define PGAT_JSON_MISSING 0    /* the pointer leads nowhere */
#define PGAT_JSON_NULL 1
#define PGAT_JSON_BOOL 2
#define PGAT_JSON_NUMBER 3
#define PGAT_JSON_STRING 4
#define PGAT_JSON_ARRAY 5
#define PGAT_JSON_OBJECT 6
#define PGAT_JSON_OTHER 7 /* something that this header does not know yet */

typedef struct pgat_event {
    uint32_t struct_size;
    uint32_t attempt;  /* 1 the first time; grows as PGAT_RETRY and PGAT_E_BROKEN say */
    pgat_str id;       /* the same at every attempt and never used twice: send it along, so that the
                        * receiver can drop repeats. ASCII letters, digits and dashes */
    pgat_str key;      /* ordering key; empty: ordered with the whole stream */
    pgat_str payload;  /* one JSON document, never empty, its bytes as Postgres printed them */
    pgat_str metadata; /* the subscription's metadata: one JSON document, or empty */
    int64_t stream_id; /* of the stream it came by */
    uint64_t xid;      /* 64-bit id of the transaction that wrote it; 0: unknown */
    uint64_t commit_lsn;   /* a hint of order, shared by the events of a transaction; 0: unknown */
    int64_t created_at_us; /* microseconds since 1970-01-01 00:00 UTC */
} pgat_event;

typedef struct pgat_batch {
    uint32_t struct_size;
    uint32_t count;                  /* at least 1 */
    const pgat_event *const *events; /* in stream order; by pointer, so that pgat_event can grow */
    uint64_t deadline_ns;            /* stop then, return in a second; as host->now_ns; 0: none */
    int32_t cancel_fd; /* readable once this publish() is to return, as on host->cancel_fd */
    uint32_t flags;    /* 0 in 1.0 */
} pgat_batch;

typedef struct pgat_outcome {
    uint32_t struct_size;
    pgat_verdict verdict;
    uint64_t retry_after_ms; /* with PGAT_RETRY: not before, a day at most; 0: the host's backoff */
    pgat_str message; /* why; expected unless delivered. No secrets: it is logged and stored */
} pgat_outcome;

/* Called for each member of an array or object. `key` is empty in arrays; `text` is as in json_get.
 * Return 0 to go on, anything else to end the visit. */
typedef int32_t (*pgat_json_visit)(void *arg, pgat_str key, int32_t kind, pgat_str text);

/* ---- What the host does for one sink. ----
 * Every function of 1.0 is always there; each takes the pgat_host it was found in. */
typedef struct pgat_host pgat_host;
struct pgat_host {
    uint32_t struct_size;
    uint32_t abi_minor; /* of the running host */
    void *host_data;    /* the host's own */
    pgat_str version;   /* "postgres-async-triggers/1.4.2", for logs and user agents */
    int32_t cancel_fd;  /* readable once is_cancelled() says so: poll it, never read or close it */
    uint32_t flags;     /* 0 in 1.0 */

    /* [any] One line without a newline at its end. The host adds the sink's name and the time. */
    void (*log)(const pgat_host *, int32_t level, pgat_str line);

    /* [sink] The reason for the status, other than PGAT_OK, that is about to be returned. The last
     * call counts; the text is copied. `retry_after_ms`: leave the whole sink alone for so long, a
     * day at most; 0: as the host's backoff has it. */
    void (*fail)(const pgat_host *, pgat_str reason, uint64_t retry_after_ms);

    /* [any] Nanoseconds of CLOCK_MONOTONIC. */
    uint64_t (*now_ns)(const pgat_host *);

    /* [any] Not 0 once the sink should stop waiting and return. Never goes back to 0. */
    int32_t (*is_cancelled)(const pgat_host *);

    /* [sink] The counter of this name, made if it is new: something that only grows, as in
     * "requests_total". A name is [a-z][a-z0-9_]{0,63}, gets the host's prefix, and does not begin
     * with calls_, which is the host's. A counter outlives the sink and goes on in the next one. 0:
     * refused; 128 counters and gauges are allowed. */
    uint32_t (*counter)(const pgat_host *, pgat_str name, pgat_str help);

    /* [any] Adds to a counter; does nothing to counter 0. */
    void (*counter_add)(const pgat_host *, uint32_t counter, uint64_t n);

    /* [sink] The gauge of this name, likewise: something that goes up and down, as in "in_flight".
     * It is 0 until it is set, and again once the sink is destroyed. */
    uint32_t (*gauge)(const pgat_host *, pgat_str name, pgat_str help);

    /* [any] Sets a gauge; does nothing to gauge 0. */
    void (*gauge_set)(const pgat_host *, uint32_t gauge, double value);

    /* [sink] Follows an RFC 6901 pointer ("" is the whole document) in `doc` and returns a
     * PGAT_JSON_ kind. Where that is positive and `text` is not NULL, *text becomes a string's
     * unescaped contents, or for any other kind the JSON text as it stands in the document, numbers
     * unrounded. It is good until the plugin function that is running returns. Cheap to repeat on
     * text the host handed out itself (the configuration, an event's payload and metadata, whole);
     * any other text is parsed each time. */
    int32_t (*json_get)(const pgat_host *, pgat_str doc, pgat_str pointer, pgat_str *text);

    /* [sink] Visits the members of the array or object there, in their order, and returns its kind;
     * visits nothing if it is neither. `visit` must not call json_get or json_each. */
    int32_t (*json_each)(const pgat_host *, pgat_str doc, pgat_str pointer, pgat_json_visit visit,
                         void *arg);

    /* [sink, in publish] Gives event `index` its verdict, which is copied at once. An index out of
     * range or a second verdict is refused with PGAT_E_UNSUPPORTED, logged, and changes nothing. */
    pgat_status (*settle)(const pgat_host *, pgat_outcomes *, uint32_t index, const pgat_outcome *);

    /* [sink, in publish] PGAT_DELIVERED for `count` events from `first` on. Refused as a whole like
     * settle. */
    pgat_status (*delivered)(const pgat_host *, pgat_outcomes *, uint32_t first, uint32_t count);

    /* [any] A further interface by name, as in "pgat.histogram/1"; NULL: this host has none. */
    const void *(*extension)(const pgat_host *, pgat_str name);
};

/* ---- The plugin. ----
 * Static and constant. The host reads it before it calls anything in it. */
typedef struct pgat_sink_plugin {
    /* These four keep their place and meaning in every major version: by them versions are
     * compared. */
    uint32_t struct_size;
    uint32_t abi_major;      /* PGAT_ABI_MAJOR */
    uint32_t abi_minor;      /* PGAT_ABI_MINOR, of the header it was built with */
    uint32_t min_host_minor; /* oldest host it can work with; keep it as low as the truth allows */

    pgat_str type;          /* [a-z][a-z0-9_]{0,31}; the file is <type>.so */
    pgat_str version;       /* of the plugin, a semantic version */
    pgat_str description;   /* one line */
    pgat_str license;       /* SPDX expression */
    pgat_str config_schema; /* JSON Schema of the configuration: the subset that README.md names */
    uint32_t max_batch;     /* most events a publish() may be given; 0: no limit */
    uint32_t flags;         /* 0 in 1.0 */

    /* [sink] Makes a sink. `config` is a JSON object that has passed config_schema; it may hold
     * resolved secrets, so never log it. Check and allocate here, but do not wait for the network:
     * a receiver that is down is for probe and publish to report. With PGAT_OK *out is not NULL;
     * with anything else nothing is left to destroy. */
    pgat_status (*create)(const pgat_host *, pgat_str config, pgat_sink **out);

    /* [sink] Drops what is in flight, joins threads, frees everything, within a second. */
    void (*destroy)(pgat_sink *);

    /* [sink] Delivers the batch and gives verdicts; returns when it can do no more, or soon after
     * cancellation or the deadline (within a second of it).
     *
     * ORDER. The receiver takes the events of one key in stream order; an event with an empty key
     * comes after all before it and before all after it. So an event is sent once those it comes
     * after are delivered or rejected, or while they are under way on a transport that keeps order:
     * one connection, one partition. After PGAT_RETRY for an event nothing that comes after it is
     * sent any more; what was under way by then gets the verdict that the receiver gives it. A sink
     * that has several events of a key under way says in its documentation what a receiver that
     * refuses one in the middle does to the order, and how to have one at a time.
     * PGAT_OK: every event has its verdict, but for those left alone behind a PGAT_RETRY: later ones
     * of its key, or of any if its key is empty, and later ones whose own key is empty; others count
     * as PGAT_RETRY. With another status verdicts given stand too. Delivery is at least once. */
    pgat_status (*publish)(pgat_sink *, const pgat_batch *, pgat_outcomes *);

    /* [sink] May be NULL. Called while there is nothing to publish, at least every ten seconds, and
     * after a failure before events are given again: reach the receiver and serve heartbeats. It
     * stops at deadline_ns (as in pgat_batch) or once host->cancel_fd says so, and returns within a
     * second of it. PGAT_OK: events can be taken, as far as can be told without sending one. */
    pgat_status (*probe)(pgat_sink *, uint64_t deadline_ns);

    /* [any] May be NULL. A further interface of the plugin by name; NULL: it has none. */
    const void *(*extension)(pgat_str name);
} pgat_sink_plugin;

/* The one exported symbol, of this name in every major version. Does nothing but return a table: no
 * I/O, no threads, never NULL. A plugin that serves several majors returns the table for host_major
 * if it has one, else any, so that the host can name both versions when it refuses. */
typedef const pgat_sink_plugin *(*pgat_sink_entry_fn)(uint32_t host_major, uint32_t host_minor);
PGAT_EXPORT const pgat_sink_plugin *pgat_sink_entry(uint32_t host_major, uint32_t host_minor);

#ifdef __cplusplus
}
#endif

PGAT_ASSERT(sizeof(void *) == 8 && sizeof(size_t) == 8);
PGAT_ASSERT(sizeof(pgat_str) == 16);
PGAT_ASSERT(sizeof(pgat_event) == offsetof(pgat_event, created_at_us) + 8);
PGAT_ASSERT(sizeof(pgat_batch) == offsetof(pgat_batch, flags) + 4);
PGAT_ASSERT(sizeof(pgat_outcome) == offsetof(pgat_outcome, message) + 16);
PGAT_ASSERT(sizeof(pgat_host) == offsetof(pgat_host, extension) + 8);
PGAT_ASSERT(sizeof(pgat_sink_plugin) == offsetof(pgat_sink_plugin, extension) + 8);

#endif /* PGAT_SINK_H */
