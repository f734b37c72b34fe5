// Who serves which hash slot: claims with a newer configuration epoch win.

import { clearBit, hasBit, SLOTS, setBit } from './bitmap.ts'
import { type Cluster, FSYNC, FSYNC_AT_TICK, SAVE, UPDATE_STATE } from './cluster.ts'
import { quorumOf } from './health.ts'
import { type Node, nameOf, PRIMARY } from './node.ts'
import { PING } from './packet.ts'
import { broadcastPong, sendPing } from './send.ts'

/** `claimer` claims these slots in this epoch. */
export function updateSlots(cluster: Cluster, claimer: Node, epoch: number, claimed: Uint8Array): void {
  const { me, host, owners, unclaimed } = cluster
  if (claimer === me) return host.log.notice('Discarding UPDATE message about myself.')
  const ownPrimary = me.has(PRIMARY) ? me : me.primary
  const withKeys: number[] = []
  let given = 0
  let taken = 0
  let claims = 0
  for (let slot = 0; slot < SLOTS; slot++) {
    const owner = owners[slot]
    if (!hasBit(claimed, slot)) {
      if (owner === claimer) setBit(unclaimed, slot)
      continue
    }
    claims++
    if (owner === claimer) {
      clearBit(unclaimed, slot)
      continue
    }
    if (cluster.importing.has(slot) || !(cluster.isFree(slot) || owner!.configEpoch < epoch)) continue
    if (owner !== undefined && owner === ownPrimary) {
      taken++
      if (host.keys.count(slot) > 0) withKeys.push(slot)
    }
    cluster.give(claimer, slot)
    given++
  }
  // What concerns other shards alone has time: before this node votes it is durable in any case.
  const isOurs = taken > 0 || claimer === ownPrimary
  if (given > 0) cluster.later(UPDATE_STATE | (isOurs ? SAVE | FSYNC : FSYNC_AT_TICK))
  const lostAll = taken > 0 && ownPrimary!.slotCount === 0
  if (lostAll && (host.settings.clusterAllowReplicaMigration || claims === taken))
    return followClaimer(cluster, claimer)
  const above = me.primary?.primary
  if (above !== undefined && above !== me) {
    host.log.notice(`I'm a sub-replica! Reconfiguring myself as a replica of grandmaster ${nameOf(above)}`)
    cluster.follow(above)
    cluster.later(SAVE | UPDATE_STATE | FSYNC)
  } else if (withKeys.length > 0) cluster.moves.cleaner.lose(withKeys)
}

/** A slot among the claimed ones whose owner, another node, has claimed it in a later epoch; -1: there is none. */
export function newerClaim(cluster: Cluster, claimer: Node, epoch: number, claimed: Uint8Array): number {
  for (let slot = 0; slot < SLOTS; slot++) {
    const owner = cluster.owners[slot]
    if (!hasBit(claimed, slot) || owner === undefined || owner === claimer || cluster.isFree(slot)) continue
    if (owner.configEpoch > epoch) return slot
  }
  return -1
}

function followClaimer(cluster: Cluster, claimer: Node): void {
  cluster.host.log.notice(`Configuration change detected. Reconfiguring myself as a replica of ${nameOf(claimer)}`)
  cluster.follow(claimer)
  cluster.later(SAVE | UPDATE_STATE | FSYNC)
}

/** Two primaries have the same configuration epoch: the one with the smaller id takes a new one. */
export function resolveCollision(cluster: Cluster, other: Node): void {
  const { me, host } = cluster
  if (other.configEpoch !== me.configEpoch || !other.has(PRIMARY) || !me.has(PRIMARY) || other.id <= me.id) return
  me.configEpoch = ++cluster.currentEpoch
  cluster.saveOrDie(true)
  host.log.verbose(`WARNING: configEpoch collision with node ${nameOf(other)}. configEpoch set to ${me.configEpoch}`)
}

/** Asks all primaries whether they know newer claims to this node's slots: they answer with UPDATE. */
export function askPrimaries(cluster: Cluster): void {
  for (const node of cluster.nodes.values())
    if (node.has(PRIMARY) && node.link !== undefined) sendPing(cluster, node.link, PING)
}

/** Most primaries, this node among them, have answered since then. */
export function mostHaveAnswered(cluster: Cluster, sinceMs: number): boolean {
  let answered = 0
  for (const node of cluster.nodes.values()) {
    const isHeard = node === cluster.me || (node.pingSentMs === 0 && node.times.dataMs >= sinceMs)
    if (node.has(PRIMARY) && node.slotCount > 0 && isHeard) answered++
  }
  return answered >= quorumOf(cluster)
}

/**
 * This node's claims are newer than any that was made up to now and told to nobody: one epoch may have been taken for
 * that.
 */
export function claimAnew(cluster: Cluster): void {
  const { me, host } = cluster
  me.configEpoch = cluster.currentEpoch = cluster.maxEpoch + 2
  cluster.later(SAVE | FSYNC)
  cluster.afterwards()
  broadcastPong(cluster, 'all')
  host.log.notice(`New configEpoch set to ${me.configEpoch}: the slots of a migration that has failed stay here`)
}

/** After a start: keys in slots that are not ours. False: there are keys where none may be. */
export function adoptSlotsWithKeys(cluster: Cluster): void {
  const { me, host, owners } = cluster
  if (!me.has(PRIMARY)) return
  let changed = false
  for (let slot = 0; slot < SLOTS; slot++) {
    if (host.keys.count(slot) === 0 || owners[slot] === me || cluster.importing.has(slot)) continue
    if (cluster.moves.imports.known.hasSlot(slot) || cluster.moves.cleaner.lost.has(slot)) continue
    changed = true
    const owner = owners[slot]
    if (owner === undefined) {
      host.log.notice(`I have keys for unassigned slot ${slot}. Taking responsibility for it.`)
      cluster.assign(me, slot)
    } else {
      host.log.notice(
        `I have keys for slot ${slot}, but the slot is assigned to another node. Setting it to importing state.`,
      )
      cluster.importing.set(slot, owner)
    }
  }
  if (changed) cluster.saveOrDie(true)
}
