// The INFO of primaries and replicas: which replicas there are, who says to be what, and what follows from that.

import { hurryHello } from './hello.ts'
import {
  FAILOVER_IN_PROGRESS,
  O_DOWN,
  PRIMARY_REBOOT,
  PROMOTED,
  type Primary,
  RECONF_DONE,
  RECONF_INPROG,
  RECONF_SENT,
  type Replica,
  type Role,
  S_DOWN,
} from './instance.ts'
import { reconfigured, sendReplicaOf, sendSaveAndDrop } from './reconfiguration.ts'
import type { Sentinel } from './sentinel.ts'

const RUN_ID_CHARS = 40

/** Reads an INFO, and acts upon it. */
export function refresh(sentinel: Sentinel, instance: Primary | Replica, text: string): void {
  const { report } = instance
  report.text = text
  if (instance.kind === 'slave') instance.linkDownMs = 0
  let role: Role | undefined
  for (const line of text.split('\r\n')) {
    const colon = line.indexOf(':')
    if (colon < 0) continue
    const name = line.slice(0, colon)
    const value = line.slice(colon + 1)
    if (name === 'role') role = value === 'master' || value === 'slave' ? value : role
    else if (name === 'run_id') readRunId(sentinel, instance, value)
    else if (instance.kind === 'master') readReplicaOfPrimary(sentinel, instance, name, value)
    else readReplica(sentinel, instance, name, value, role)
  }
  report.refreshedMs = sentinel.nowMs
  if (role !== report.role) changeRole(sentinel, instance, role)
  if (instance.kind === 'master' || !sentinel.actsFor(instance.primary)) return
  if (role === 'master') replicaIsPrimary(sentinel, instance)
  else if (role === 'slave') replicaFollows(sentinel, instance)
}

function readRunId(sentinel: Sentinel, instance: Primary | Replica, value: string): void {
  const runId = value.slice(0, RUN_ID_CHARS)
  if (runId.length < RUN_ID_CHARS || runId === instance.runId) return
  if (instance.runId !== undefined) {
    sentinel.events.about(instance, 'notice', '+reboot')
    if (instance.kind === 'master' && instance.settings.rebootDownAfterMs !== 0) {
      instance.flags |= PRIMARY_REBOOT
      instance.rebootSinceMs = sentinel.nowMs
    }
  }
  instance.runId = runId
}

/** slave0:ip=10.0.0.2,port=6379,state=online… or, of very old servers, slave0:10.0.0.2,6379,online */
function readReplicaOfPrimary(sentinel: Sentinel, primary: Primary, name: string, value: string): void {
  const digit = name.charCodeAt(5) - 48
  if (!name.startsWith('slave') || !(digit >= 0 && digit <= 9)) return
  const fields = value.split(',')
  const named = (field: string) => fields.find(one => one.startsWith(`${field}=`))?.slice(field.length + 1)
  const host = named('ip') ?? fields[0]
  const port = Number.parseInt(named('port') ?? fields[1] ?? '', 10)
  const replica = sentinel.addReplica(primary, host, port)
  if (typeof replica === 'string') return
  sentinel.events.about(replica, 'notice', '+slave')
  sentinel.save()
}

function readReplica(sentinel: Sentinel, replica: Replica, name: string, value: string, role: Role | undefined): void {
  const number = Number.parseInt(value, 10)
  if (name === 'master_link_down_since_seconds') replica.linkDownMs = number * 1000
  if (role !== 'slave') return
  if (name === 'master_host') {
    if (value.toLowerCase() !== replica.primaryHost?.toLowerCase()) replica.followsSinceMs = sentinel.nowMs
    replica.primaryHost = value
  } else if (name === 'master_port') {
    if (number !== replica.primaryPort) replica.followsSinceMs = sentinel.nowMs
    replica.primaryPort = number
  } else if (name === 'master_link_status') replica.primaryLinkUp = value.toLowerCase() === 'up'
  else if (name === 'slave_priority') replica.priority = number
  else if (name === 'slave_repl_offset') replica.offset = number
  else if (name === 'replica_announced') replica.announced = number !== 0
}

