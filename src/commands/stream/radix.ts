// The number of nodes of Redis's radix tree for a stream, which XINFO STREAM reports.
//
// A radix tree of n keys, none a prefix of another, has n leaves, one node for each byte position where keys branch,
// and one for each run of bytes common to all keys below it.

import { OrderedCursor } from '../../keyspace/values/stream/stream.ts'
import { ID_BYTES, StreamId } from '../../keyspace/values/stream/stream-id.ts'
import type { StreamIndex } from '../../keyspace/values/stream/stream-index.ts'
import type { Ref } from '../../memory/arena.ts'

export function radixNodes(index: StreamIndex, tree: Ref): number {
  const { trees } = index
  const cursor = new OrderedCursor()
  if (!trees.first(tree, cursor)) return 1
  const key = new DataView(new ArrayBuffer(ID_BYTES))
  const before = new DataView(new ArrayBuffer(ID_BYTES))
  const id = new StreamId()
  // Depths of the branches on the path to the last key, the outermost first.
  const branches: number[] = []
  let nodes = 0
  // Closes the branches deeper than `depth`: each is a node, and so is the run of bytes before it.
  const closeTo = (depth: number, end: number): void => {
    let below = end
    for (;;) {
      const branch = branches.length > 0 ? branches[branches.length - 1] : -1
      const parent = Math.max(branch, depth)
      if (below - (parent + 1) > 0) nodes++
      if (branch <= depth) return
      nodes++
      below = branch
      branches.pop()
    }
  }
  index.idOf(trees.entryAt(cursor), id).write(before, 0)
  nodes++
  while (trees.next(cursor)) {
    index.idOf(trees.entryAt(cursor), id).write(key, 0)
    nodes++
    const depth = shared(before, key)
    closeTo(depth, ID_BYTES)
    if (branches.length === 0 || branches[branches.length - 1] < depth) branches.push(depth)
    id.write(before, 0)
  }
  closeTo(-1, ID_BYTES)
  return nodes
}

/** Length of the common prefix of two different keys. */
function shared(a: DataView, b: DataView): number {
  let n = 0
  while (a.getUint8(n) === b.getUint8(n)) n++
  return n
}
