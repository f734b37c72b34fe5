// The grammars by group, as COMMAND DOCS names them.

import { adjacent } from './adjacent.ts'
import { bitmap } from './bitmap.ts'
import { connection } from './connection.ts'
import { generic } from './generic.ts'
import { geo } from './geo.ts'
import type { Grammar } from './grammar.ts'
import { hash } from './hash.ts'
import { hyperloglog } from './hyperloglog.ts'
import { list } from './list.ts'
import { scripting } from './scripting.ts'
import { set } from './set.ts'
import { sortedSet } from './sorted-set.ts'
import { stream } from './stream.ts'
import { string } from './string.ts'
import { tracking } from './tracking.ts'
import { transactions } from './transactions.ts'

export const grammars: { readonly [group: string]: Grammar } = {
  string,
  generic,
  list,
  hash,
  set,
  'sorted-set': sortedSet,
  bitmap,
  hyperloglog,
  geo,
  stream,
  transactions,
  scripting,
  connection,
  tracking,
  adjacent,
}
