import assert from 'node:assert/strict'
import { test } from 'node:test'
import { randomFrom } from '../../test/harness/random.ts'
import { bytesOf } from '../lib/bytes.ts'
import { COMMAND, Parser } from './parser.ts'

const BULK_MAX = 1024 * 1024

function parse(parser: Parser, u8: Uint8Array) {
  const outcome = parser.parse(u8, new DataView(u8.buffer), 0, u8.length, BULK_MAX, true)
  const words = outcome === COMMAND ? parser.args.slice(0, parser.argc).map(arg => arg.latin1()) : []
  return { outcome, words, pos: parser.pos, error: parser.error }
}

test('parsing leaves the bytes as they are, so that it can be done again', () => {
  const below = randomFrom(1)
  const parser = new Parser()
  const alphabet = ['"', "'", '\\', 'x', '4', '1', 'n', ' ', 'a', '\t']
  for (let round = 0; round < 5000; round++) {
    const line = Array.from({ length: below(24) }, () => alphabet[below(alphabet.length)]).join('')
    const u8 = bytesOf(`${line}\r\n`)
    const before = u8.slice()
    const first = parse(parser, u8)
    assert.deepEqual(u8, before)
    assert.deepEqual(parse(parser, u8), first)
  }
})

test('words of an inline command that needed quotes stand beside those that did not', () => {
  const { words } = parse(new Parser(), bytesOf(`a "b c" d 'e f'"\\x67"\r\n`))
  assert.deepEqual(words, [], 'a quote ends a word')
  assert.deepEqual(parse(new Parser(), bytesOf(`a "b c" d  '' x"e\\tf"\r\n`)).words, ['a', 'b c', 'd', '', 'xe\tf'])
})
