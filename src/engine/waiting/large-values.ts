// The 'snapshot' gate: a command that would change a large value which the snapshot has not saved yet would have to
// wait for the whole value to be written. Its client is postponed instead, and other clients are served.
//
//   command ─▶ POSTPONE ─▶ [the snapshot saves the value, in slices] ─▶ released ─▶ parsed and judged again
//
// Always: a transaction or script waits as a whole, before any of it has run. Keys that a script does not declare are
// not seen here: the snapshot then saves their values at once.

import { LOOKUP_KEY } from '../../keyspace/database.ts'
import type { Slice } from '../../lib/slice.ts'
import { CMD_MAY_REPLICATE, CMD_WRITE } from '../catalog/command.ts'
import { KEY_OW, KEY_RM, KEY_RO } from '../catalog/keyspecs.ts'
import type { TableEntry } from '../catalog/table.ts'
import type { Client } from '../client.ts'
import type { Engine } from '../engine.ts'
import { type Gate, POSTPONE, wouldRun } from '../gates.ts'

const MAY_CHANGE = CMD_WRITE | CMD_MAY_REPLICATE
/** Reads leave the value as it is; overwriting and removing detach it cheaply. */
const LEAVES_VALUE = KEY_RO | KEY_OW | KEY_RM

export function largeValueGate(engine: Engine): Gate {
  const { keyspace, table } = engine
  const changesLarge = (client: Client, entry: TableEntry, args: Slice[], argc: number): boolean => {
    if ((entry.flags & MAY_CHANGE) === 0) return false
    const { positions, flags, count } = table.keysOf(entry, args, argc)
    for (let i = 0; i < count; i++) {
      if ((flags[i] & LEAVES_VALUE) !== 0) continue
      const found = client.db.find(args[positions[i]], LOOKUP_KEY)
      if (found !== 0 && keyspace.snapshot?.isBusyWith(client.db, found)) return true
    }
    return false
  }
  return (client, entry, args, argc) => {
    if (!keyspace.snapshotting) return undefined
    return wouldRun(client, entry, args, argc, changesLarge) ? POSTPONE : undefined
  }
}
