// SetType: the ValueType of sets, and the MemberSet objects that commands work with.

import type { Ref } from '../../../memory/arena.ts'
import { Element } from '../../../memory/element.ts'
import { Intset } from '../../../memory/intset.ts'
import { Listpack } from '../../../memory/listpack.ts'
import type { Digest } from '../../digest.ts'
import type { Entries } from '../../entries.ts'
import type { Keyspace } from '../../keyspace.ts'
import { ENC_HASHTABLE, ENC_INTSET, ENC_LISTPACK, encodingNames, TYPE_SET } from '../../types.ts'
import { TableType } from '../shared/table-type.ts'
import { MemberSet, type SetDependencies, type SetLimits } from './set.ts'

export class SetType extends TableType implements SetDependencies {
  readonly id = TYPE_SET
  readonly name = 'set'
  readonly encodingNames = encodingNames(ENC_HASHTABLE, ENC_INTSET, ENC_LISTPACK)
  readonly listpacks: Listpack
  readonly intsets: Intset
  readonly limits: SetLimits
  /** The set a command works on, and its result. */
  readonly current: MemberSet
  readonly result: MemberSet
  readonly element = new Element()
  private readonly inputs: MemberSet[] = []

  constructor(space: Keyspace, limits: SetLimits) {
    super(space)
    this.listpacks = new Listpack(space.arena)
    this.intsets = new Intset(space.arena)
    this.limits = limits
    this.current = new MemberSet(this)
    this.result = new MemberSet(this)
  }

  /** The one registered with the keyspace. */
  static of(space: Keyspace): SetType {
    return space.types.of(TYPE_SET) as SetType
  }

  /** Input number `i` of a command over several sets. */
  input(i: number): MemberSet {
    while (this.inputs.length <= i) this.inputs.push(new MemberSet(this))
    return this.inputs[i]
  }

  digest(entries: Entries, entry: Ref, into: Digest): void {
    const set = this.current.open(entries.encodingOf(entry), entries.valueOf(entry))
    set.rewind()
    while (set.next(this.element)) {
      const { u8, off, len } = this.element.text()
      into.xor(u8, off, off + len)
    }
  }
}
