// A cluster of servers in a virtual world: primaries that share the slots evenly, and further nodes that know them.

import { evenRange } from '../../src/cluster/bitmap.ts'
import type { VirtualWorld } from '../../src/system/virtual-world.ts'
import { WorldServer } from '../harness/replication-world.ts'

const ARENA_BYTES = 256 * 1024
const HEAL_MS = 60_000
const LOOK_MS = 200

/** Starts and introduces the nodes; waits until each knows all others. */
export async function startCluster(
  world: VirtualWorld,
  count: number,
  primaries: number,
  directives: Readonly<Record<string, string>>,
): Promise<WorldServer[]> {
  const nodes: WorldServer[] = []
  for (let i = 0; i < count; i++) {
    const all = { 'cluster-enabled': 'yes', ...directives }
    const node = new WorldServer(world, world.machine(`node${i}`), all, { arenaStartBytes: ARENA_BYTES })
    await node.start()
    nodes.push(node)
  }
  for (const [i, node] of nodes.entries()) {
    await node.call('CLUSTER', 'SET-CONFIG-EPOCH', String(i + 1))
    if (i < primaries) await node.call('CLUSTER', 'ADDSLOTSRANGE', ...evenRange(i, primaries).map(String))
    if (i > 0) await node.call('CLUSTER', 'MEET', nodes[0].machine.host.address, '6379')
  }
  for (const node of nodes)
    await until(world, async () => {
      const lines = String(await node.call('CLUSTER', 'NODES'))
        .trim()
        .split('\n')
      return lines.length === count && !lines.some(line => line.includes('handshake'))
    })
  return nodes
}

export async function clusterInfo(node: WorldServer, field: string): Promise<string> {
  const text = String(await node.call('CLUSTER', 'INFO'))
  return new RegExp(`^${field}:(.*)\r$`, 'm').exec(text)?.[1] ?? ''
}

/** Waits until a condition holds, at most HEAL_MS; false: it does not. */
export async function until(world: VirtualWorld, condition: () => Promise<boolean>): Promise<boolean> {
  for (let ms = 0; ms < HEAL_MS; ms += LOOK_MS) {
    if (await condition()) return true
    await world.run(LOOK_MS)
  }
  return false
}
