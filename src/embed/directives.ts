// The directives as createServer's `config` takes them. `npm run docs` makes this file from the
// directives themselves.

/** Names as in redis.conf; camelCase is taken as well (RedisConfig). Absent: the default. */
interface Directives {
  /** Default: resetchannels */
  'acl-pubsub-default'?: 'allchannels' | 'resetchannels'
  aclfile?: string
  /** Default: 128 */
  'acllog-max-len'?: number | string
  /** Default: 25 */
  'active-defrag-cycle-max'?: number | string
  /** Default: 1 */
  'active-defrag-cycle-min'?: number | string
  /** Default: 104857600 */
  'active-defrag-ignore-bytes'?: number | string
  /** Default: 1000 */
  'active-defrag-max-scan-fields'?: number | string
  /** Default: 10 */
  'active-defrag-threshold-lower'?: number | string
  /** Default: 100 */
  'active-defrag-threshold-upper'?: number | string
  /** Default: 1 */
  'active-expire-effort'?: number | string
  /** Default: no */
  activedefrag?: boolean | 'yes' | 'no'
  /** Default: yes */
  activerehashing?: boolean | 'yes' | 'no'
  /** Default: no */
  'always-show-logo'?: boolean | 'yes' | 'no'
  /** Default: no */
  'aof-disable-auto-gc'?: boolean | 'yes' | 'no'
  /** Default: yes */
  'aof-load-truncated'?: boolean | 'yes' | 'no'
  /** Default: yes */
  'aof-rewrite-incremental-fsync'?: boolean | 'yes' | 'no'
  /** Default: no */
  'aof-timestamp-enabled'?: boolean | 'yes' | 'no'
  /** Default: yes */
  'aof-use-rdb-preamble'?: boolean | 'yes' | 'no'
  aof_rewrite_cpulist?: string
  /** Default: appendonlydir */
  appenddirname?: string
  /** Default: appendonly.aof */
  appendfilename?: string
  /** Default: everysec */
  appendfsync?: 'everysec' | 'always' | 'no'
  /** Default: no */
  appendonly?: boolean | 'yes' | 'no'
  'audit-log'?: string
  /** Default: 67108864 */
  'auto-aof-rewrite-min-size'?: number | string
  /** Default: 100 */
  'auto-aof-rewrite-percentage'?: number | string
  bgsave_cpulist?: string
  /** Default: * -::* */
  bind?: string | readonly (string | number)[]
  'bind-source-addr'?: string
  bio_cpulist?: string
  /** Default: 5000 */
  'busy-reply-threshold'?: number | string
  /** Default: normal 0 0 0 slave 268435456 67108864 60 pubsub 33554432 8388608 60 */
  'client-output-buffer-limit'?: string | readonly (string | number)[]
  /** Default: 1073741824 */
  'client-query-buffer-limit'?: number | string
  /** Default: yes */
  'cluster-allow-pubsubshard-when-down'?: boolean | 'yes' | 'no'
  /** Default: no */
  'cluster-allow-reads-when-down'?: boolean | 'yes' | 'no'
  /** Default: yes */
  'cluster-allow-replica-migration'?: boolean | 'yes' | 'no'
  /** Default: 0 */
  'cluster-announce-bus-port'?: number | string
  'cluster-announce-hostname'?: string
  'cluster-announce-human-nodename'?: string
  'cluster-announce-ip'?: string
  /** Default: 0 */
  'cluster-announce-port'?: number | string
  /** Default: 0 */
  'cluster-announce-tls-port'?: number | string
  /** Default: nodes.conf */
  'cluster-config-file'?: string
  /** Default: no */
  'cluster-enabled'?: boolean | 'yes' | 'no'
  /** Default: 0 */
  'cluster-link-sendbuf-limit'?: number | string
  /** Default: 1 */
  'cluster-migration-barrier'?: number | string
  /** Default: 15000 */
  'cluster-node-timeout'?: number | string
  /** Default: 0 */
  'cluster-ping-interval'?: number | string
  /** Default: 0 */
  'cluster-port'?: number | string
  /** Default: ip */
  'cluster-preferred-endpoint-type'?: 'ip' | 'hostname' | 'unknown-endpoint'
  /** Default: no */
  'cluster-replica-no-failover'?: boolean | 'yes' | 'no'
  /** Default: 10 */
  'cluster-replica-validity-factor'?: number | string
  /** Default: yes */
  'cluster-require-full-coverage'?: boolean | 'yes' | 'no'
  /** Default: no */
  'cluster-slave-no-failover'?: boolean | 'yes' | 'no'
  /** Default: 10 */
  'cluster-slave-validity-factor'?: number | string
  /** Default: no */
  'cluster-slot-stats-enabled'?: boolean | 'yes' | 'no'
  /** Default: yes */
  'crash-log-enabled'?: boolean | 'yes' | 'no'
  /** Default: yes */
  'crash-memcheck-enabled'?: boolean | 'yes' | 'no'
  /** Default: no */
  daemonize?: boolean | 'yes' | 'no'
  /** Default: 16 */
  databases?: number | string
  /** Default: dump.rdb */
  dbfilename?: string
  dir?: string
  /** Default: yes */
  'disable-thp'?: boolean | 'yes' | 'no'
  /** Default: yes */
  'dynamic-hz'?: boolean | 'yes' | 'no'
  /** Default: no */
  'enable-debug-command'?: 'no' | 'yes' | 'local'
  /** Default: no */
  'enable-js-functions'?: boolean | 'yes' | 'no'
  /** Default: no */
  'enable-module-command'?: 'no' | 'yes' | 'local'
  /** Default: no */
  'enable-protected-configs'?: 'no' | 'yes' | 'local'
  /** Default: 512 */
  'hash-max-listpack-entries'?: number | string
  /** Default: 64 */
  'hash-max-listpack-value'?: number | string
  /** Default: 512 */
  'hash-max-ziplist-entries'?: number | string
  /** Default: 64 */
  'hash-max-ziplist-value'?: number | string
  /** Default: 3000 */
  'hll-sparse-max-bytes'?: number | string
  /** Default: 10 */
  hz?: number | string
  'ignore-warnings'?: string
  /** Default: 1 */
  'io-threads'?: number | string
  /** Default: no */
  'io-threads-do-reads'?: boolean | 'yes' | 'no'
  /** Default: yes */
  'jemalloc-bg-thread'?: boolean | 'yes' | 'no'
  /** Default: yes */
  'jit-warm-up'?: boolean | 'yes' | 'no'
  /** Default: 0 */
  'key-load-delay'?: number | string
  /** Default: 0 */
  'latency-monitor-threshold'?: number | string
  /** Default: yes */
  'latency-tracking'?: boolean | 'yes' | 'no'
  /** Default: 50 99 99.9 */
  'latency-tracking-info-percentiles'?: string | readonly (string | number)[]
  /** Default: no */
  'lazyfree-lazy-eviction'?: boolean | 'yes' | 'no'
  /** Default: no */
  'lazyfree-lazy-expire'?: boolean | 'yes' | 'no'
  /** Default: no */
  'lazyfree-lazy-server-del'?: boolean | 'yes' | 'no'
  /** Default: no */
  'lazyfree-lazy-user-del'?: boolean | 'yes' | 'no'
  /** Default: no */
  'lazyfree-lazy-user-flush'?: boolean | 'yes' | 'no'
  /** Default: 1 */
  'lfu-decay-time'?: number | string
  /** Default: 10 */
  'lfu-log-factor'?: number | string
  /** Default: 0 */
  'list-compress-depth'?: number | string
  /** Default: -2 */
  'list-max-listpack-size'?: number | string
  /** Default: -2 */
  'list-max-ziplist-size'?: number | string
  /** Default: 2097152 */
  'loading-process-events-interval-bytes'?: number | string
  'locale-collate'?: string
  logfile?: string
  /** Default: notice */
  loglevel?: 'debug' | 'verbose' | 'notice' | 'warning' | 'nothing'
  /** Default: 5000 */
  'lua-time-limit'?: number | string
  masterauth?: string
  masteruser?: string
  /** Default: 10000 */
  maxclients?: number | string
  /** Default: 0 */
  maxmemory?: number | string
  /** Default: 0 */
  'maxmemory-clients'?: number | string
  /** Default: 10 */
  'maxmemory-eviction-tenacity'?: number | string
  /** Default: noeviction */
  'maxmemory-policy'?:
    | 'volatile-lru'
    | 'volatile-lfu'
    | 'volatile-lrm'
    | 'volatile-random'
    | 'volatile-ttl'
    | 'allkeys-lru'
    | 'allkeys-lfu'
    | 'allkeys-lrm'
    | 'allkeys-random'
    | 'noeviction'
  /** Default: 5 */
  'maxmemory-samples'?: number | string
  /** Default: 127.0.0.1 */
  'metrics-bind'?: string | readonly (string | number)[]
  /** Default: 0 */
  'metrics-port'?: number | string
  /** Default: 10 */
  'min-replicas-max-lag'?: number | string
  /** Default: 0 */
  'min-replicas-to-write'?: number | string
  /** Default: 10 */
  'min-slaves-max-lag'?: number | string
  /** Default: 0 */
  'min-slaves-to-write'?: number | string
  /** Default: refuse */
  'module-unknown-types'?: 'refuse' | 'keep'
  /** Default: no */
  'no-appendfsync-on-rewrite'?: boolean | 'yes' | 'no'
  'notify-keyspace-events'?: string
  /** Default: no */
  'oom-score-adj'?: 'no' | 'yes' | 'relative' | 'absolute'
  /** Default: 0 200 800 */
  'oom-score-adj-values'?: string | readonly (string | number)[]
  pidfile?: string
  /** Default: 6379 */
  port?: number | string
  /** Default: no */
  'primary-empty-guard'?: boolean | 'yes' | 'no'
  /** Default: {title} {listen-addr} {server-mode} */
  'proc-title-template'?: string
  /** Default: ignore */
  'propagation-error-behavior'?: 'ignore' | 'panic' | 'panic-on-replicas'
  /** Default: yes */
  'protected-mode'?: boolean | 'yes' | 'no'
  /** Default: 536870912 */
  'proto-max-bulk-len'?: number | string
  /** Default: no */
  'rdb-del-sync-files'?: boolean | 'yes' | 'no'
  /** Default: 0 */
  'rdb-key-save-delay'?: number | string
  /** Default: yes */
  'rdb-save-incremental-fsync'?: boolean | 'yes' | 'no'
  /** Default: yes */
  rdbchecksum?: boolean | 'yes' | 'no'
  /** Default: yes */
  rdbcompression?: boolean | 'yes' | 'no'
  /** Default: 1048576 */
  'repl-backlog-size'?: number | string
  /** Default: 3600 */
  'repl-backlog-ttl'?: number | string
  /** Default: no */
  'repl-disable-tcp-nodelay'?: boolean | 'yes' | 'no'
  /** Default: disabled */
  'repl-diskless-load'?: 'disabled' | 'on-empty-db' | 'swapdb'
  /** Default: yes */
  'repl-diskless-sync'?: boolean | 'yes' | 'no'
  /** Default: 5 */
  'repl-diskless-sync-delay'?: number | string
  /** Default: 0 */
  'repl-diskless-sync-max-replicas'?: number | string
  /** Default: 10 */
  'repl-ping-replica-period'?: number | string
  /** Default: 10 */
  'repl-ping-slave-period'?: number | string
  /** Default: 16777216 */
  'repl-sync-memory'?: number | string
  /** Default: 60 */
  'repl-timeout'?: number | string
  'replica-announce-ip'?: string
  /** Default: 0 */
  'replica-announce-port'?: number | string
  /** Default: yes */
  'replica-announced'?: boolean | 'yes' | 'no'
  /** Default: no */
  'replica-ignore-disk-write-errors'?: boolean | 'yes' | 'no'
  /** Default: yes */
  'replica-ignore-maxmemory'?: boolean | 'yes' | 'no'
  /** Default: no */
  'replica-lazy-flush'?: boolean | 'yes' | 'no'
  /** Default: 100 */
  'replica-priority'?: number | string
  /** Default: yes */
  'replica-read-only'?: boolean | 'yes' | 'no'
  /** Default: yes */
  'replica-serve-stale-data'?: boolean | 'yes' | 'no'
  replicaof?: string | readonly (string | number)[]
  requirepass?: string
  /** Default: 127.0.0.1 */
  'rest-bind'?: string | readonly (string | number)[]
  /** Default: 0 */
  'rest-port'?: number | string
  'rest-token'?: string
  /** Default: no */
  'sanitize-dump-payload'?: 'no' | 'yes' | 'clients'
  /** Default: 3600 1 300 100 60 10000 */
  save?: string | readonly (string | number)[]
  server_cpulist?: string
  /** Default: 512 */
  'set-max-intset-entries'?: number | string
  /** Default: 128 */
  'set-max-listpack-entries'?: number | string
  /** Default: 64 */
  'set-max-listpack-value'?: number | string
  /** Default: yes */
  'set-proc-title'?: boolean | 'yes' | 'no'
  /** Default: default */
  'shutdown-on-sigint'?: string | readonly ('default' | 'save' | 'nosave' | 'now' | 'force')[]
  /** Default: default */
  'shutdown-on-sigterm'?: string | readonly ('default' | 'save' | 'nosave' | 'now' | 'force')[]
  /** Default: 10 */
  'shutdown-timeout'?: number | string
  'slave-announce-ip'?: string
  /** Default: 0 */
  'slave-announce-port'?: number | string
  /** Default: yes */
  'slave-ignore-maxmemory'?: boolean | 'yes' | 'no'
  /** Default: no */
  'slave-lazy-flush'?: boolean | 'yes' | 'no'
  /** Default: 100 */
  'slave-priority'?: number | string
  /** Default: yes */
  'slave-read-only'?: boolean | 'yes' | 'no'
  /** Default: yes */
  'slave-serve-stale-data'?: boolean | 'yes' | 'no'
  slaveof?: string | readonly (string | number)[]
  /** Default: 10000 */
  'slowlog-log-slower-than'?: number | string
  /** Default: 128 */
  'slowlog-max-len'?: number | string
  /** Default: 0 */
  'socket-mark-id'?: number | string
  /** Default: yes */
  'stop-writes-on-bgsave-error'?: boolean | 'yes' | 'no'
  /** Default: memory */
  storage?: 'memory' | 'disk'
  /** Default: 0 */
  'storage-max-bytes'?: number | string
  /** Default: 0 */
  'storage-memory'?: number | string
  /** Default: 0 */
  'storage-segment-size'?: number | string
  /** Default: 67108864 */
  'storage-value-max'?: number | string
  /** Default: 4096 */
  'stream-node-max-bytes'?: number | string
  /** Default: 100 */
  'stream-node-max-entries'?: number | string
  /** Default: no */
  supervised?: 'upstart' | 'systemd' | 'auto' | 'no'
  /** Default: no */
  'syslog-enabled'?: boolean | 'yes' | 'no'
  /** Default: local0 */
  'syslog-facility'?: 'user' | 'local0' | 'local1' | 'local2' | 'local3' | 'local4' | 'local5' | 'local6' | 'local7'
  /** Default: redis */
  'syslog-ident'?: string
  /** Default: 511 */
  'tcp-backlog'?: number | string
  /** Default: 300 */
  'tcp-keepalive'?: number | string
  /** Default: 0 */
  timeout?: number | string
  /** Default: yes */
  'tls-auth-clients'?: 'no' | 'yes' | 'optional'
  /** Default: off */
  'tls-auth-clients-user'?: 'off' | 'CN'
  'tls-ca-cert-dir'?: string
  'tls-ca-cert-file'?: string
  'tls-cert-file'?: string
  'tls-ciphers'?: string
  'tls-ciphersuites'?: string
  'tls-client-cert-file'?: string
  'tls-client-key-file'?: string
  'tls-client-key-file-pass'?: string
  /** Default: no */
  'tls-cluster'?: boolean | 'yes' | 'no'
  'tls-dh-params-file'?: string
  'tls-key-file'?: string
  'tls-key-file-pass'?: string
  /** Default: 0 */
  'tls-port'?: number | string
  /** Default: no */
  'tls-prefer-server-ciphers'?: boolean | 'yes' | 'no'
  'tls-protocols'?: string
  /** Default: no */
  'tls-replication'?: boolean | 'yes' | 'no'
  /** Default: 20480 */
  'tls-session-cache-size'?: number | string
  /** Default: 300 */
  'tls-session-cache-timeout'?: number | string
  /** Default: yes */
  'tls-session-caching'?: boolean | 'yes' | 'no'
  /** Default: 1000000 */
  'tracking-table-max-keys'?: number | string
  unixsocket?: string
  /** Default: 0 */
  unixsocketperm?: number | string
  /** Default: no */
  'use-exit-on-panic'?: boolean | 'yes' | 'no'
  /** Default: 0 */
  'watchdog-period'?: number | string
  /** Default: 128 */
  'zset-max-listpack-entries'?: number | string
  /** Default: 64 */
  'zset-max-listpack-value'?: number | string
  /** Default: 128 */
  'zset-max-ziplist-entries'?: number | string
  /** Default: 64 */
  'zset-max-ziplist-value'?: number | string
  /** New names of commands; '' removes one. */
  'rename-command'?: Readonly<Record<string, string>>
  /** ACL users: each a line, or a list of words. */
  user?: readonly (string | readonly string[])[]
}

type CamelCase<Name extends string> = Name extends `${infer Head}${'-' | '_'}${infer Tail}`
  ? `${Head}${Capitalize<CamelCase<Tail>>}`
  : Name

/** Directives and their values: { maxmemory: '100mb', databases: 4, 'maxmemory-policy': 'allkeys-lru' }. */
export type RedisConfig = Directives & { [Name in keyof Directives as CamelCase<Name>]?: Directives[Name] }
