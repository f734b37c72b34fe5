import assert from 'node:assert/strict'
import { test } from 'node:test'
import { quoted, quotedIfNeeded, splitWords } from './words.ts'

test('words are split at blanks, quotes keep them together', () => {
  assert.deepEqual(splitWords('  save 900\t1 '), ['save', '900', '1'])
  assert.deepEqual(splitWords(`a "b c" 'd e' ""`), ['a', 'b c', 'd e', ''])
  assert.deepEqual(splitWords('foo"bar baz"'), ['foobar baz'])
  assert.deepEqual(splitWords(''), [])
  assert.deepEqual(splitWords('a\vb \v c'), ['a\vb', 'c'])
})

test('escapes: hex and letters in double quotes, only the quote in single ones', () => {
  assert.deepEqual(splitWords('"\\x41\\n\\q\\xzz"'), ['A\nqxzz'])
  assert.deepEqual(splitWords("'\\n\\'x'"), ["\\n'x"])
  assert.deepEqual(splitWords('x="a\\x41\\n\\"" \'it\\\'s\''), ['x=aA\n"', "it's"])
})

test('unbalanced quotes, and text after a closing one, are refused', () => {
  for (const line of ['"abc', "'abc", '"abc"def', "'a'b", '"a\\', '"a\0"']) assert.equal(splitWords(line), undefined)
})

test('a line ends at a NUL', () => {
  assert.deepEqual(splitWords('a b\0c "'), ['a', 'b'])
})

test('what is quoted reads back the same', () => {
  let every = ''
  for (let i = 0; i < 256; i++) every += String.fromCharCode(i)
  assert.deepEqual(splitWords(quoted(every)), [every])
  assert.equal(quoted('a"\\\n\x07\x00\xff'), '"a\\"\\\\\\n\\a\\x00\\xff"')
  for (const [word, expected] of [
    ['appendonly.aof.1', 'appendonly.aof.1'],
    ['', '""'],
    ['a b', '"a b"'],
    ['a"', '"a\\""'],
    ['\xe9', '"\\xe9"'],
  ])
    assert.equal(quotedIfNeeded(word), expected)
})
