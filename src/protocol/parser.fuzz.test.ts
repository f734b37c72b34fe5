// The parser, asked about the same bytes alone and between hostile neighbours.

import { test } from 'node:test'
import { type Answer, assertReadsOnlyItsSlice, textFrom, textsOver } from '../../test/harness/neighbours.ts'
import { randomFrom } from '../../test/harness/random.ts'
import type { Slice } from '../lib/slice.ts'
import { COMMAND, INCOMPLETE, Parser } from './parser.ts'

function parsed(s: Slice): Answer {
  const parser = new Parser()
  const told: string[] = []
  const end = s.off + s.len
  let pos = s.off
  for (;;) {
    const outcome = parser.parse(s.u8, s.dv, pos, end, 1 << 20, true)
    told.push(`${outcome} ${parser.error} ${parser.bytesNeeded} ${parser.pos - s.off}`)
    if (outcome === COMMAND) told.push(wordsOf(parser))
    if (outcome === INCOMPLETE || parser.error !== '' || parser.pos === end) break
    pos = parser.pos
  }
  return told.join('|')
}

function wordsOf(parser: Parser): string {
  return JSON.stringify(parser.args.slice(0, parser.argc).map(arg => arg.latin1()))
}

test('inline words, quotes and escapes are read inside their line only', () => {
  for (const text of textsOver('"\'\\xn4f \0-', 4)) assertReadsOnlyItsSlice({ parsed }, `${text}\n`)
  const random = randomFrom(51)
  for (let i = 0; i < 1000; i++)
    assertReadsOnlyItsSlice({ parsed }, `${textFrom(random, '"\'\\xn4f -+0ab', 14)}\r\n${textFrom(random, '"\\x4', 3)}`)
})

test('requests that are cut off anywhere are read no further than they came', () => {
  const requests = [
    '*2\r\n$3\r\nGET\r\n$1\r\n-\r\n',
    '*3\r\n$4\r\nHSET\r\n$0\r\n\r\n$12\r\n-0123456789+\r\n*1\r\n$4\r\nPING\r\n',
    '*-1\r\n*0\r\nPING "\\x41\\x4"\r\n',
    '*1\r\n$-1\r\n',
    '*1\r\n$00\r\n',
    '*\r\n',
    '*-\r\n',
    '*+1\r\n$4\r\nPING\r\n',
    '*1\r\n$99999999999999999999\r\n',
  ]
  for (const request of requests)
    for (let length = 0; length <= request.length; length++)
      assertReadsOnlyItsSlice({ parsed }, request.slice(0, length))
})

test('malformed requests are read no further than they came', () => {
  const random = randomFrom(52)
  for (const text of textsOver('*$1-\r\n', 4)) assertReadsOnlyItsSlice({ parsed }, text)
  for (let i = 0; i < 3000; i++) assertReadsOnlyItsSlice({ parsed }, `*${textFrom(random, '12-0\r\n\r\n\r\n$$', 24)}`)
})
