// Ids of stream entries, asked about the same bytes alone, between hostile neighbours and under guard.

import { test } from 'node:test'
import { assertReadsOnlyItsSlice, type Read, textFrom, textsOver } from '../../../../test/harness/neighbours.ts'
import { randomFrom } from '../../../../test/harness/random.ts'
import { StreamId } from './stream-id.ts'

const id = new StreamId()

const IDS: { readonly [name: string]: Read } = {
  parse: s => id.parse(s) && id.toString(),
  'parse, last sequence': s => id.parse(s, true) && id.toString(),
  parseMs: s => id.parseMs(s),
}

test('ids of stream entries are read inside their slice only', () => {
  for (const text of textsOver('-+01 *\t9', 4)) assertReadsOnlyItsSlice(IDS, text)
  const random = randomFrom(61)
  for (let i = 0; i < 2000; i++) assertReadsOnlyItsSlice(IDS, textFrom(random, '0123456789-', 44))
})
