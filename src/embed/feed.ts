// PushFeed: what a subscription or MONITOR sends, as an asynchronous iterator.
//
// Always: an item is handed out once, in order; after close() next() says that it is over, once what came is read.

import { Queue } from '../lib/queue.ts'
import type { Feed } from './client-types.ts'

type Result<Item> = { done: false; value: Item } | { done: true; value: undefined }

export class PushFeed<Item> implements Feed<Item> {
  private readonly items = new Queue<Item>()
  private readonly readers = new Queue<(result: Result<Item>) => void>()
  private readonly end: () => void
  private isOver = false

  constructor(end: () => void) {
    this.end = end
  }

  push(value: Item): void {
    const reader = this.readers.shift()
    if (reader === undefined) this.items.push(value)
    else reader({ done: false, value })
  }

  next(): Promise<Result<Item>> {
    if (this.items.length > 0) return Promise.resolve({ done: false, value: this.items.shift()! })
    if (this.isOver) return Promise.resolve({ done: true, value: undefined })
    return new Promise(resolve => this.readers.push(resolve))
  }

  close(): void {
    if (this.isOver) return
    this.isOver = true
    for (let reader = this.readers.shift(); reader !== undefined; reader = this.readers.shift())
      reader({ done: true, value: undefined })
    this.end()
  }

  async return(): Promise<{ done: true; value: undefined }> {
    this.items.clear()
    this.close()
    return { done: true, value: undefined }
  }

  [Symbol.asyncIterator](): this {
    return this
  }
}
