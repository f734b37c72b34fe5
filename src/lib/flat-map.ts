// FlatMap: a map by number for what comes and goes with every command. It keeps its arrays.
//
//   items  [ a . b c . ]    in the order in which they were set; removed ones leave holes, until set() closes them
//   table  position + 1 of each key, 0: none             open addressing, at most half full
//
// A Map gets new storage after some insertions and removals, and on Bun the old one refers to the new: once an old one
// is in the old generation, young collections keep all that was in the map since, until a full collection.

const TABLE_START = 16

export class FlatMap<Item extends object> {
  size = 0
  private readonly keys: number[] = []
  private readonly items: (Item | undefined)[] = []
  private table = new Uint32Array(TABLE_START)

  get(key: number): Item | undefined {
    const position = this.table[this.slotOf(key)]
    return position === 0 ? undefined : this.items[position - 1]
  }

  has(key: number): boolean {
    return this.table[this.slotOf(key)] !== 0
  }

  set(key: number, item: Item): void {
    let slot = this.slotOf(key)
    if (this.table[slot] !== 0) {
      this.items[this.table[slot] - 1] = item
      return
    }
    if ((this.items.length + 1) * 2 > this.table.length) {
      this.makeRoom()
      slot = this.slotOf(key)
    }
    this.keys.push(key)
    this.table[slot] = this.items.push(item)
    this.size++
  }

  delete(key: number): boolean {
    const slot = this.slotOf(key)
    const position = this.table[slot]
    if (position === 0) return false
    this.items[position - 1] = undefined
    this.size--
    this.empty(slot)
    return true
  }

  /** In the order in which they were set. `visit` may remove items, and must not set any. */
  forEach(visit: (item: Item) => void): void {
    for (const item of this.items) if (item !== undefined) visit(item)
  }

  /** Where the key is in the table, or would be. */
  private slotOf(key: number): number {
    const { table, keys } = this
    const mask = table.length - 1
    let slot = this.homeOf(key)
    while (table[slot] !== 0 && keys[table[slot] - 1] !== key) slot = (slot + 1) & mask
    return slot
  }

  private homeOf(key: number): number {
    const mixed = Math.imul((key >>> 0) ^ Math.floor(key / 0x1_0000_0000), 0x9e3779b1)
    return (mixed ^ (mixed >>> 15)) & (this.table.length - 1)
  }

  /** Empties a slot of the table; those behind it that began before it move up. */
  private empty(hole: number): void {
    const { table, keys } = this
    const mask = table.length - 1
    for (let slot = (hole + 1) & mask; table[slot] !== 0; slot = (slot + 1) & mask) {
      const home = this.homeOf(keys[table[slot] - 1])
      if (((slot - home) & mask) < ((slot - hole) & mask)) continue
      table[hole] = table[slot]
      hole = slot
    }
    table[hole] = 0
  }

  /** Closes the holes; the table grows where they were few. */
  private makeRoom(): void {
    const { keys, items, size } = this
    let end = 0
    for (let i = 0; i < items.length; i++) {
      if (items[i] === undefined) continue
      keys[end] = keys[i]
      items[end++] = items[i]
    }
    keys.length = items.length = end
    if (size * 4 > this.table.length) this.table = new Uint32Array(this.table.length * 2)
    else this.table.fill(0)
    for (let i = 0; i < size; i++) this.table[this.slotOf(keys[i])] = i + 1
  }
}
