// HashKind: what the keyspace must know about hashes, and the Hash objects that commands work with.

import { Element } from '../memory/element.ts'
import { Listpack } from '../memory/listpack.ts'
import { Hash, type HashLimits, type HashTools } from './hash.ts'
import type { Keyspace } from './keyspace.ts'
import { TableKind } from './table-kind.ts'
import { TYPE_HASH } from './types.ts'

export class HashKind extends TableKind implements HashTools {
  readonly listpacks: Listpack
  readonly limits: HashLimits
  /** For the hash a command works on, and a second one. */
  readonly first: Hash
  readonly second: Hash
  readonly field = new Element()
  readonly text = new Element()

  constructor(space: Keyspace, limits: HashLimits) {
    super(space)
    this.listpacks = new Listpack(space.arena)
    this.limits = limits
    this.first = new Hash(this)
    this.second = new Hash(this)
  }

  /** The one that was registered with a keyspace. */
  static of(space: Keyspace): HashKind {
    return space.kinds[TYPE_HASH] as HashKind
  }
}
