// What redis-server 7.2.4 takes and refuses was asked with files of these bytes.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { bytesOf } from '../../lib/bytes.ts'
import { ANNOTATION, COMMAND, CommandReader, INCOMPLETE, MALFORMED } from './command-reader.ts'

const OUTCOMES = new Map([
  [INCOMPLETE, 'incomplete'],
  [ANNOTATION, 'annotation'],
  [MALFORMED, 'malformed'],
])

/** The arguments of the first command, or what else there is, and how many bytes it has. */
function read(text: string, isLast = true): string {
  const reader = new CommandReader()
  const u8 = bytesOf(text)
  const outcome = reader.read(u8, new DataView(u8.buffer), 0, u8.length, isLast)
  if (outcome === COMMAND)
    return `${reader.args
      .slice(0, reader.argc)
      .map(arg => arg.latin1())
      .join(' ')}: ${reader.pos}`
  return OUTCOMES.get(outcome)!
}

const SET = '$3\r\nSET\r\n$1\r\nk\r\n$2\r\nvv\r\n'

const CASES: readonly [name: string, text: string, expected: string][] = [
  ['a command', `*3\r\n${SET}*1`, 'SET k vv: 28'],
  ['lines that end in LF alone', '*2\n$3\nDEL\r\n$1\nk\r\n', 'DEL k: 17'],
  ['numbers as atoi reads them', '* +03 x\r\n$ 3y\r\nSET\r\n$+1\r\nk\r\n$02\r\nvv\r\n', 'SET k vv: 37'],
  ['any two bytes behind an argument', '*2\r\n$3\r\nDELxx$1\r\nk\0\0', 'DEL k: 20'],
  ['a line break within an argument', '*1\r\n$4\r\na\r\nb\r\n', 'a\r\nb: 14'],
  ['an LF that is damaged', '*2\r\n$3\r2DEL\r\n$1\r\nk\r\n', 'malformed'],
  ['an argument that is longer than it says', '*2\r\n$2\r\nDEL\r\n$1\r\nk\r\n', 'malformed'],
  ['no arguments', '*0\r\n', 'malformed'],
  ['a negative length', '*1\r\n$-1\r\n', 'malformed'],
  ['an inline command', 'SET k v\r\n', 'malformed'],
  ['a zero', '\0', 'malformed'],
  ['an annotation', '#TS:1700000000\r\n*1', 'annotation'],
  ['an annotation that is torn', '#TS:17000', 'incomplete'],
  ['a mark alone', '*', 'incomplete'],
  ['no number before the end', '*x', 'malformed'],
  ['what cannot begin an argument', '*3\r\n$3\r\nSET\r\n#', 'malformed'],
  ['a value of which the end is missing', '*1\r\n$4\r\nQUIT\r', 'incomplete'],
  ['a line longer than any', `*3${' '.repeat(2000)}\r\n${SET}`, 'malformed'],
]

for (const [name, text, expected] of CASES)
  test(`append-only file: ${name}`, () => {
    assert.equal(read(text), expected)
  })

test('a command that ends anywhere is incomplete, and asks for no more bytes than it has', () => {
  const whole = `*3\r\n${SET}`
  for (let length = 1; length < whole.length; length++)
    for (const isLast of [false, true]) {
      const u8 = bytesOf(whole.slice(0, length))
      const reader = new CommandReader()
      assert.equal(reader.read(u8, new DataView(u8.buffer), 0, length, isLast), INCOMPLETE, `${length} bytes`)
      assert.ok(reader.bytesNeeded <= whole.length)
      assert.equal(reader.pos, 0)
    }
})
