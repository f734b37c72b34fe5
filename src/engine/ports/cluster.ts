// ClusterCommands: cluster mode as commands use it; implemented by cluster/. Without cluster mode there is none.

import type { Slice } from '../../lib/slice.ts'
import type { Context } from '../context.ts'

/** Slots as CLUSTERSCAN goes through them. */
export interface SlotScan {
  /** Of this process: another one has the keys of a slot in another order, so that its cursors are none here. */
  readonly fingerprint: string
  /** A word that hashes to the slot. */
  tagOf(slot: number): string
  /** This node serves the slot, and none of its keys are on their way to another one. */
  isWhole(slot: number): boolean
}

export interface ClusterCommands {
  readonly scan: SlotScan
  /** Runs the subcommand of CLUSTER that the context's command is. */
  run(ctx: Context): void
  /** The fields of CLUSTER INFO. */
  fields(): readonly (readonly [name: string, value: string | number])[]
  /** DEBUG CLUSTERLINK KILL: closes the links to or from a node; false: no such node. */
  killLinks(which: 'to' | 'from' | 'all', id: string): boolean
  /** DEBUG DROP-CLUSTER-PACKET-FILTER: received packets of this type are ignored; -1: none. */
  dropPackets(type: number): void
  /** Sends a published message to the other nodes, or to those of this shard. */
  publish(channel: Slice, message: Slice, shard: boolean): void
}
