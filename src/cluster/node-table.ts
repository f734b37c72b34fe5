// The nodes that this one knows, by their ids.
//
// Packets name a tenth of all nodes each: these are found by the bytes of their ids, without making strings of them.
// Always: `byHead` finds a node or nothing, never another one; it is emptied when an id leaves.

import { latin1Text } from '../lib/bytes.ts'
import type { Node } from './node.ts'
import { hasText, ID_CHARS } from './packet.ts'

export class NodeTable {
  private readonly byId = new Map<string, Node>()
  /** By a hash of the first eight bytes of the id. */
  private readonly byHead = new Map<number, Node>()
  private all: readonly Node[] | undefined

  get size(): number {
    return this.byId.size
  }

  get(id: string): Node | undefined {
    return this.byId.get(id)
  }

  has(id: string): boolean {
    return this.byId.has(id)
  }

  /** In the order in which they were added. What changes meanwhile is not seen. */
  values(): readonly Node[] {
    this.all ??= [...this.byId.values()]
    return this.all
  }

  /** The node whose id is at u8[at]. */
  at(u8: Uint8Array, at: number): Node | undefined {
    const head = headOf(u8, at)
    const node = this.byHead.get(head)
    if (node !== undefined && hasText(u8, at, node.id)) return node
    const found = this.byId.get(latin1Text(u8, at, at + ID_CHARS))
    if (found !== undefined) this.byHead.set(head, found)
    return found
  }

  add(node: Node): void {
    this.byId.set(node.id, node)
    this.all = undefined
  }

  /** Before its id changes, too. */
  delete(node: Node): void {
    this.byId.delete(node.id)
    this.byHead.clear()
    this.all = undefined
  }
}

function headOf(u8: Uint8Array, at: number): number {
  const first = u8[at] | (u8[at + 1] << 8) | (u8[at + 2] << 16) | (u8[at + 3] << 24)
  const second = u8[at + 4] | (u8[at + 5] << 8) | (u8[at + 6] << 16) | (u8[at + 7] << 24)
  return Math.imul(first, 0x9e3779b1) ^ second
}
