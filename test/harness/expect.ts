// Expectations of replies: plain values are compared for equality; inside them may be a RegExp for a text, or one of
// the matchers below.

import { type PlainValue, RespError } from './resp.ts'

/** A predicate with a description for the failure message. */
export class Matcher {
  readonly words: string
  readonly accepts: (value: PlainValue) => boolean
  constructor(words: string, accepts: (value: PlainValue) => boolean) {
    this.words = words
    this.accepts = accepts
  }
}

export type Expected = PlainValue | RegExp | Matcher | boolean | Expected[]

/** Different expectations in RESP2 and RESP3, where not only the types differ. */
export class ByProtocol {
  readonly resp2: Expected
  readonly resp3: Expected
  constructor(resp2: Expected, resp3: Expected) {
    this.resp2 = resp2
    this.resp3 = resp3
  }
}

export const byProtocol = (resp2: Expected, resp3: Expected) => new ByProtocol(resp2, resp3)

export const anything = new Matcher('anything', () => true)

/** A number, or its text, with low <= n <= high. */
export const between = (low: number, high: number) =>
  new Matcher(`${low}..${high}`, value => value !== null && Number(value) >= low && Number(value) <= high)

/** These elements in any order. */
export const inAnyOrder = (...elements: PlainValue[]) =>
  new Matcher(
    `in any order ${show(elements)}`,
    value => Array.isArray(value) && show(sorted(value)) === show(sorted(elements)),
  )

/** These fields and values, flat, in any order of fields. */
export const pairsInAnyOrder = (...flat: PlainValue[]) =>
  new Matcher(
    `pairs in any order ${show(flat)}`,
    value => Array.isArray(value) && show(sorted(pairs(value))) === show(sorted(pairs(flat))),
  )

/** The HELP of a container: its syntax, then these lines of its subcommands, each with an explanation. */
export const helpOf = (name: string, ...subcommands: string[]) => {
  const wanted = [`${name} <subcommand> [<arg> [value] [opt] ...]. Subcommands are:`, ...subcommands, 'HELP']
  return new Matcher(`the help of ${name}: ${show(subcommands)}`, value => {
    if (!Array.isArray(value)) return false
    const lines = value.map(String)
    const explained = lines.every((line, i) => i === 0 || line.startsWith('    ') || lines[i + 1]?.startsWith('    '))
    return explained && show(lines.filter(line => !line.startsWith('    '))) === show(wanted)
  })
}

/** An error reply inside an array, such as EXEC's. */
export const error = (message: string) => new RespError(message)

function sorted(values: PlainValue[]): PlainValue[] {
  return [...values].sort((a, b) => (show(a) < show(b) ? -1 : 1))
}

function pairs(flat: PlainValue[]): PlainValue[] {
  const result: PlainValue[] = []
  for (let i = 0; i < flat.length; i += 2) result.push([flat[i], flat[i + 1]])
  return result
}

export function matches(value: PlainValue, expected: Expected): boolean {
  if (expected instanceof Matcher) return expected.accepts(value)
  if (expected instanceof RegExp) return typeof value === 'string' && expected.test(value)
  if (expected instanceof RespError) return value instanceof RespError && value.message === expected.message
  if (typeof expected === 'boolean') return value === (expected ? 1 : 0)
  if (!Array.isArray(expected)) return value === expected
  if (!Array.isArray(value) || value.length !== expected.length) return false
  return expected.every((one, i) => matches(value[i], one))
}

/** A value or expectation as a short text. */
export function show(value: Expected): string {
  if (Array.isArray(value)) return `[${value.map(show).join(', ')}]`
  if (value instanceof Matcher) return `<${value.words}>`
  if (value instanceof RespError) return `error(${JSON.stringify(value.message)})`
  if (value instanceof RegExp) return String(value)
  return typeof value === 'bigint' ? `${value}n` : JSON.stringify(value)
}
