import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Slice } from '../lib/slice.ts'
import { RecentTexts } from './recent-texts.ts'

test('a text is found by its bytes, wherever they are', () => {
  const recent = new RecentTexts<number>()
  const padded = Slice.of('xxreturn 1yy')
  recent.set(Slice.of('return 1'), 7)
  assert.equal(recent.find(new Slice(padded.u8, 2, 8)), 7)
  assert.equal(recent.find(Slice.of('return 2')), undefined)
  assert.equal(recent.find(Slice.of('return 1 ')), undefined)
})

test('texts that differ in one byte are told apart, at every length', () => {
  for (let length = 1; length <= 40; length++) {
    const text = 'a'.repeat(length)
    const recent = new RecentTexts<string>()
    recent.set(Slice.of(text), text)
    for (let at = 0; at < length; at++) {
      const other = `${text.slice(0, at)}b${text.slice(at + 1)}`
      assert.equal(recent.find(Slice.of(other)), undefined, other)
    }
    assert.equal(recent.find(Slice.of(text)), text)
  }
})

test('the bytes given may change afterwards; nothing is found after clear(); long texts are not kept', () => {
  const recent = new RecentTexts<number>()
  const text = Slice.of('return 1')
  recent.set(text, 1)
  text.u8[7] = 0x32
  assert.equal(recent.find(Slice.of('return 1')), 1)
  recent.clear()
  assert.equal(recent.find(Slice.of('return 1')), undefined)
  const long = Slice.of('x'.repeat(8193))
  recent.set(long, 1)
  assert.equal(recent.find(long), undefined)
})
