// Context: what a handler gets to see of the server.

import type { Slice } from '../lib/slice.ts'

export interface Context {
  args: Slice[]
  argc: number
}
