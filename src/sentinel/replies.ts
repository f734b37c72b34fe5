// What several subcommands reply: the outcome of saving, and an instance (MASTER, REPLICAS, SENTINELS), a map of texts.

import type { Reply } from '../protocol/reply.ts'
import {
  type AnyInstance,
  FAILOVER_IN_PROGRESS,
  FORCE_FAILOVER,
  O_DOWN,
  type Peer,
  PRIMARY_DOWN,
  PRIMARY_REBOOT,
  PROMOTED,
  type Primary,
  RECONF_DONE,
  RECONF_INPROG,
  RECONF_SENT,
  type Replica,
  S_DOWN,
  SCRIPT_KILL_SENT,
} from './instance.ts'
import type { Sentinel } from './sentinel.ts'

export function replySaved(sentinel: Sentinel, reply: Reply): void {
  if (sentinel.save()) reply.ok()
  else reply.error('ERR Failed to save config file. Check server logs.')
}

type Put = (field: string, value: string | number) => void

const BEFORE_KIND: readonly (readonly [number, string])[] = [
  [S_DOWN, 's_down'],
  [O_DOWN, 'o_down'],
]
const AFTER_KIND: readonly (readonly [number, string])[] = [
  [PRIMARY_DOWN, 'master_down'],
  [FAILOVER_IN_PROGRESS, 'failover_in_progress'],
  [PROMOTED, 'promoted'],
  [RECONF_SENT, 'reconf_sent'],
  [RECONF_INPROG, 'reconf_inprog'],
  [RECONF_DONE, 'reconf_done'],
  [FORCE_FAILOVER, 'force_failover'],
  [SCRIPT_KILL_SENT, 'script_kill_sent'],
  [PRIMARY_REBOOT, 'master_reboot'],
]

function flagsOf(instance: AnyInstance): string {
  const named = (flags: typeof BEFORE_KIND) => flags.filter(([flag]) => instance.has(flag)).map(([, name]) => name)
  const disconnected = instance.link.disconnected ? ['disconnected'] : []
  return [...named(BEFORE_KIND), instance.kind, ...disconnected, ...named(AFTER_KIND)].join(',')
}

/** Writes the instance as a map. */
export function replyInstance(reply: Reply, sentinel: Sentinel, instance: AnyInstance): void {
  const mark = reply.beginDeferredArray()
  let fields = 0
  const put: Put = (field, value) => {
    reply.bulkText(field)
    reply.bulkText(String(value))
    fields++
  }
  putCommon(sentinel, instance, put)
  if (instance.kind !== 'sentinel') {
    const { refreshedMs, role, roleSinceMs } = instance.report
    put('info-refresh', refreshedMs === 0 ? 0 : age(sentinel, refreshedMs))
    put('role-reported', role === 'master' ? 'master' : 'slave')
    put('role-reported-time', age(sentinel, roleSinceMs))
  }
  if (instance.kind === 'master') putPrimary(instance, put)
  else if (instance.kind === 'slave') putReplica(instance, put)
  else putPeer(sentinel, instance, put)
  // Not in Redis: why a connection cannot be used.
  if (instance.link.trouble !== '') put('link-trouble', instance.link.trouble)
  reply.endMap(mark, fields)
}

function age(sentinel: Sentinel, sinceMs: number): number {
  return Math.round(sentinel.nowMs - sinceMs)
}

function putCommon(sentinel: Sentinel, instance: AnyInstance, put: Put): void {
  const { link } = instance
  put('name', instance.name)
  put('ip', sentinel.addresses.announced(instance.address))
  put('port', instance.address.port)
  put('runid', instance.runId ?? '')
  put('flags', flagsOf(instance))
  put('link-pending-commands', link.pending)
  put('link-refcount', link.users)
  if (instance.kind === 'master' && instance.has(FAILOVER_IN_PROGRESS)) put('failover-state', instance.failover.state)
  put('last-ping-sent', link.unansweredPingMs === 0 ? 0 : age(sentinel, link.unansweredPingMs))
  put('last-ok-ping-reply', age(sentinel, link.availableMs))
  put('last-ping-reply', age(sentinel, link.pongMs))
  if (instance.has(S_DOWN)) put('s-down-time', age(sentinel, instance.sDownSinceMs))
  if (instance.kind === 'master' && instance.has(O_DOWN)) put('o-down-time', age(sentinel, instance.oDownSinceMs))
  put('down-after-milliseconds', instance.downAfterMs)
}

function putPrimary(primary: Primary, put: Put): void {
  const { settings } = primary
  put('config-epoch', primary.configEpoch)
  put('num-slaves', primary.replicas.size)
  put('num-other-sentinels', primary.sentinels.size)
  put('quorum', settings.quorum)
  put('failover-timeout', settings.failoverTimeoutMs)
  put('parallel-syncs', settings.parallelSyncs)
  if (settings.notificationScript !== '') put('notification-script', settings.notificationScript)
  if (settings.clientReconfigScript !== '') put('client-reconfig-script', settings.clientReconfigScript)
}

function putReplica(replica: Replica, put: Put): void {
  put('master-link-down-time', replica.linkDownMs)
  put('master-link-status', replica.primaryLinkUp ? 'ok' : 'err')
  put('master-host', replica.primaryHost ?? '?')
  put('master-port', replica.primaryPort)
  put('slave-priority', replica.priority)
  put('slave-repl-offset', replica.offset)
  put('replica-announced', replica.announced ? 1 : 0)
}

function putPeer(sentinel: Sentinel, peer: Peer, put: Put): void {
  put('last-hello-message', age(sentinel, peer.helloMs))
  put('voted-leader', peer.leader ?? '?')
  put('voted-leader-epoch', peer.leaderEpoch)
}
