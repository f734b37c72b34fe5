// ServerExtension: what a server has besides what is built in: types of values, how they are saved, commands on them.

import type { Command } from '../engine/catalog/command.ts'
import type { ValueTypeMaker } from '../keyspace/value-type.ts'
import type { ValueCodec } from '../persistence/values/value-codec.ts'

export interface ServerExtension {
  readonly commands: readonly Command[]
  readonly types: readonly ValueTypeMaker[]
  /** One for each of the types. */
  readonly codecs: readonly ValueCodec[]
}
