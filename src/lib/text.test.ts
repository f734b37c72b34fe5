import assert from 'node:assert/strict'
import { test } from 'node:test'
import { cText, oneLine, withoutOuterBreaks } from './text.ts'

test('line breaks are taken from the ends, and turned into spaces between them', () => {
  assert.equal(withoutOuterBreaks('\r\n\na\r\nb\n\r'), 'a\r\nb')
  assert.equal(withoutOuterBreaks('\n\n'), '')
  assert.equal(withoutOuterBreaks(''), '')
  assert.equal(withoutOuterBreaks('a'), 'a')
  assert.equal(oneLine('a\r\nb\nc'), 'a  b c')
})

test('a NUL ends a text of C', () => {
  assert.equal(cText('ab\0cd\0'), 'ab')
  assert.equal(cText('\0'), '')
  assert.equal(cText('ab'), 'ab')
})

test('a million line breaks in the middle take no longer than a million letters', () => {
  const text = `x${'\n'.repeat(1_000_000)}x`
  assert.equal(withoutOuterBreaks(text).length, text.length)
  assert.equal(oneLine(text), `x${' '.repeat(1_000_000)}x`)
})
