// Directives about replication and cluster. Older aliases say slave.

import { choice, integer, LONG_MAX, memory, path, Refusal, text, ULONG_MAX, yesNo } from './kinds.ts'
import { primaryAddress } from './special.ts'

export const replicationDirectives = {
  replicaof: primaryAddress({ immutable: true, alias: 'slaveof' }),
  masteruser: text('', { sensitive: true, emptyIsUnset: true }),
  masterauth: text('', { binary: true, sensitive: true, emptyIsUnset: true }),
  'replica-serve-stale-data': yesNo(true, { alias: 'slave-serve-stale-data' }),
  'replica-read-only': yesNo(true, { alias: 'slave-read-only' }),
  'replica-lazy-flush': yesNo(false, { alias: 'slave-lazy-flush' }),
  'replica-ignore-maxmemory': yesNo(true, { alias: 'slave-ignore-maxmemory' }),
  'replica-ignore-disk-write-errors': yesNo(false),
  'primary-empty-guard': yesNo(false, { hidden: true }),
  'replica-priority': integer(100, { alias: 'slave-priority' }),
  'replica-announced': yesNo(true),
  'replica-announce-ip': text('', { alias: 'slave-announce-ip', emptyIsUnset: true }),
  'replica-announce-port': integer(0, { alias: 'slave-announce-port', max: 65535 }),
  'min-replicas-to-write': integer(0, { alias: 'min-slaves-to-write' }),
  'min-replicas-max-lag': integer(10, { alias: 'min-slaves-max-lag' }),
  'repl-timeout': integer(60, { min: 1 }),
  'repl-ping-replica-period': integer(10, { alias: 'repl-ping-slave-period', min: 1 }),
  'repl-disable-tcp-nodelay': yesNo(false),
  'repl-backlog-size': memory(1024 * 1024, { min: 1, clampMin: 16384, signed: true }),
  'repl-sync-memory': memory(16 * 1024 * 1024, { hidden: true }),
  'repl-backlog-ttl': integer(3600, { max: LONG_MAX }),
  'repl-diskless-sync': yesNo(true),
  'repl-diskless-sync-delay': integer(5),
  'repl-diskless-sync-max-replicas': integer(0),
  'repl-diskless-load': choice(['disabled', 'on-empty-db', 'swapdb'], 'disabled', { notWhileLoading: true }),
  'propagation-error-behavior': choice(['ignore', 'panic', 'panic-on-replicas'], 'ignore'),
}

export const clusterDirectives = {
  'cluster-enabled': yesNo(false, { immutable: true }),
  'cluster-config-file': path('nodes.conf', { immutable: true }),
  'cluster-node-timeout': integer(15000, { max: LONG_MAX }),
  'cluster-ping-interval': integer(0, { hidden: true, max: LONG_MAX }),
  'cluster-port': integer(0, { immutable: true, max: 65535 }),
  'cluster-require-full-coverage': yesNo(true),
  'cluster-replica-no-failover': yesNo(false, { alias: 'cluster-slave-no-failover' }),
  'cluster-replica-validity-factor': integer(10, { alias: 'cluster-slave-validity-factor' }),
  'cluster-migration-barrier': integer(1),
  'cluster-allow-replica-migration': yesNo(true),
  'cluster-allow-reads-when-down': yesNo(false),
  'cluster-allow-pubsubshard-when-down': yesNo(true),
  'cluster-slot-stats-enabled': yesNo(false, { hidden: true }),
  'cluster-link-sendbuf-limit': memory(0, { max: ULONG_MAX }),
  'cluster-announce-ip': text('', { emptyIsUnset: true }),
  'cluster-announce-port': integer(0, { max: 65535 }),
  'cluster-announce-tls-port': integer(0, { max: 65535 }),
  'cluster-announce-bus-port': integer(0, { max: 65535 }),
  'cluster-announce-hostname': text('', { emptyIsUnset: true, check: checkHostname }),
  'cluster-announce-human-nodename': text('', { binary: true, emptyIsUnset: true, check: checkNodeName }),
  'cluster-preferred-endpoint-type': choice(['ip', 'hostname', 'unknown-endpoint'], 'ip'),
}

function checkHostname(name: string): void {
  if (name.length >= 256) throw new Refusal('Hostnames must be less than 256 characters')
  if (/[^A-Za-z0-9.-]/.test(name))
    throw new Refusal('Hostnames may only contain alphanumeric characters, hyphens or dots')
}

function checkNodeName(name: string): void {
  if (/[\0!#$%&()*+:;<>?@[\]^{|}~]/.test(name))
    throw new Refusal('Announced human node name contained invalid character')
}
