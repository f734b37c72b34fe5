// HashType: the ValueType of hashes, and the Hash objects that commands work with.

import type { Ref } from '../../../memory/arena.ts'
import { Element } from '../../../memory/element.ts'
import { Listpack } from '../../../memory/listpack.ts'
import type { Digest } from '../../digest.ts'
import type { Entries } from '../../entries.ts'
import type { Keyspace } from '../../keyspace.ts'
import { ENC_HASHTABLE, ENC_LISTPACK, encodingNames, TYPE_HASH } from '../../types.ts'
import { TableType } from '../shared/table-type.ts'
import { Hash, type HashDependencies, type HashLimits } from './hash.ts'

export class HashType extends TableType implements HashDependencies {
  readonly id = TYPE_HASH
  readonly name = 'hash'
  readonly encodingNames = encodingNames(ENC_HASHTABLE, ENC_LISTPACK)
  readonly listpacks: Listpack
  readonly limits: HashLimits
  /** The hash a command works on, and a second one. */
  readonly current: Hash
  readonly destination: Hash
  readonly field = new Element()
  readonly text = new Element()

  constructor(space: Keyspace, limits: HashLimits) {
    super(space)
    this.listpacks = new Listpack(space.arena)
    this.limits = limits
    this.current = new Hash(this)
    this.destination = new Hash(this)
  }

  /** The one registered with the keyspace. */
  static of(space: Keyspace): HashType {
    return space.types.of(TYPE_HASH) as HashType
  }

  digest(entries: Entries, entry: Ref, into: Digest): void {
    const hash = this.current.open(entries.encodingOf(entry), entries.valueOf(entry))
    const element = into.another()
    hash.rewind()
    while (hash.next(this.field, this.text)) {
      element.clear().mixSlice(this.field.text())
      element.mixSlice(this.text.text())
      into.xor(element.bytes)
    }
  }
}
