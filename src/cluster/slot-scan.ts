// SlotScan: what CLUSTERSCAN needs to know of this node.

import type { SlotScan as SlotScanPort } from '../engine/ports/cluster.ts'
import type { Cluster } from './cluster.ts'
import { SlotTags } from './slot-tags.ts'

const FINGERPRINT_LENGTH = 12

export class SlotScan implements SlotScanPort {
  private readonly cluster: Cluster
  private known: string | undefined
  private tags: SlotTags | undefined

  constructor(cluster: Cluster) {
    this.cluster = cluster
  }

  get fingerprint(): string {
    this.known ??= this.cluster.host.newId().slice(0, FINGERPRINT_LENGTH)
    return this.known
  }

  tagOf(slot: number): string {
    this.tags ??= new SlotTags()
    return this.tags.tagOf(slot)
  }

  isWhole(slot: number): boolean {
    const { owners, me, migrating } = this.cluster
    return owners[slot] === me && !migrating.has(slot)
  }
}
