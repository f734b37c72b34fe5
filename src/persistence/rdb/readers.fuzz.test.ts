// Readers of packed values, which get bytes of files and of RESTORE: the same bytes alone, between hostile neighbours
// and under a guard must give the same result.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { assertReadsOnlyItsSlice, type Read } from '../../../test/harness/neighbours.ts'
import { randomFrom } from '../../../test/harness/random.ts'
import { Slice } from '../../lib/slice.ts'
import { Arena } from '../../memory/arena.ts'
import { Element } from '../../memory/element.ts'
import { isIntset } from '../../memory/intset.ts'
import { isListpack } from '../../memory/listpack-format.ts'
import { ListpackReader } from '../../memory/listpack-reader.ts'
import { RdbError, RdbInput, RdbString } from './input.ts'
import { ListpackRow, type PackedRow, ZiplistRow, ZipmapRow } from './packed-row.ts'

const element = new Element()
const listpacks = new ListpackReader(new Arena())

function elementsOf(row: PackedRow, s: Slice): string | false {
  if (!row.open(s)) return false
  const texts: string[] = []
  while (row.next(element)) texts.push(JSON.stringify(element.text().latin1()))
  return `${row.count}: ${texts}`
}

const READERS: { readonly [name: string]: Read } = {
  isListpack: s => isListpack(s.u8, s.dv, s.off, s.len),
  isIntset: s => isIntset(s.dv, s.off, s.len),
  ListpackRow: s => elementsOf(new ListpackRow(listpacks, new Slice()), s),
  ZiplistRow: s => elementsOf(new ZiplistRow(new Slice()), s),
  ZipmapRow: s => elementsOf(new ZipmapRow(new Slice()), s),
  RdbInput(s) {
    const input = new RdbInput().open(s.u8, s.dv, s.off, s.off + s.len)
    const string = new RdbString()
    const texts: string[] = []
    try {
      while (input.available > 0) texts.push(input.string(string).latin1())
    } catch (error) {
      if (!(error instanceof RdbError)) throw error
      texts.push(`${error.message} at ${error.offset}`)
    }
    return texts.join()
  },
}

const SAMPLE_KINDS = ['ListpackRow', 'isIntset', 'ZiplistRow', 'ZipmapRow', 'RdbInput']
// Each with integers of several widths and strings of one and of two length bytes.
const SAMPLES = [
  // listpack: 'ab', -1, 1000, 100000, a string of 70
  '\x5f\0\0\0\x05\0\x82ab\x03\xdf\xff\x02\xc3\xe8\x02\xf2\xa0\x86\x01\x04\xe0\x46' + 'x'.repeat(70) + '\x48\xff',
  // intset: -5, 1, 300
  '\x02\0\0\0\x03\0\0\0\xfb\xff\x01\0\x2c\x01',
  // ziplist: 'ab', 3, 1000
  '\x15\0\0\0\x10\0\0\0\x03\0\0\x02ab\x04\xf4\x02\xc0\xe8\x03\xff',
  // zipmap: k 'v', f ''
  '\x02\x01k\x01\0v\x01f\0\0\xff',
  // RDB strings: 'abc', 1, 256, 65536, LZF of 'aaaaaaaa', one of 14 bits
  '\x03abc\xc0\x01\xc1\x00\x01\xc2\x00\x00\x01\x00\xc3\x04\x08\x00a\xa0\x00\x40\x03abc',
]

test('the samples are whole', () => {
  const whole = SAMPLES.map((sample, i) => READERS[SAMPLE_KINDS[i]](Slice.of(sample)))
  assert.deepEqual(whole, [
    `5: "ab","-1","1000","100000","${'x'.repeat(70)}"`,
    true,
    '3: "ab","3","1000"',
    '4: "k","v","f",""',
    'abc,1,256,65536,aaaaaaaa,abc',
  ])
})

test('packed values that are cut off or damaged are read inside their slice only', () => {
  const random = randomFrom(71)
  for (const sample of SAMPLES) {
    assertReadsOnlyItsSlice(READERS, sample)
    for (let length = 0; length < sample.length; length++) assertReadsOnlyItsSlice(READERS, sample.slice(0, length))
    for (let i = 0; i < 400; i++) {
      const at = random(sample.length)
      const byte = String.fromCharCode(
        random(3) === 0 ? random(256) : [0, 1, 0x7f, 0xc0, 0xe0, 0xf0, 0xfe, 0xff][random(8)],
      )
      assertReadsOnlyItsSlice(READERS, sample.slice(0, at) + byte + sample.slice(at + 1))
    }
  }
})
