// Compares the datasets of two servers: every key's type, value, encoding and time to live.

import { inspect } from 'node:util'
import { encodeCommand } from '../harness/resp.ts'
import { type Asked, sameReplies } from './compare.ts'
import type { FuzzConnection } from './connection.ts'
import type { Comparison } from './grammar/grammar.ts'

export interface StateOptions {
  databaseCount: number
  /** The other server is older: see Asked.lax. */
  lax: boolean
  /** Also compare DEBUG DIGEST at the end. */
  digest: boolean
}

const ask = (comparison: Comparison): Asked => ({ comparison })

const VALUE_OF: { readonly [type: string]: (key: string) => [string[], Asked][] } = {
  string: key => [[['GET', key], ask('exact')]],
  list: key => [[['LRANGE', key, '0', '-1'], ask('exact')]],
  hash: key => [[['HGETALL', key], ask('pairs')]],
  set: key => [[['SMEMBERS', key], ask('unordered')]],
  zset: key => [[['ZRANGE', key, '0', '-1', 'WITHSCORES'], ask('exact')]],
  stream: key => [[['XRANGE', key, '-', '+'], ask('exact')]],
}

export interface StateDifference {
  /** What differs: 'state of KEYS', 'state of LRANGE'. */
  kind: string
  message: string
}

/** undefined when both are equal, else the difference. */
export async function stateDifference(
  ours: FuzzConnection,
  theirs: FuzzConnection,
  options: StateOptions,
): Promise<StateDifference | undefined> {
  for (let db = 0; db < options.databaseCount; db++) {
    await Promise.all([ours, theirs].map(connection => connection.call('SELECT', String(db))))
    const [a, b] = await Promise.all([ours, theirs].map(async connection => keysOf(await connection.call('KEYS', '*'))))
    if (a.join('\n') !== b.join('\n'))
      return { kind: 'state of KEYS', message: `db ${db} keys: ours ${inspect(a)}, theirs ${inspect(b)}` }
    for (const key of a) {
      const difference = await keyDifference(ours, theirs, key, options.lax)
      if (difference) return difference
    }
  }
  if (!options.digest) return undefined
  const [digest, other] = await Promise.all([ours, theirs].map(connection => connection.call('DEBUG', 'DIGEST')))
  if (digest === other) return undefined
  return { kind: 'state of DIGEST', message: `DEBUG DIGEST: ours ${inspect(digest)}, theirs ${inspect(other)}` }
}

function keysOf(reply: unknown): string[] {
  return Array.isArray(reply) ? reply.map(String).sort() : [String(reply)]
}

async function keyDifference(
  ours: FuzzConnection,
  theirs: FuzzConnection,
  key: string,
  lax: boolean,
): Promise<StateDifference | undefined> {
  const type = await ours.call('TYPE', key)
  const questions: [string[], Asked][] = [
    [['TYPE', key], ask('exact')],
    [['PEXPIRETIME', key], ask('near')],
    ...(VALUE_OF[String(type)]?.(key) ?? []),
  ]
  if (!lax) questions.push([['OBJECT', 'ENCODING', key], ask('exact')])
  if (!lax && type === 'stream') questions.push([['XINFO', 'GROUPS', key], ask('exact')])
  const bytes = Buffer.concat(questions.map(([words]) => encodeCommand(words)))
  const [a, b] = await Promise.all([ours, theirs].map(connection => connection.exchange(bytes, questions.length)))
  for (let i = 0; i < questions.length; i++) {
    const [words, asked] = questions[i]
    if (sameReplies(a[i], b[i], { ...asked, lax })) continue
    const message = `${JSON.stringify(words.join(' '))}\n  ours:   ${text(a[i])}\n  theirs: ${text(b[i])}`
    return { kind: `state of ${words[0]}`, message }
  }
  return undefined
}

/** A reply as text for a message; the middle of long ones is omitted. */
export function text(wire: Uint8Array): string {
  const whole = JSON.stringify(Buffer.from(wire).toString('latin1'))
  return whole.length <= 800 ? whole : `${whole.slice(0, 500)} ... ${whole.slice(-200)} (${wire.length} bytes)`
}
