// The types of replies in src/embed/replies.ts, read back, so that a test can compare them with what a server replies.
//
//   type := element ('|' element)*      element := primary ('[]')*
//   primary := '(' type ')' | '[' (label ':')? type ',' … ']' | Name<…> | 'text' | word
//
// Always: what the file contains and this cannot read throws.

import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { projectRoot } from '../tidy/source.ts'

const PATH = join(projectRoot, 'src/embed/replies.ts')

export type Matcher = (value: unknown) => boolean

/** The type of each command's reply, as text. */
export function declaredReplies(): Map<string, string> {
  const text = readFileSync(PATH, 'utf8')
  const body = text.slice(text.indexOf('interface CommandReplies'))
  return new Map([...body.matchAll(/^ {2}'?([A-Z_ -]+)'?: (.*)$/gm)].map(([, name, type]) => [name, type]))
}

export function matcherOf(type: string): Matcher {
  const words = type.match(/'[^']*'|\w+|[[\](),|<>:]/g) ?? []
  let at = 0
  const eat = (word: string) => words[at] === word && ++at > 0
  const expect = (word: string) => {
    if (!eat(word)) throw new Error(`${type}: ${word} expected at ${words.slice(at).join(' ')}`)
  }
  const union = (): Matcher => {
    const members = [element()]
    while (eat('|')) members.push(element())
    return value => members.some(matches => matches(value))
  }
  const element = (): Matcher => {
    let matches = primary()
    while (words[at] === '[' && words[at + 1] === ']') {
      at += 2
      const item = matches
      matches = value => Array.isArray(value) && value.every(item)
    }
    return matches
  }
  const tuple = (): Matcher => {
    const members: Matcher[] = []
    while (!eat(']')) {
      if (words[at + 1] === ':') at += 2
      members.push(union())
      eat(',')
    }
    return value =>
      Array.isArray(value) && value.length === members.length && members.every((matches, i) => matches(value[i]))
  }
  const primary = (): Matcher => {
    if (eat('[')) return tuple()
    if (eat('(')) {
      const inner = union()
      expect(')')
      return inner
    }
    const word = words[at++]
    if (eat('<')) {
      const args = [union()]
      while (eat(',')) args.push(union())
      expect('>')
      return named(word, args.at(-1)!)
    }
    return plain(word)
  }
  const whole = union()
  if (at !== words.length) throw new Error(`${type}: not read to its end`)
  return whole
}

function named(name: string, last: Matcher): Matcher {
  const isText = plain('Text')
  switch (name) {
    case 'Reply':
      return () => true
    case 'Record':
      return value => typeof value === 'object' && value?.constructor === Object && Object.values(value).every(last)
    case 'StreamEntry':
      return value => Array.isArray(value) && isText(value[0]) && Array.isArray(value[1]) && value[1].every(isText)
    default:
      throw new Error(`unknown type ${name}`)
  }
}

function plain(word: string): Matcher {
  if (word.startsWith("'")) return value => value === word.slice(1, -1)
  switch (word) {
    case 'Text':
      return value => value instanceof Uint8Array
    case 'string':
      return value => typeof value === 'string' || value instanceof Uint8Array
    case 'number':
      return value => typeof value === 'number'
    case 'null':
      return value => value === null
    default:
      throw new Error(`unknown type ${word}`)
  }
}
