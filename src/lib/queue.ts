// Queue: first in, first out, in an array that is used round and round.
//
//   [ . . a b c . . . ]     head: where `a` stands; a, b, c are `length` items from there on
//
// Always: the size of the array is a power of two; what is not in the queue is not kept alive by it.

const START_ITEMS = 8

export class Queue<Item> {
  private items: (Item | undefined)[] = new Array(START_ITEMS).fill(undefined)
  private head = 0
  length = 0

  push(item: Item): void {
    if (this.length === this.items.length) this.grow()
    this.items[(this.head + this.length++) & (this.items.length - 1)] = item
  }

  private grow(): void {
    const { items, head } = this
    const grown = [...items.slice(head), ...items.slice(0, head)]
    this.items = grown.concat(new Array(items.length).fill(undefined))
    this.head = 0
  }

  /** The item that is next; undefined when there is none. */
  first(): Item | undefined {
    return this.items[this.head]
  }

  /** The item that came last. */
  last(): Item | undefined {
    return this.length === 0 ? undefined : this.items[(this.head + this.length - 1) & (this.items.length - 1)]
  }

  /** Takes the first item away. */
  shift(): Item | undefined {
    if (this.length === 0) return undefined
    const item = this.items[this.head]
    this.items[this.head] = undefined
    this.head = (this.head + 1) & (this.items.length - 1)
    this.length--
    return item
  }

  clear(): void {
    this.items = new Array(START_ITEMS).fill(undefined)
    this.head = this.length = 0
  }
}
