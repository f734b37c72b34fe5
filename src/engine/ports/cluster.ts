// ClusterCommands: cluster mode as commands use it; implemented by cluster/. Without cluster mode there is none.

import type { Slice } from '../../lib/slice.ts'
import type { Context } from '../context.ts'

export interface ClusterCommands {
  /** Runs the subcommand of CLUSTER that the context's command is. */
  run(ctx: Context): void
  /** DEBUG CLUSTERLINK KILL: closes the links to or from a node; false: no such node. */
  killLinks(which: 'to' | 'from' | 'all', id: string): boolean
  /** DEBUG DROP-CLUSTER-PACKET-FILTER: received packets of this type are ignored; -1: none. */
  dropPackets(type: number): void
  /** Sends a published message to the other nodes, or to those of this shard. */
  publish(channel: Slice, message: Slice, shard: boolean): void
}
