// All directives of Redis 7.2.4 by name, and the types of their fields in a Config.

import { encodingDirectives, memoryDirectives, observationDirectives, securityDirectives } from './directives-data.ts'
import { generalDirectives, logDirectives } from './directives-general.ts'
import { networkDirectives, tlsDirectives } from './directives-network.ts'
import { persistenceDirectives } from './directives-persistence.ts'
import { clusterDirectives, replicationDirectives } from './directives-replication.ts'
import type { AnyDirective, Directive } from './kinds.ts'

const all = {
  ...networkDirectives,
  ...tlsDirectives,
  ...generalDirectives,
  ...logDirectives,
  ...persistenceDirectives,
  ...replicationDirectives,
  ...clusterDirectives,
  ...memoryDirectives,
  ...encodingDirectives,
  ...securityDirectives,
  ...observationDirectives,
}

export type DirectiveName = keyof typeof all

/** maxmemory-policy -> maxmemoryPolicy */
type FieldName<Name extends string> = Name extends `${infer Head}${'-' | '_'}${infer Tail}`
  ? `${Head}${Capitalize<FieldName<Tail>>}`
  : Name

/** config.maxmemoryPolicy: 'noeviction' | ..., config.maxclients: number, ... */
export type ConfigFields = {
  [Name in DirectiveName as FieldName<Name>]: (typeof all)[Name] extends Directive<infer _, infer Field> ? Field : never
}

export type StoredOf<Name extends DirectiveName> =
  (typeof all)[Name] extends Directive<infer Stored, infer _> ? Stored : never

export interface NamedDirective {
  readonly name: string
  readonly field: string
  readonly kind: AnyDirective
}

export const DIRECTIVES: readonly NamedDirective[] = Object.entries(all).map(([name, kind]) => ({
  name,
  field: name.replace(/[-_](.)/g, (_, char: string) => char.toUpperCase()),
  kind,
}))

const BY_NAME: ReadonlyMap<string, NamedDirective> = new Map(
  DIRECTIVES.flatMap(one => [[one.name, one], ...(one.kind.alias ? [[one.kind.alias, one] as const] : [])] as const),
)

const NAME_LENGTH_MAX = Math.max(...[...BY_NAME.keys()].map(name => name.length))

/** The directive of that name or alias, whatever its case. */
export function directiveNamed(name: string): NamedDirective | null {
  return name.length > NAME_LENGTH_MAX ? null : (BY_NAME.get(name.toLowerCase()) ?? null)
}
