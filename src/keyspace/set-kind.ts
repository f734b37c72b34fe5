// SetKind: what the keyspace must know about sets, and the MemberSet objects that commands work with.

import { Element } from '../memory/element.ts'
import { Intset } from '../memory/intset.ts'
import { Listpack } from '../memory/listpack.ts'
import type { Keyspace } from './keyspace.ts'
import { MemberSet, type SetLimits, type SetTools } from './set.ts'
import { TableKind } from './table-kind.ts'
import { TYPE_SET } from './types.ts'

export class SetKind extends TableKind implements SetTools {
  readonly listpacks: Listpack
  readonly intsets: Intset
  readonly limits: SetLimits
  /** For the set a command works on, and one that it makes. */
  readonly first: MemberSet
  readonly made: MemberSet
  readonly element = new Element()
  private readonly inputs: MemberSet[] = []

  constructor(space: Keyspace, limits: SetLimits) {
    super(space)
    this.listpacks = new Listpack(space.arena)
    this.intsets = new Intset(space.arena)
    this.limits = limits
    this.first = new MemberSet(this)
    this.made = new MemberSet(this)
  }

  /** The one that was registered with a keyspace. */
  static of(space: Keyspace): SetKind {
    return space.kinds[TYPE_SET] as SetKind
  }

  /** Input number `i` of a command over several sets. */
  input(i: number): MemberSet {
    while (this.inputs.length <= i) this.inputs.push(new MemberSet(this))
    return this.inputs[i]
  }
}
