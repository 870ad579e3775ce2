/* The layout and the constants of ABI 1.0, which no later 1.x may change: what is here was right once and
 * is never edited. Compiled as every language that sink.h is for. */
#ifndef PGAT_FROZEN_1_0_H
#define PGAT_FROZEN_1_0_H

#include <pgat/sink.h>

#define FROZEN(type, member, at) PGAT_ASSERT(offsetof(type, member) == at)

PGAT_ASSERT(PGAT_ABI_MAJOR == 1);
PGAT_ASSERT(PGAT_OK == 0 && PGAT_E_CONFIG == 1 && PGAT_E_UNAVAILABLE == 2);
PGAT_ASSERT(PGAT_E_CANCELLED == 3 && PGAT_E_BROKEN == 4 && PGAT_E_UNSUPPORTED == 5);
PGAT_ASSERT(PGAT_DELIVERED == 1 && PGAT_RETRY == 2 && PGAT_REJECTED == 3);
PGAT_ASSERT(PGAT_LOG_DEBUG == 10 && PGAT_LOG_INFO == 20);
PGAT_ASSERT(PGAT_LOG_WARN == 30 && PGAT_LOG_ERROR == 40);
PGAT_ASSERT(PGAT_JSON_INVALID == -1 && PGAT_JSON_MISSING == 0 && PGAT_JSON_NULL == 1);
PGAT_ASSERT(PGAT_JSON_BOOL == 2 && PGAT_JSON_NUMBER == 3 && PGAT_JSON_STRING == 4);
PGAT_ASSERT(PGAT_JSON_ARRAY == 5 && PGAT_JSON_OBJECT == 6 && PGAT_JSON_OTHER == 7);
PGAT_ASSERT(sizeof(pgat_status) == 4 && sizeof(pgat_verdict) == 4);

FROZEN(pgat_str, ptr, 0);
FROZEN(pgat_str, len, 8);
PGAT_ASSERT(sizeof(pgat_str) == 16);

FROZEN(pgat_event, struct_size, 0);
FROZEN(pgat_event, attempt, 4);
FROZEN(pgat_event, id, 8);
FROZEN(pgat_event, key, 24);
FROZEN(pgat_event, payload, 40);
FROZEN(pgat_event, metadata, 56);
FROZEN(pgat_event, stream_id, 72);
FROZEN(pgat_event, xid, 80);
FROZEN(pgat_event, commit_lsn, 88);
FROZEN(pgat_event, created_at_us, 96);
PGAT_ASSERT(sizeof(pgat_event) >= 104);

FROZEN(pgat_batch, struct_size, 0);
FROZEN(pgat_batch, count, 4);
FROZEN(pgat_batch, events, 8);
FROZEN(pgat_batch, deadline_ns, 16);
FROZEN(pgat_batch, cancel_fd, 24);
FROZEN(pgat_batch, flags, 28);
PGAT_ASSERT(sizeof(pgat_batch) >= 32);

FROZEN(pgat_outcome, struct_size, 0);
FROZEN(pgat_outcome, verdict, 4);
FROZEN(pgat_outcome, retry_after_ms, 8);
FROZEN(pgat_outcome, message, 16);
PGAT_ASSERT(sizeof(pgat_outcome) >= 32);

FROZEN(pgat_host, struct_size, 0);
FROZEN(pgat_host, abi_minor, 4);
FROZEN(pgat_host, host_data, 8);
FROZEN(pgat_host, version, 16);
FROZEN(pgat_host, cancel_fd, 32);
FROZEN(pgat_host, flags, 36);
FROZEN(pgat_host, log, 40);
FROZEN(pgat_host, fail, 48);
FROZEN(pgat_host, now_ns, 56);
FROZEN(pgat_host, is_cancelled, 64);
FROZEN(pgat_host, counter, 72);
FROZEN(pgat_host, counter_add, 80);
FROZEN(pgat_host, gauge, 88);
FROZEN(pgat_host, gauge_set, 96);
FROZEN(pgat_host, json_get, 104);
FROZEN(pgat_host, json_each, 112);
FROZEN(pgat_host, settle, 120);
FROZEN(pgat_host, delivered, 128);
FROZEN(pgat_host, extension, 136);
PGAT_ASSERT(sizeof(pgat_host) >= 144);

FROZEN(pgat_sink_plugin, struct_size, 0);
FROZEN(pgat_sink_plugin, abi_major, 4);
FROZEN(pgat_sink_plugin, abi_minor, 8);
FROZEN(pgat_sink_plugin, min_host_minor, 12);
FROZEN(pgat_sink_plugin, type, 16);
FROZEN(pgat_sink_plugin, version, 32);
FROZEN(pgat_sink_plugin, description, 48);
FROZEN(pgat_sink_plugin, license, 64);
FROZEN(pgat_sink_plugin, config_schema, 80);
FROZEN(pgat_sink_plugin, max_batch, 96);
FROZEN(pgat_sink_plugin, flags, 100);
FROZEN(pgat_sink_plugin, create, 104);
FROZEN(pgat_sink_plugin, destroy, 112);
FROZEN(pgat_sink_plugin, publish, 120);
FROZEN(pgat_sink_plugin, probe, 128);
FROZEN(pgat_sink_plugin, extension, 136);
PGAT_ASSERT(sizeof(pgat_sink_plugin) >= 144);

#endif /* PGAT_FROZEN_1_0_H */