function changeRole(sentinel: Sentinel, instance: Primary | Replica, role: Role | undefined): void {
  const { report } = instance
  report.roleSinceMs = sentinel.nowMs
  report.role = role
  if (role === 'slave' && instance.kind === 'slave') instance.followsSinceMs = sentinel.nowMs
  const type = role === instance.kind ? '+role-change' : '-role-change'
  sentinel.events.about(instance, 'verbose', type, ` new reported role is ${role === 'master' ? 'master' : 'slave'}`)
}

/** Whether the primary of the configuration is one, so that others may be made its replicas. */
function looksSane(sentinel: Sentinel, primary: Primary): boolean {
  const { report } = primary
  return (
    report.role === 'master' &&
    !primary.has(S_DOWN | O_DOWN) &&
    sentinel.nowMs - report.refreshedMs < sentinel.timing.infoMs * 2
  )
}

function upFor(sentinel: Sentinel, replica: Replica, ms: number): boolean {
  return replica.sDownSinceMs === 0 || sentinel.nowMs - replica.sDownSinceMs > ms
}

/** The promoted replica is a primary now; any other one is made a replica again. */
function replicaIsPrimary(sentinel: Sentinel, replica: Replica): void {
  const { events, nowMs } = sentinel
  const { primary } = replica
  const { failover } = primary
  if (replica.has(PROMOTED) && primary.has(FAILOVER_IN_PROGRESS) && failover.state === 'wait_promotion') {
    // From here on the configuration has the epoch of this failover, and wins over older ones.
    primary.configEpoch = failover.epoch
    failover.enter('reconf_slaves', nowMs)
    if (failover.coordinated) {
      sendSaveAndDrop(sentinel, replica)
      sendSaveAndDrop(sentinel, primary)
    }
    sentinel.save()
    events.about(replica, 'warning', '+promoted-slave')
    if (sentinel.crashAfterPromotion) sentinel.crash()
    events.about(primary, 'warning', '+failover-state-reconf-slaves')
    reconfigured(sentinel, primary, 'leader', primary.address, replica.address)
    hurryHello(sentinel, primary)
    return
  }
  // A newer configuration may be on its way: some hello messages are awaited first.
  const waitMs = sentinel.timing.helloMs * 4
  if (replica.has(PROMOTED) || !looksSane(sentinel, primary) || !upFor(sentinel, replica, waitMs)) return
  if (nowMs - replica.report.roleSinceMs > waitMs && sendReplicaOf(sentinel, replica, primary.address))
    events.about(replica, 'notice', '+convert-to-slave')
}

function replicaFollows(sentinel: Sentinel, replica: Replica): void {
  const { events, nowMs, addresses } = sentinel
  const { primary } = replica
  const host = replica.primaryHost ?? ''
  const isOurs = replica.primaryPort === primary.address.port && addresses.isHostOf(primary.address, host)
  if (!isOurs) {
    const waitMs = primary.settings.failoverTimeoutMs
    if (looksSane(sentinel, primary) && upFor(sentinel, replica, waitMs) && nowMs - replica.followsSinceMs > waitMs)
      if (sendReplicaOf(sentinel, replica, primary.address)) events.about(replica, 'notice', '+fix-slave-config')
  }
  if (!replica.has(RECONF_SENT | RECONF_INPROG)) return
  const { promoted } = primary.failover
  if (promoted === undefined) return
  const followsNew = replica.primaryPort === promoted.address.port && addresses.isHostOf(promoted.address, host)
  if (replica.has(RECONF_SENT) && followsNew) {
    replica.flags = (replica.flags & ~RECONF_SENT) | RECONF_INPROG
    events.about(replica, 'notice', '+slave-reconf-inprog')
  }
  if (replica.has(RECONF_INPROG) && replica.primaryLinkUp) {
    replica.flags = (replica.flags & ~RECONF_INPROG) | RECONF_DONE
    events.about(replica, 'notice', '+slave-reconf-done')
  }
}
