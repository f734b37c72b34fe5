// SlotCleaner: deletes the keys of slots that have left this node, some at a time.
//
// Always: the keys of a slot that comes back before its turn are deleted at once (finish), so that none reappears; a
// replica deletes nothing by itself. What is lost and not deleted yet is in the nodes file, and known to replicas: a
// restarted primary and a promoted replica go on with it.

import { type Cluster, SAVE } from './cluster.ts'
import { PRIMARY } from './node.ts'

export class SlotCleaner {
  private readonly cluster: Cluster
  /** In the order in which they came. */
  private readonly slots = new Set<number>()
  /** Where deleting goes on in the first slot. */
  private cursor = 0
  /** Slots that another node took from this one, or from its primary, and whose keys may still be here. */
  readonly lost = new Set<number>()

  constructor(cluster: Cluster) {
    this.cluster = cluster
  }

  get isBusy(): boolean {
    return this.slots.size > 0
  }

  has(slot: number): boolean {
    return this.slots.has(slot)
  }

  /** Another node has taken these slots. */
  lose(slots: readonly number[]): void {
    for (const slot of slots) this.lost.add(slot)
    this.check()
  }

  /** Ten times a second, and when this node becomes a primary. */
  check(): void {
    if (this.lost.size === 0) return
    const { me, owners, host, importing } = this.cluster
    const ownPrimary = me.has(PRIMARY) ? me : me.primary
    for (const slot of [...this.lost]) {
      const owner = owners[slot]
      if (owner === undefined || owner === ownPrimary || importing.has(slot) || host.keys.count(slot) === 0)
        this.lost.delete(slot)
    }
    if (me.has(PRIMARY)) this.add([...this.lost])
    if (this.lost.size === 0) this.cluster.later(SAVE)
  }

  add(slots: readonly number[]): void {
    const { host } = this.cluster
    const wasBusy = this.isBusy
    for (const slot of slots) if (host.keys.count(slot) > 0) this.slots.add(slot)
    if (!wasBusy && this.isBusy) host.background(this.step)
  }

  /** This node becomes a replica: the keys are its primary's from now on. */
  stop(): void {
    this.slots.clear()
    this.cursor = 0
  }

  /** Deletes what is left of a slot whose turn has not come, whole. */
  finish(slot: number): void {
    const [first] = this.slots
    if (!this.slots.delete(slot)) return
    if (slot === first) this.cursor = 0
    this.clear(slot)
  }

  /** Deletes the keys of a slot, whole. */
  clear(slot: number): void {
    const { keys } = this.cluster.host
    for (let cursor = keys.deleteSome(slot, 0); cursor !== 0; ) cursor = keys.deleteSome(slot, cursor)
  }

  private readonly step = (limitUs: number): boolean => {
    const { host } = this.cluster
    const endMs = host.nowMs() + limitUs / 1000
    while (this.isBusy && host.nowMs() < endMs) {
      const [slot] = this.slots
      this.cursor = host.keys.deleteSome(slot, this.cursor)
      if (this.cursor === 0) this.slots.delete(slot)
    }
    return !this.isBusy
  }
}
