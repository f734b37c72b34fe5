// tally-module.ts as a file for `loadmodule`.

import { tallyModule } from './tally-module.ts'

export default tallyModule()
