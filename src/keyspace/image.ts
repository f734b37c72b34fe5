// KeyspaceImage: all databases of a keyspace at one moment, to be put back into it, or into the keyspace of another
// server.
//
// Always: an image is of a keyspace whose values are all in memory and whose tables are in the arena (no cluster mode);
// no snapshot is running, neither now nor when it is put back. What is lent to commands that have not arrived whole is
// not in it.

import type { Ref } from '../memory/arena.ts'
import { ArenaImage, takeBuffers } from '../memory/arena-image.ts'
import type { Keyspace, LazyItem } from './keyspace.ts'

interface DatabaseImage {
  readonly mainTable: Ref
  readonly expiryTable: Ref
  readonly averageTtlMs: number
  readonly expiryCursor: number
}

export class KeyspaceImage {
  private readonly arena: ArenaImage
  private readonly seed: readonly [number, number]
  private readonly databases: readonly DatabaseImage[]
  private readonly lazy: readonly LazyItem[]
  private readonly lent: readonly Ref[]
  private readonly epoch: number

  /** `lent`: the allocations of incomplete commands. */
  constructor(space: Keyspace, lent: readonly Ref[]) {
    this.arena = new ArenaImage(space.arena)
    this.seed = space.hasher.seed
    this.databases = space.databases.map(({ mainTable, expiryTable, averageTtlMs, expiryCursor }) => ({
      mainTable,
      expiryTable,
      averageTtlMs,
      expiryCursor,
    }))
    this.lazy = space.lazy.map(item => ({ ...item }))
    this.lent = lent.slice()
    this.epoch = space.epoch
  }

  /** Whether there is an image of this keyspace. */
  static isPossible(space: Keyspace): boolean {
    return space.slotTables === undefined && space.entries.cold === undefined
  }

  /** Whether one of its values is in no image of the arena. */
  static misses(space: Keyspace): boolean {
    return space.types.all().some(({ areInArena }) => areInArena === false)
  }

  get bytes(): number {
    return this.arena.bytes
  }

  get databaseCount(): number {
    return this.databases.length
  }

  /** Puts the image in the place of what the keyspace contains; further databases are empty then. */
  restoreInto(space: Keyspace): void {
    this.arena.restoreInto(space.arena)
    space.hasher.reseed(this.seed)
    space.epoch = this.epoch
    for (const ref of this.lent) space.arena.free(ref)
    contain(space, this.databases, this.lazy)
  }
}

/** What the arena contains now are these databases, and what is to be freed; further databases are empty. */
function contain(space: Keyspace, databases: readonly DatabaseImage[], lazy: readonly LazyItem[]): void {
  space.mutations++
  for (const type of space.types.all()) type.forgetOutside?.()
  space.lazy.splice(0, space.lazy.length, ...lazy.map(item => ({ ...item })))
  for (const db of space.databases) {
    const image = databases[db.index]
    db.mainTable = image?.mainTable ?? space.tables.create()
    db.expiryTable = image?.expiryTable ?? space.tables.create()
    db.averageTtlMs = image?.averageTtlMs ?? 0
    db.expiryCursor = image?.expiryCursor ?? 0
  }
}

/**
 * Takes the memory of the keyspace of a server that has ended: it is empty then. Nothing where something may still read
 * it, or its values are elsewhere.
 */
export function takeMemory(space: Keyspace): ArrayBuffer[] {
  if (!KeyspaceImage.isPossible(space) || space.snapshotting) return []
  const buffers = takeBuffers(space.arena)
  contain(space, [], [])
  return buffers
}
