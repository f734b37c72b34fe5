// What the parts of a server that are connected here have in common.

import type { Config } from '../../config/config.ts'
import type { Engine } from '../../engine/engine.ts'
import type { ValueCodecs } from '../../persistence/values/value-codecs.ts'
import type { System } from '../../system/system.ts'
import type { Logger } from '../log.ts'
import type { ServerMaintenance } from '../maintenance.ts'

export interface ServerParts {
  engine: Engine
  config: Config
  system: System
  log: Logger
  maintenance: ServerMaintenance
  codecs: ValueCodecs
}
