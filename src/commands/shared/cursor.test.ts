import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Context } from '../../engine/context.ts'
import { Slice } from '../../lib/slice.ts'
import { Reply } from '../../protocol/reply.ts'
import { cursorOrReply } from './cursor.ts'

function cursorOf(text: string, bits?: number): number {
  const ctx = { args: [Slice.of(text)], reply: new Reply(64) } as unknown as Context
  return cursorOrReply(ctx, 0, bits)
}

test('a cursor is read modulo a power of two, short or long', () => {
  const texts = ['0', '', '+5', '0007', '4294967295', '4294967296', '999999999999999', '1000000000000000']
  texts.push('18446744073709551615', '0000000000000000000000012', '-1', '-999999999999999', '70368744177664')
  for (const bits of [32, 46])
    for (const text of texts) {
      const expected = text.startsWith('-') ? -BigInt(text.slice(1)) : BigInt(text)
      assert.equal(cursorOf(text, bits), Number(BigInt.asUintN(bits, expected)), text)
    }
})

test('what is no unsigned 64-bit integer is no cursor', () => {
  for (const text of ['x', '1x', '+', '-', '+-1', '18446744073709551616', '1000000000000000x', '1 '])
    assert.ok(Number.isNaN(cursorOf(text)), text)
})
