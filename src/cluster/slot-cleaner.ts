// SlotCleaner: deletes the keys of slots that have left this node, some at a time.
//
// Always: the keys of a slot that comes back before its turn are deleted at once (finish), so that none reappears; a
// replica deletes nothing by itself.

import type { Cluster } from './cluster.ts'

export class SlotCleaner {
  private readonly cluster: Cluster
  private readonly slots: number[] = []
  /** Where deleting goes on in the first slot. */
  private cursor = 0

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
    const wasBusy = this.isBusy
    for (const slot of slots) if (host.keys.count(slot) > 0 && !this.has(slot)) this.slots.push(slot)
    if (!wasBusy && this.isBusy) host.background(this.step)
  }

  /** This node becomes a replica: the keys are its primary's from now on. */
  stop(): void {
    this.slots.length = 0
    this.cursor = 0
  }

  /** Deletes what is left of a slot whose turn has not come, whole. */
  finish(slot: number): void {
    const at = this.slots.indexOf(slot)
    if (at < 0) return
    this.slots.splice(at, 1)
    if (at === 0) this.cursor = 0
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
      this.cursor = host.keys.deleteSome(this.slots[0], this.cursor)
      if (this.cursor === 0) this.slots.shift()
    }
    return !this.isBusy
  }
}
