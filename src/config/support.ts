// What directives of Redis 7.2 have no effect here, and why. docs/configuration.md is made from this.
//
//   REFUSED           a value other than the default is refused, at start and by CONFIG SET
//   WITHOUT_MEANING   any value is kept for CONFIG GET and REWRITE; nothing here depends on it
//
// Always: every other directive has its effect, and a test finds the code that reads it. What begins to work leaves its
// list.

import type { DirectiveName } from './directives.ts'
import { Refusal } from './kinds.ts'

type Reasons = { readonly [name in DirectiveName]?: string }

const named = (reason: string, ...names: DirectiveName[]): Reasons =>
  Object.fromEntries(names.map(name => [name, reason]))

const REFUSED_BECAUSE: Reasons = {
  ...named(
    'the runtime cannot choose its processors: start Redstart with taskset',
    'server_cpulist',
    'bio_cpulist',
    'aof_rewrite_cpulist',
    'bgsave_cpulist',
  ),
  'socket-mark-id': 'the runtime cannot mark its sockets',
  'repl-disable-tcp-nodelay': 'Redstart sends to replicas without delay',
  'watchdog-period': 'nothing can interrupt JavaScript to look at it',
}

const NO_THREADS = 'there are no input and output threads'
const NO_JEMALLOC = 'there is no jemalloc; memory is compacted in any case'

const NO_MEANING_BECAUSE: Reasons = {
  'tls-session-cache-size': 'sessions are in tickets, which clients keep',
  'replica-lazy-flush': 'an emptied dataset is freed in slices in any case',
  ...named(NO_THREADS, 'io-threads', 'io-threads-do-reads'),
  ...named(NO_JEMALLOC, 'jemalloc-bg-thread'),
  'active-defrag-max-scan-fields': 'collections of more than 200 elements are moved in parts in any case',
  activerehashing: 'tables grow a bucket at a time: there is nothing to rehash',
  'locale-collate': 'texts are compared byte by byte, and only locales that do the same are taken',
  'ignore-warnings': 'its one warning is about fork, and nothing forks',
  'disable-thp': 'the runtime decides about huge pages, which cost nothing where nothing forks',
  'crash-memcheck-enabled': 'JavaScript cannot test the memory of the machine',
  'use-exit-on-panic': 'a crash always ends with exit code 1',
}

/** Why values other than the default are refused. */
export const REFUSED: ReadonlyMap<string, string> = new Map(Object.entries(REFUSED_BECAUSE))

/** Why nothing depends on it. */
export const WITHOUT_MEANING: ReadonlyMap<string, string> = new Map(Object.entries(NO_MEANING_BECAUSE))

/** What limits directives that work. */
export const LIMITS: ReadonlyMap<string, string> = new Map([
  ['tcp-backlog', 'on Node: Bun always asks the system for 512'],
  ['tls-ciphers', 'on Bun those of BoringSSL, which has none with CBC and SHA-256 or SHA-384'],
  ['tls-ciphersuites', 'on Node: Bun always offers its own for TLS 1.3'],
  ['tls-dh-params-file', 'on Node: Bun has no ciphers with finite-field DH'],
  ['supervised', 'through the program systemd-notify; run by another user than root, the unit needs NotifyAccess=all'],
  ['syslog-enabled', 'through the program logger'],
  ['activedefrag', 'memory is compacted in any case; with yes, as the active-defrag directives say'],
  ['set-proc-title', 'on Node, and with Bun on Linux up to the length of the command line'],
])

/** Lines of older versions of redis.conf that 7.2 takes and ignores. */
export const RETIRED: readonly string[] = [
  'list-max-ziplist-entries',
  'list-max-ziplist-value',
  'lua-replicate-commands',
]

/** Refused where the process belongs to another program: createServer(). */
export const OF_THE_PROCESS: ReadonlySet<string> = new Set<DirectiveName>([
  'daemonize',
  'supervised',
  'pidfile',
  'always-show-logo',
  'set-proc-title',
  'proc-title-template',
  'oom-score-adj',
  'oom-score-adj-values',
  'shutdown-on-sigint',
  'shutdown-on-sigterm',
])
const NOT_THE_PROCESS = 'the process belongs to the program that embeds the server'

/** Throws a Refusal for a value that would have no effect. `embedded`: the process is another program's. */
export function refuseWithoutEffect(name: string, value: string, initial: string, embedded: boolean): void {
  const reason = embedded && OF_THE_PROCESS.has(name) ? NOT_THE_PROCESS : REFUSED.get(name)
  if (reason === undefined || value === initial) return
  throw new Refusal(`it would have no effect: ${reason}`)
}
