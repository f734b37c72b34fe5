// Who serves which hash slot: claims with a newer configuration epoch win.

import { clearBit, hasBit, SLOTS, setBit } from './bitmap.ts'
import { type Cluster, FSYNC, SAVE, UPDATE_STATE } from './cluster.ts'
import { type Node, nameOf, PRIMARY } from './node.ts'

/** `claimer` claims these slots in this epoch. */
export function updateSlots(cluster: Cluster, claimer: Node, epoch: number, claimed: Uint8Array): void {
  const { me, host, owners, unclaimed } = cluster
  if (claimer === me) return host.log.notice('Discarding UPDATE message about myself.')
  const ownPrimary = me.has(PRIMARY) ? me : me.primary
  const withKeys: number[] = []
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
    if (owner === me && host.keys.count(slot) > 0) withKeys.push(slot)
    if (owner !== undefined && owner === ownPrimary) taken++
    cluster.give(claimer, slot)
    cluster.later(SAVE | UPDATE_STATE | FSYNC)
  }
  const lostAll = taken > 0 && ownPrimary!.slotCount === 0
  if (lostAll && (host.settings.clusterAllowReplicaMigration || claims === taken))
    return followClaimer(cluster, claimer)
  const above = me.primary?.primary
  if (above !== undefined && above !== me) {
    host.log.notice(`I'm a sub-replica! Reconfiguring myself as a replica of grandmaster ${nameOf(above)}`)
    cluster.follow(above)
    cluster.later(SAVE | UPDATE_STATE | FSYNC)
  } else if (withKeys.length > 0) cluster.moves.cleaner.add(withKeys)
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

/** After a start: keys in slots that are not ours. False: there are keys where none may be. */
export function adoptSlotsWithKeys(cluster: Cluster): void {
  const { me, host, owners } = cluster
  if (!me.has(PRIMARY)) return
  let changed = false
  for (let slot = 0; slot < SLOTS; slot++) {
    if (host.keys.count(slot) === 0 || owners[slot] === me || cluster.importing.has(slot)) continue
    if (cluster.moves.imports.isOpen(slot)) continue
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
