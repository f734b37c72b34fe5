// Is an instance down? Subjectively: it does not answer us. Objectively, primaries only: as many sentinels as the
// quorum say so.

import type { Value } from '../protocol/value.ts'
import { textOf } from '../protocol/value.ts'
import { sameAddress } from './addresses.ts'
import {
  type AnyInstance,
  O_DOWN,
  type Peer,
  PRIMARY_DOWN,
  PRIMARY_REBOOT,
  type Primary,
  S_DOWN,
  SCRIPT_KILL_SENT,
} from './instance.ts'
import type { Sentinel } from './sentinel.ts'

/** A subscription without hello messages for so many of their periods is opened anew. */
const SILENT_HELLOS_MAX = 3
/** The answer of another sentinel is void after so many ask periods. */
const ANSWER_PERIODS = 5

export function checkSubjectivelyDown(sentinel: Sentinel, instance: AnyInstance): void {
  renewSilentConnections(sentinel, instance)
  if (isDown(sentinel, instance)) {
    if (instance.has(S_DOWN)) return
    sentinel.events.about(instance, 'warning', '+sdown')
    instance.sDownSinceMs = sentinel.nowMs
    instance.flags |= S_DOWN
  } else if (instance.has(S_DOWN)) {
    sentinel.events.about(instance, 'warning', '-sdown')
    instance.flags &= ~(S_DOWN | SCRIPT_KILL_SENT)
  }
}

function isDown({ nowMs, timing }: Sentinel, instance: AnyInstance): boolean {
  const { link, downAfterMs } = instance
  let silentMs = 0
  if (link.unansweredPingMs !== 0) silentMs = nowMs - link.unansweredPingMs
  else if (link.disconnected) silentMs = nowMs - link.availableMs
  if (silentMs > downAfterMs) return true
  if (instance.kind !== 'master') return false
  const { report, settings } = instance
  if (report.role === 'slave' && nowMs - report.roleSinceMs > downAfterMs + timing.infoMs * 2) return true
  return instance.has(PRIMARY_REBOOT) && nowMs - instance.rebootSinceMs > settings.rebootDownAfterMs
}

/** A connection may look open long after its other end is gone. */
function renewSilentConnections({ nowMs, timing }: Sentinel, { link, downAfterMs }: AnyInstance): void {
  const half = downAfterMs / 2
  const isOld = (sinceMs: number) => nowMs - sinceMs > timing.reconnectMs
  const isSilent = link.unansweredPingMs !== 0 && nowMs - link.unansweredPingMs > half && nowMs - link.pongMs > half
  if (link.commands !== undefined && isOld(link.commandsSinceMs) && isSilent) link.closeOne('commands')
  const noHello = nowMs - link.pubsubActivityMs > timing.helloMs * SILENT_HELLOS_MAX
  if (link.pubsub !== undefined && isOld(link.pubsubSinceMs) && noHello) link.closeOne('pubsub')
}

export function checkObjectivelyDown({ events, nowMs }: Sentinel, primary: Primary): void {
  let agreed = 0
  if (primary.has(S_DOWN)) {
    agreed = 1
    for (const peer of primary.sentinels.values()) if (peer.has(PRIMARY_DOWN)) agreed++
  }
  const { quorum } = primary.settings
  if (agreed >= quorum) {
    if (primary.has(O_DOWN)) return
    events.about(primary, 'warning', '+odown', ` #quorum ${agreed}/${quorum}`)
    primary.flags |= O_DOWN
    primary.oDownSinceMs = nowMs
  } else if (primary.has(O_DOWN)) {
    events.about(primary, 'warning', '-odown')
    primary.flags &= ~O_DOWN
  }
}

/** Asks the other sentinels about a primary that is down for us, and for their votes once a failover has begun. */
export function askPeers(sentinel: Sentinel, primary: Primary, atOnce: boolean): void {
  const { nowMs, timing } = sentinel
  for (const peer of primary.sentinels.values()) {
    const answerAgeMs = nowMs - peer.answeredMs
    if (answerAgeMs > timing.askMs * ANSWER_PERIODS) {
      peer.flags &= ~PRIMARY_DOWN
      peer.leader = undefined
    }
    if (!primary.has(S_DOWN) || peer.link.disconnected) continue
    if (atOnce || answerAgeMs >= timing.askMs) ask(sentinel, primary, peer)
  }
}

function ask(sentinel: Sentinel, primary: Primary, peer: Peer): void {
  const { address, failover } = primary
  const candidate = failover.state === 'none' ? '*' : sentinel.id
  const words = [sentinel.addresses.announced(address), String(address.port), String(sentinel.currentEpoch), candidate]
  sentinel.send(peer, ['SENTINEL', 'is-master-down-by-addr', ...words], value => {
    // An answer about the server that had the primary's name before says nothing about this one.
    if (!peer.removed && sameAddress(primary.address, address)) readAnswer(sentinel, peer, value)
  })
}

/** [down, leader or '*', epoch of the vote] */
function readAnswer(sentinel: Sentinel, peer: Peer, value: Value): void {
  if (!Array.isArray(value) || value.length !== 3) return
  const [down, leader, epoch] = value
  if (typeof down !== 'number' || typeof epoch !== 'number') return
  peer.answeredMs = sentinel.nowMs
  if (down === 1) peer.flags |= PRIMARY_DOWN
  else peer.flags &= ~PRIMARY_DOWN
  const name = textOf(leader)
  if (name === '*') return
  if (peer.leaderEpoch !== epoch) sentinel.host.log('notice', `${peer.name} voted for ${name} ${epoch}`)
  peer.leader = name
  peer.leaderEpoch = epoch
}
