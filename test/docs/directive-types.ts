// src/embed/directives.ts: the type of createServer's `config`, so that an editor completes and checks directives. Made
// from the directives by `npm run docs`; a test keeps it up to date.

import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { DIRECTIVES, type NamedDirective } from '../../src/config/directives.ts'
import { projectRoot } from '../tidy/source.ts'

/** The formatter wraps longer lines. */
const LINE_MAX = 120

export const TYPES_PATH = join(projectRoot, 'src/embed/directives.ts')

const HEAD = `// The directives as createServer's \`config\` takes them. \`npm run docs\` makes this file from the
// directives themselves.

/** Names as in redis.conf; camelCase is taken as well (RedisConfig). Absent: the default. */
interface Directives {
`

const TAIL = `  /** New names of commands; '' removes one. */
  'rename-command'?: Readonly<Record<string, string>>
  /** ACL users: each a line, or a list of words. */
  user?: readonly (string | readonly string[])[]
}

type CamelCase<Name extends string> = Name extends \`\${infer Head}\${'-' | '_'}\${infer Tail}\`
  ? \`\${Head}\${Capitalize<CamelCase<Tail>>}\`
  : Name

/** Directives and their values: { maxmemory: '100mb', databases: 4, 'maxmemory-policy': 'allkeys-lru' }. */
export type RedisConfig = Directives & { [Name in keyof Directives as CamelCase<Name>]?: Directives[Name] }
`

export function directiveTypes(): string {
  const named = DIRECTIVES.flatMap(one => [one.name, one.kind.alias ?? ''].map(name => [name, one] as const))
  const sorted = named.filter(([name]) => name !== '').sort(([a], [b]) => (a < b ? -1 : 1))
  return HEAD + sorted.map(([name, one]) => line(name, one)).join('') + TAIL
}

function line(name: string, { kind }: NamedDirective): string {
  const shown = /^[a-z]\w*$/.test(name) ? name : `'${name}'`
  const start = kind.print(kind.initial)
  const comment = start === '' ? '' : `  /** Default: ${start.replaceAll('*/', '* /')} */\n`
  const row = `  ${shown}?: ${typeOf(kind)}`
  if (row.length <= LINE_MAX) return `${comment}${row}\n`
  return `${comment}  ${shown}?:\n    | ${typeOf(kind).replaceAll(' | ', '\n    | ')}\n`
}

function typeOf(kind: NamedDirective['kind']): string {
  if (kind.names !== undefined) {
    const names = kind.names.map(name => `'${name}'`).join(' | ')
    return kind.manyWords ? `string | readonly (${names})[]` : names
  }
  if (kind.manyWords) return 'string | readonly (string | number)[]'
  if (typeof kind.initial === 'boolean') return "boolean | 'yes' | 'no'"
  return typeof kind.initial === 'bigint' ? 'number | string' : 'string'
}

if (import.meta.main) writeFileSync(TYPES_PATH, directiveTypes())
