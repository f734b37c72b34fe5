// SlotCleaner: deletes the keys of slots that have left this node, some at a time.
//
// Always: the keys of a slot that comes back before its turn are deleted at once (finish), so that none reappears.

import type { Cluster } from './cluster.ts'

const KEYS_PER_LOOK = 20

export class SlotCleaner {
  private readonly cluster: Cluster
  private readonly slots: number[] = []

  constructor(cluster: Cluster) {
    this.cluster = cluster
  }

  get isBusy(): boolean {
    return this.slots.length > 0
  }

  has(slot: number): boolean {
    return this.slots.includes(slot)
  }

  add(slots: readonly number[]): void {
    const { host } = this.cluster
    const before = this.slots.length
    for (const slot of slots) if (host.keys.count(slot) > 0 && !this.has(slot)) this.slots.push(slot)
    if (before === 0 && this.isBusy) host.background(this.step)
  }

  /** Deletes what is left of a slot, whole. */
  finish(slot: number): void {
    const at = this.slots.indexOf(slot)
    if (at < 0) return
    this.slots.splice(at, 1)
    while (!this.cluster.host.keys.deleteSome(slot, Number.POSITIVE_INFINITY));
  }

  private readonly step = (limitUs: number): boolean => {
    const { host } = this.cluster
    const endMs = host.nowMs() + limitUs / 1000
    while (this.isBusy && host.nowMs() < endMs)
      if (host.keys.deleteSome(this.slots[0], KEYS_PER_LOOK)) this.slots.shift()
    return !this.isBusy
  }
}
