// Queue: first in, first out, in a ring buffer.
//
//   [ . . a b c . . . ]     head: index of `a`; a, b, c are `length` items from there on
//
// Always: the array's size is a power of two; removed items are not referenced any more.

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

  /** The next item; undefined when the queue is empty. */
  first(): Item | undefined {
    return this.items[this.head]
  }

  /** The item added last. */
  last(): Item | undefined {
    return this.length === 0 ? undefined : this.items[(this.head + this.length - 1) & (this.items.length - 1)]
  }

  /** Removes the first item. */
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
