// The os library of scripts: os.clock, with an injected clock.

import type { LuaState } from '../state.ts'
import { LuaTable } from '../table.ts'

/** `seconds`: the processor time, or another increasing time. */
export function openOs(S: LuaState, seconds: () => number): void {
  const library = new LuaTable(S)
  S.globals.set('os', library)
  library.set(
    'clock',
    S.plain(() => seconds()),
  )
}
