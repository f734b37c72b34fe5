// Declarations: every export is used by another file, a constant has one home, comments fit on a line, and classes have
// a limited number of fields.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { checkRatchet } from './ratchet.ts'
import { readSources } from './source.ts'

const COMMENT_CHARS_MAX = 120
const CLASS_FIELDS_MAX = 20
/** A constant may not be repeated in more files. */
const HOMES_MAX = 2

/** Constants with the same name and value but different meanings. */
const HAPPEN_TO_BE_EQUAL = new Map([
  ['KEPT_BYTES_MAX', 'buffers of different readers'],
  ['WINDOW_BYTES', 'windows of different readers'],
  ['SLICE_US', 'slices of different kinds of work'],
  ['COUNT_DEFAULT', 'defaults of different commands'],
  ['GAIN_MIN', 'of formats that may change apart'],
  ['START_BYTES', 'buffers of different kinds'],
])

/** Types that the build's declaration files must be able to name (TS4023). */
const NAMED_BY_DECLARATIONS = new Set(['SavePoint', 'ExactLimit'])

const sources = readSources('src')
const production = sources.filter(file => !file.isTest)
const everything = [...sources, ...readSources('test')]

const DECLARED = /^export (?:async )?(?:const|let|function\*?|class|interface|type) (\w+)/gm

/** Entry points of the package. */
const PUBLIC = ['index', 'ioredis', 'ioredis-mock', 'memory-server', 'node-redis', 'upstash'].map(
  name => `src/${name}.ts`,
)

test('what is exported is used by another file', () => {
  const words = everything.map(({ path, text }) => ({ path, words: new Set(text.match(/\w+/g)) }))
  const unused: string[] = []
  for (const { path, text } of production) {
    // Uses through a namespace import are not searched.
    const file = path.split('/').at(-1)!
    if (PUBLIC.includes(path) || everything.some(other => other.text.includes(`* as`) && isWhole(other.text, file)))
      continue
    for (const [, name] of text.matchAll(DECLARED))
      if (!NAMED_BY_DECLARATIONS.has(name) && !words.some(other => other.path !== path && other.words.has(name)))
        unused.push(`${path}: ${name}`)
  }
  assert.equal(unused.join('\n'), '')
})

function isWhole(text: string, file: string): boolean {
  return text.split('\n').some(line => line.startsWith('import * as') && line.endsWith(`/${file}'`))
}

const CONSTANT = /^(?:export )?const ([A-Z][A-Z0-9_]{2,}) = (\S.*[^[({`])$/gm

test('a constant has one home', () => {
  const homes = new Map<string, string[]>()
  for (const { path, text } of production)
    for (const [, name, value] of text.matchAll(CONSTANT)) {
      const key = `${name} = ${value}`
      const known = homes.get(key)
      if (known === undefined) homes.set(key, [path])
      else known.push(path)
    }
  const repeated = [...homes].filter(
    ([key, paths]) => paths.length > HOMES_MAX && !HAPPEN_TO_BE_EQUAL.has(key.split(' ')[0]),
  )
  assert.equal(repeated.map(([key, paths]) => `${key}: ${paths.join(', ')}`).join('\n'), '')
})

test('comments fit on a line', () => {
  const long: string[] = []
  for (const { path, lines } of everything)
    for (const [i, line] of lines.entries())
      if (/^\s*(?:\/\/|\/?\*)/.test(line) && line.length > COMMENT_CHARS_MAX) long.push(`${path}:${i + 1}`)
  assert.equal(long.join('\n'), '')
})

const CLASS = /^(?:export )?(?:abstract )?class (\w+)/
const FIELD =
  /^ {2}(?:(?:private|protected|public|readonly|static|override|declare) )*#?\w+[!?]?(?:: [^()]*)?(?: = .*)?$/

test('classes have few fields', () => {
  const sizes = new Map<string, number>()
  for (const { path, lines } of everything) {
    let name = ''
    for (const line of lines) {
      const begun = CLASS.exec(line)
      if (begun !== null) name = `${path} ${begun[1]}`
      else if (line.startsWith('}')) name = ''
      else if (name !== '' && FIELD.test(line) && !/^ {2}(?:return|constructor)\b/.test(line))
        sizes.set(name, (sizes.get(name) ?? 0) + 1)
    }
  }
  checkRatchet('fields', sizes, CLASS_FIELDS_MAX)
})
