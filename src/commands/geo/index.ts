// The geo commands: sorted sets with geohashes as scores (geo-hash.ts).

import type { Command } from '../../engine/catalog/command.ts'
import { addingCommands } from './add.ts'
import { radiusCommands } from './radius.ts'
import { readingCommands } from './read.ts'
import { searchCommands } from './search.ts'

export const geoCommands: readonly Command[] = [
  ...addingCommands,
  ...readingCommands,
  ...searchCommands,
  ...radiusCommands,
]
