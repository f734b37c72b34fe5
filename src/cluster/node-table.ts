// The nodes that this one knows, by their ids.
//
//   id ─▶ hash ─▶ numbers [ 0 | 8 | 0 | 4 | … ] ─▶ entries  [ 104 bytes of node 0 | of node 1 | … ]
//                                                  numbered [ node 0 | node 1 | … ]
//
// Packets name a tenth of all nodes each: they are found by the bytes of their ids, and written as bytes.
// Always: a node has its number, from 0 on, while it is in the table; `numbers` has each number, and one more,
// at the first free place from its hash on, and is twice as long as there are nodes, or longer.

import { writeLatin1 } from '../lib/bytes.ts'
import type { Node, NodeAddress } from './node.ts'
import { GOSSIP_BYTES, ID_CHARS } from './packet.ts'
import { type GossipNode, putEntry } from './packet-writer.ts'

const PLACES_MIN = 64
const GOSSIP_WORDS = GOSSIP_BYTES / 4

export class NodeTable {
  private readonly byId = new Map<string, Node>()
  private readonly numbered: (Node | undefined)[] = []
  /** By number: what packets say of a node; its id, once it has been in a packet also its address. */
  private entries = new DataView(new ArrayBuffer(GOSSIP_BYTES))
  private words = new Int32Array(this.entries.buffer)
  /** By number: the address in the entry. */
  private readonly addresses: (NodeAddress | undefined)[] = []
  private isTls = false
  private numbers = new Int32Array(PLACES_MIN)
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

  /** The node whose id is there. */
  at(bytes: DataView, at: number): Node | undefined {
    const { numbers, entries } = this
    const mask = numbers.length - 1
    for (let place = hashOf(bytes, at) & mask; numbers[place] !== 0; place = (place + 1) & mask) {
      const number = numbers[place] - 1
      if (isSameId(bytes, at, entries, number * GOSSIP_BYTES)) return this.numbered[number]
    }
    return undefined
  }

  /** Writes the entry of a node of the table to words[at], as a packet has it. */
  put(words: Int32Array, at: number, { number, id, address }: GossipNode, isTls: boolean): void {
    if (isTls !== this.isTls) {
      this.addresses.fill(undefined)
      this.isTls = isTls
    }
    if (this.addresses[number] !== address) {
      putEntry(this.entries, number * GOSSIP_BYTES, id, address, isTls)
      this.addresses[number] = address
    }
    const from = number * GOSSIP_WORDS
    for (let i = 0; i < GOSSIP_WORDS; i++) words[at + i] = this.words[from + i]
  }

  add(node: Node): void {
    this.byId.set(node.id, node)
    this.all = undefined
    node.number = this.freeNumber()
    this.numbered[node.number] = node
    if (this.numbered.length * GOSSIP_BYTES > this.entries.byteLength) this.extend()
    this.addresses[node.number] = undefined
    writeLatin1(new Uint8Array(this.entries.buffer), node.number * GOSSIP_BYTES, node.id)
    if (this.numbered.length * 2 > this.numbers.length) this.index(this.numbers.length * 2)
    else this.place(node.number)
  }

  /** Before its id changes, too. */
  delete(node: Node): void {
    if (this.byId.get(node.id) !== node) return
    this.byId.delete(node.id)
    this.all = undefined
    this.numbered[node.number] = undefined
    node.number = -1
    this.index(this.numbers.length)
  }

  private freeNumber(): number {
    const free = this.numbered.length < this.byId.size ? -1 : this.numbered.indexOf(undefined)
    return free < 0 ? this.numbered.length : free
  }

  private extend(): void {
    const larger = new Int32Array(this.words.length * 2)
    larger.set(this.words)
    this.words = larger
    this.entries = new DataView(larger.buffer)
  }

  private index(places: number): void {
    this.numbers = new Int32Array(places)
    for (let number = 0; number < this.numbered.length; number++)
      if (this.numbered[number] !== undefined) this.place(number)
  }

  private place(number: number): void {
    const { numbers } = this
    const mask = numbers.length - 1
    let place = hashOf(this.entries, number * GOSSIP_BYTES) & mask
    while (numbers[place] !== 0) place = (place + 1) & mask
    numbers[place] = number + 1
  }
}

function isSameId(a: DataView, aAt: number, b: DataView, bAt: number): boolean {
  for (let i = 0; i < ID_CHARS; i += 4) if (a.getInt32(aAt + i) !== b.getInt32(bAt + i)) return false
  return true
}

/** Of the first eight bytes. */
function hashOf(bytes: DataView, at: number): number {
  const hash = Math.imul(bytes.getInt32(at), 0x9e3779b1) ^ Math.imul(bytes.getInt32(at + 4), 0x85ebca6b)
  return hash ^ (hash >>> 15)
}
