// Directives about the process: start, log, operating system, shutdown.

import { choice, choices, INT_MIN, integer, LONG_MAX, path, Refusal, text, wordList, yesNo } from './kinds.ts'
import { isTitleTemplate } from './proctitle.ts'
import { oomScores } from './special.ts'

const SHUTDOWN_NAMES = ['save', 'nosave', 'now', 'force'] as const

export const generalDirectives = {
  daemonize: yesNo(false, { immutable: true }),
  supervised: choice(['upstart', 'systemd', 'auto', 'no'], 'no', { immutable: true }),
  pidfile: path('', { immutable: true, emptyIsUnset: true }),
  databases: integer(16, { immutable: true, min: 1 }),
  hz: integer(10, { clampMin: 1, clampMax: 500 }),
  'dynamic-hz': yesNo(true),
  'always-show-logo': yesNo(false, { immutable: true }),
  'set-proc-title': yesNo(true, { immutable: true }),
  'proc-title-template': text('{title} {listen-addr} {server-mode}', { check: checkTitleTemplate }),
  'locale-collate': text('', { check: checkLocale }),
  'ignore-warnings': text(''),
  'disable-thp': yesNo(true, { immutable: true }),
  'oom-score-adj': choice(['no', 'yes', 'relative', 'absolute'], 'no', {}, new Map([['relative', 'yes']])),
  'oom-score-adj-values': oomScores([0, 200, 800]),
  'jit-warm-up': yesNo(true, { immutable: true, hidden: true }),
  server_cpulist: text('', { immutable: true, emptyIsUnset: true }),
  bio_cpulist: text('', { immutable: true, emptyIsUnset: true }),
  aof_rewrite_cpulist: text('', { immutable: true, emptyIsUnset: true }),
  bgsave_cpulist: text('', { immutable: true, emptyIsUnset: true }),
  'shutdown-timeout': integer(10),
  'shutdown-on-sigint': choices('default', SHUTDOWN_NAMES, {}, checkShutdown),
  'shutdown-on-sigterm': choices('default', SHUTDOWN_NAMES, {}, checkShutdown),
}

export const logDirectives = {
  loglevel: choice(['debug', 'verbose', 'notice', 'warning', 'nothing'], 'notice'),
  logfile: path('', { immutable: true }),
  'audit-log': path('', { hidden: true }),
  'metrics-port': integer(0, { max: 65535, hidden: true }),
  'metrics-bind': wordList(['127.0.0.1'], 16, 'Too many bind addresses specified.', { hidden: true }),
  'rest-port': integer(0, { max: 65535, hidden: true }),
  'rest-bind': wordList(['127.0.0.1'], 16, 'Too many bind addresses specified.', { hidden: true }),
  'rest-token': text('', { hidden: true, sensitive: true }),
  'syslog-enabled': yesNo(false, { immutable: true }),
  'syslog-ident': text('redis', { immutable: true }),
  'syslog-facility': choice(
    ['user', 'local0', 'local1', 'local2', 'local3', 'local4', 'local5', 'local6', 'local7'],
    'local0',
    { immutable: true },
  ),
  'crash-log-enabled': yesNo(true),
  'crash-memcheck-enabled': yesNo(true),
  'use-exit-on-panic': yesNo(false, { hidden: true }),
  'watchdog-period': integer(0, { hidden: true }),
  'key-load-delay': integer(0, { hidden: true, min: INT_MIN }),
  'rdb-key-save-delay': integer(0, { hidden: true, min: INT_MIN }),
  'slowlog-log-slower-than': integer(10000, { min: -1, max: LONG_MAX }),
  'slowlog-max-len': integer(128, { max: LONG_MAX }),
  'latency-monitor-threshold': integer(0, { max: LONG_MAX }),
}

function checkTitleTemplate(template: string): void {
  if (!isTitleTemplate(template)) throw new Refusal('template format is invalid or contains unknown variables')
}

/** Locales in which SORT ALPHA compares as it does here: byte by byte. */
const LOCALES = ['', 'C', 'POSIX', 'C.UTF-8', 'C.utf8']

function checkLocale(name: string): void {
  if (!LOCALES.includes(name))
    throw new Refusal('Invalid locale name: Redstart compares texts byte by byte, as the locales C and POSIX do')
}

function checkShutdown(names: readonly string[]): void {
  if (names.includes('save') && names.includes('nosave'))
    throw new Refusal("shutdown options SAVE and NOSAVE can't be used simultaneously")
}
