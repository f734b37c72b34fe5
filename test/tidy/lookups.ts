// Tables by name must be Maps: a plain object has inherited names (constructor, __proto__), which a word of a client,
// file or peer could find. Listed are the objects keyed by strings nevertheless, and why no word from outside is a key.

import type { SourceFile } from './source.ts'
import { bareCode } from './source.ts'

const ONE_CHARACTER = 'keys are single characters, and no property of Object.prototype has a name that short'
const WALKED = 'our own literals, walked with Object.keys and never looked up in'
const OUR_FIELDS = 'keys are the field names that our own directives declare'

export const ALLOWED: { readonly [path: string]: string } = {
  'src/client/remote.ts': 'has no prototype',
  'src/config/config.ts': OUR_FIELDS,
  'src/engine/catalog/facts.ts': 'keys are flags, categories and groups of our own command literals',
  'src/engine/monitoring/info.ts': WALKED,
  'src/modules/definition.ts': 'parts of a module, walked with Object.entries',
  'src/modules/shape.ts': 'fields of a module, looked up by names of ours and walked with Object.entries',
  'src/server/info-fields.ts': WALKED,
  'src/server/metrics/': WALKED,
  'src/embed/': 'options of the owner, walked with Object.entries',
  'src/config/values.ts': 'options of the owner, walked with Object.entries',
  'src/lib/words.ts': ONE_CHARACTER,
  'src/scripting/lua/compile-expression.ts': 'keys are operators that the parser has recognized',
  'src/scripting/lua/expression-parser.ts': 'has no prototype',
  'src/scripting/lua/lexer.ts': ONE_CHARACTER,
  'src/scripting/lua/stdlib/': WALKED,
  'src/scripting/redis-libs/bit.ts': WALKED,
  'src/scripting/redis-libs/cjson-config.ts': WALKED,
  'src/scripting/redis-libs/cjson-decode.ts': ONE_CHARACTER,
  'src/scripting/redis-libs/cjson-encode.ts': ONE_CHARACTER,
  'src/scripting/redis-libs/struct-format.ts': ONE_CHARACTER,
  'src/system/server-time.ts': 'timers of fake timers, walked with Object.values',
  'src/system/virtual-process.ts': 'an environment that tests fill',
  'src/system/virtual.ts': 'an environment that tests fill',
}

/** An object type keyed by any string; a lookup by a word from outside, or by one cast to a known key. */
const KEYED = /\bRecord<\s*string\b|\{\s*(?:readonly )?\[\w+: string\]|\w\[[^\][]*\bas (?:keyof )?[A-Z]\w*\]/
const FROM_OUTSIDE = /\w\[[^\][]*\.(?:latin1|toLowerCase|toUpperCase)\(\)\]/

/** Lines that may look up a name from outside in a plain object. */
export function looseLookups(files: readonly SourceFile[]): string[] {
  const found: string[] = []
  for (const file of files) {
    if (Object.keys(ALLOWED).some(path => file.path === path || (path.endsWith('/') && file.path.startsWith(path))))
      continue
    for (const [i, line] of bareCode(file.text).split('\n').entries())
      if (KEYED.test(line) || FROM_OUTSIDE.test(line)) found.push(`${file.path}:${i + 1}: ${line.trim()}`)
  }
  return found
}

/** Exceptions that no file needs any more. */
export function unneededExceptions(files: readonly SourceFile[]): string[] {
  return Object.keys(ALLOWED).filter(path => {
    const meant = files.filter(file => file.path === path || (path.endsWith('/') && file.path.startsWith(path)))
    return !meant.some(file => KEYED.test(bareCode(file.text)) || FROM_OUTSIDE.test(bareCode(file.text)))
  })
}
