// Directives about data: encodings, memory and eviction, users, keyspace events, slow log, latency.

import { choice, INT_MIN, integer, LONG_MAX, memory, path, text, ULONG_MAX, yesNo } from './kinds.ts'
import { notifyEvents, percentiles } from './special.ts'

export const memoryDirectives = {
  maxmemory: memory(0, { max: ULONG_MAX }),
  'maxmemory-policy': choice(
    [
      'volatile-lru',
      'volatile-lfu',
      'volatile-lrm',
      'volatile-random',
      'volatile-ttl',
      'allkeys-lru',
      'allkeys-lfu',
      'allkeys-lrm',
      'allkeys-random',
      'noeviction',
    ],
    'noeviction',
  ),
  'maxmemory-samples': integer(5, { min: 1 }),
  'maxmemory-eviction-tenacity': integer(10, { max: 100 }),
  'maxmemory-clients': memory(0, { percent: true }),
  'lfu-log-factor': integer(10),
  'lfu-decay-time': integer(1),
  'lazyfree-lazy-eviction': yesNo(false),
  'lazyfree-lazy-expire': yesNo(false),
  'lazyfree-lazy-server-del': yesNo(false),
  'lazyfree-lazy-user-del': yesNo(false),
  'lazyfree-lazy-user-flush': yesNo(false),
  'active-expire-effort': integer(1, { min: 1, max: 10 }),
  storage: choice(['memory', 'disk'], 'memory', { immutable: true, hidden: true }),
  'storage-memory': memory(0, { hidden: true }),
  'storage-value-max': memory(64 * 1024 * 1024, { hidden: true }),
  'storage-max-bytes': memory(0, { hidden: true }),
  'storage-segment-size': memory(0, { immutable: true, hidden: true }),
  activerehashing: yesNo(true),
  'jemalloc-bg-thread': yesNo(true),
  activedefrag: yesNo(false),
  'active-defrag-ignore-bytes': memory(100 * 1024 * 1024, { min: 1 }),
  'active-defrag-threshold-lower': integer(10, { max: 1000 }),
  'active-defrag-threshold-upper': integer(100, { max: 1000 }),
  'active-defrag-cycle-min': integer(1, { min: 1, max: 99 }),
  'active-defrag-cycle-max': integer(25, { min: 1, max: 99 }),
  'active-defrag-max-scan-fields': integer(1000, { min: 1, max: LONG_MAX }),
}

/** Limits of the compact encodings. */
export const encodingDirectives = {
  'hash-max-listpack-entries': integer(512, { alias: 'hash-max-ziplist-entries', max: LONG_MAX }),
  'hash-max-listpack-value': memory(64, { alias: 'hash-max-ziplist-value' }),
  'list-max-listpack-size': integer(-2, { alias: 'list-max-ziplist-size', min: INT_MIN }),
  'list-compress-depth': integer(0),
  'set-max-intset-entries': integer(512, { max: LONG_MAX }),
  'set-max-listpack-entries': integer(128, { max: LONG_MAX }),
  'set-max-listpack-value': integer(64, { max: LONG_MAX }),
  'zset-max-listpack-entries': integer(128, { alias: 'zset-max-ziplist-entries', max: LONG_MAX }),
  'zset-max-listpack-value': memory(64, { alias: 'zset-max-ziplist-value' }),
  'stream-node-max-bytes': memory(4096),
  'stream-node-max-entries': integer(100, { max: LONG_MAX }),
  'hll-sparse-max-bytes': memory(3000),
}

export const securityDirectives = {
  requirepass: text('', { binary: true, sensitive: true, emptyIsUnset: true }),
  aclfile: path('', { immutable: true }),
  'acllog-max-len': integer(128, { max: LONG_MAX }),
  'acl-pubsub-default': choice(['allchannels', 'resetchannels'], 'resetchannels'),
  'enable-protected-configs': choice(['no', 'yes', 'local'], 'no', { immutable: true }),
  'enable-debug-command': choice(['no', 'yes', 'local'], 'no', { immutable: true }),
  'enable-module-command': choice(['no', 'yes', 'local'], 'no', { immutable: true }),
  'enable-js-functions': yesNo(false, { immutable: true, hidden: true }),
  'module-unknown-types': choice(['refuse', 'keep'], 'refuse', { hidden: true }),
  'sanitize-dump-payload': choice(['no', 'yes', 'clients'], 'no'),
}

export const observationDirectives = {
  'notify-keyspace-events': notifyEvents(),
  'tracking-table-max-keys': integer(1000000, { max: LONG_MAX }),
  'latency-tracking': yesNo(true),
  'latency-tracking-info-percentiles': percentiles([50, 99, 99.9]),
  'busy-reply-threshold': integer(5000, { alias: 'lua-time-limit', max: LONG_MAX }),
}
