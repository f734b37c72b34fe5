import assert from 'node:assert/strict'
import { test } from 'node:test'
import { globMatch } from './glob.ts'
import { Slice } from './slice.ts'

function check(pattern: string, text: string, expected: boolean, nocase = false): void {
  assert.equal(globMatch(Slice.of(pattern), Slice.of(text), nocase), expected, `${pattern} on ${text}`)
}

test('a pattern without specials matches only itself', () => {
  check('hello', 'hello', true)
  check('hello', 'hell', false)
  check('hello', 'helloo', false)
  check('hello', 'HELLO', false)
  check('hello', 'HELLO', true, true)
})

test('stars match any run of bytes, also several of them', () => {
  check('h*o', 'hello', true)
  check('h*o', 'ho', true)
  check('*', 'x', true)
  check('**', 'x', true)
  check('h*l*o', 'hello world o', true)
  check('*ab', 'aab', true)
  check('a*b*c', 'abbbd', false)
  check('abc*', 'abc', true)
  check('abc**', 'abc', true)
})

test('an empty text matches only an empty pattern', () => {
  check('', '', true)
  check('*', '', false)
  check('', 'a', false)
})

test('sets, negated sets and ranges', () => {
  check('h[ae]llo', 'hallo', true)
  check('h[ae]llo', 'hillo', false)
  check('h[^e]llo', 'hallo', true)
  check('h[^e]llo', 'hello', false)
  check('h[a-c]llo', 'hbllo', true)
  check('h[c-a]llo', 'hbllo', true)
  check('h[A-C]llo', 'hbllo', true, true)
  check('[\\]]', ']', true)
  check('[]', ']', false)
  check('[^]', 'x', true)
})

test('an unterminated set ends with the pattern', () => {
  check('[ab', 'a', true)
  check('[ab', 'c', false)
  check('[', 'a', false)
  check('[^', 'a', true)
  check('[a-', '-', true)
})

test('a backslash takes the special meaning away', () => {
  check('h\\*o', 'h*o', true)
  check('h\\*o', 'hello', false)
  check('a\\', 'a\\', true)
  check('\\?', 'x', false)
})

test('bytes above 127 are negative in ranges', () => {
  check('[\xff-a]', '\x01', true)
  check('[a-\x80]', '\x05', true)
  check('[a-\x80]', 'z', false)
})

test('a pattern of many stars costs polynomial time', () => {
  check(`${'a*'.repeat(100)}b`, 'a'.repeat(2000), false)
  check(`${'*?'.repeat(100)}`, 'a'.repeat(2000), true)
})
