// tally-module.ts as a file for `loadmodule`.

import type { RedstartModule } from '../../src/module.ts'
import { tallyModule } from './tally-module.ts'

export default tallyModule() satisfies RedstartModule
