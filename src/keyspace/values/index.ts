// The built-in types besides strings, registered in every keyspace.

import type { ValueTypeMaker } from '../value-type.ts'
import { HashType } from './hash/hash-type.ts'
import { ListType } from './list/list-type.ts'
import { ModuleType } from './module/module-type.ts'
import { SetType } from './set/set-type.ts'
import { StreamType } from './stream/stream-type.ts'
import { ZSetType } from './zset/zset-type.ts'

export const builtInTypes: readonly ValueTypeMaker[] = [
  (space, limits) => new ListType(space, limits),
  (space, limits) => new SetType(space, limits),
  (space, limits) => new ZSetType(space, limits),
  (space, limits) => new HashType(space, limits),
  (space, limits) => new StreamType(space, limits),
  space => new ModuleType(space),
]
