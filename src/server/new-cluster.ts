// The nodes file of a cluster that is made at once: its nodes need not be introduced to each other.
//
// Always: the first nodes are primaries and share the slots evenly, in distinct epochs,
// and the others are their replicas in turn.

import { evenRange } from '../cluster/bitmap.ts'

export interface NewNode {
  readonly id: string
  readonly shardId: string
  readonly host: string
  readonly port: number
  readonly busPort: number
}

/** The file of node number `me`. */
export function newClusterFile(nodes: readonly NewNode[], primaries: number, me: number): string {
  const lines = nodes.map(({ id, shardId, host, port, busPort }, i) => {
    const isPrimary = i < primaries
    const flags = `${i === me ? 'myself,' : ''}${isPrimary ? 'master' : 'slave'}`
    const primary = isPrimary ? '-' : nodes[i % primaries].id
    const slots = isPrimary ? ` ${evenRange(i, primaries).join('-')}` : ''
    const place = `${host}:${port}@${busPort},,shard-id=${shardId}`
    return `${id} ${place} ${flags} ${primary} 0 0 ${(i % primaries) + 1} connected${slots}`
  })
  return `${lines.join('\n')}\nvars currentEpoch ${primaries} lastVoteEpoch 0\n`
}
