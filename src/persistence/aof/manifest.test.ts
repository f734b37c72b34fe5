// What redis-server 7.2.4 says of these manifests was asked.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { bytesOf } from '../../lib/bytes.ts'
import { Manifest, ManifestError } from './manifest.ts'

const LINE = 'file a.1.incr.aof seq 1 type i\n'
const TOO_LONG = 'The AOF manifest file contains too long line, line 0'
const INVALID = 'Invalid AOF manifest file format'

/** The manifest as it is written again, or the error. */
function parsed(text: string): string {
  try {
    return Manifest.parse(bytesOf(text)).text()
  } catch (error) {
    if (!(error instanceof ManifestError)) throw error
    return `${error.message}, line ${error.line}`
  }
}

const CASES: readonly [name: string, text: string, expected: string][] = [
  ['a line', LINE, LINE],
  ['a comment, blanks and CRLF', `# a comment\n  file   a.1.incr.aof seq\t1 type i \r\n`, LINE],
  ['another order and upper case', 'SEQ 1 Type i FILE a.1.incr.aof\n', LINE],
  ['a quoted name', 'file "a.1.incr.ao\\x66" seq 1 type i\n', LINE],
  ['nothing', '', 'Found an empty AOF manifest, line 0'],
  ['an empty line', '\n', `${INVALID}, line 1`],
  ['no line feed at the end', LINE.trim(), TOO_LONG],
  ['a NUL in a name', 'file a\0b seq 1 type i\n', TOO_LONG],
  ['zeros at the end', `${LINE}\0\0\0`, TOO_LONG],
  ['a long line', `file ${'a'.repeat(1100)} seq 1 type i\n`, TOO_LONG],
  ['a fault before a line that does not end', 'hello\nworld', `${INVALID}, line 1`],
  [
    'deltas, of our own',
    `file a.2.base.checkpoint seq 2 type b\nfile a.3.delta.checkpoint seq 3 type d\n${LINE}`,
    `file a.2.base.checkpoint seq 2 type b\nfile a.3.delta.checkpoint seq 3 type d\n${LINE}`,
  ],
  ['a path', 'file ../a seq 1 type i\n', "File can't be a path, just a filename, line 1"],
  ['no type', 'file a seq 1\n', `${INVALID}, line 1`],
  ['an unknown type', 'file a seq 1 type z\n', 'Unknown AOF file type, line 1'],
  ['sequence numbers that do not grow', `${LINE}${LINE}`, 'Found a non-monotonic sequence number, line 2'],
]

for (const [name, text, expected] of CASES)
  test(`manifest: ${name}`, () => {
    assert.equal(parsed(text), expected)
  })
