// ServerExtension: additions to a server: types of values, their codecs, commands.

import type { Command } from '../engine/catalog/command.ts'
import type { ValueTypeMaker } from '../keyspace/value-type.ts'
import type { ValueCodec } from '../persistence/values/value-codec.ts'
import type { Authenticate } from './logins.ts'

export interface ServerExtension {
  readonly commands: readonly Command[]
  readonly types: readonly ValueTypeMaker[]
  /** One for each type. */
  readonly codecs: readonly ValueCodec[]
  /** ACL categories that it adds; its commands name them in `acl`. */
  readonly aclCategories?: readonly string[]
  /** Decides logins, after the embedding program's own function. */
  readonly authenticate?: Authenticate
}
