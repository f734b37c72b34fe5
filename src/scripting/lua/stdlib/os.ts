// The part of the os library that scripts have: os.clock, from a clock that is handed in.

import type { LuaState } from '../state.ts'
import { LuaTable } from '../table.ts'

/** `seconds` gives the processor time used, or anything that grows like it. */
export function openOs(S: LuaState, seconds: () => number): void {
  const library = new LuaTable(S)
  S.globals.set('os', library)
  library.set(
    'clock',
    S.plain(() => seconds()),
  )
}
