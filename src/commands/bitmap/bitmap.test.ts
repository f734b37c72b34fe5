import { conversation } from '../../../test/harness/conversation.ts'
import { randomFrom } from '../../../test/harness/random.ts'

conversation('SETBIT and GETBIT address single bits', async c => {
  await c.expectAll(
    ['SETBIT b 1 1', 0],
    ['SETBIT b 7 1', 0],
    ['GET b', 'A'],
    ['SETBIT b 7 0', 1],
    ['GET b', '@'],
    ['SETBIT b 20 1', 0],
    ['STRLEN b', 3],
    ['GETBIT b 20', 1],
    ['GETBIT b 21', 0],
    ['GETBIT b 4294967295', 0],
    ['GETBIT none 0', 0],
    ['SET n 1', 'OK'],
    ['GETBIT n 2', 1],
    ['SETBIT n 6 1', 0],
    ['GET n', '3'],
  )
  for (const offset of ['-1', '4294967296', 'x']) {
    await c.expectError(`SETBIT b ${offset} 1`, 'ERR bit offset is not an integer or out of range')
  }
  await c.expectError('SETBIT b 0 2', 'ERR bit is not an integer or out of range')
  await c.do('RPUSH l 1')
  await c.expectError('SETBIT l 0 1', /^WRONGTYPE/)
})

conversation('BITCOUNT counts ones in a range of bytes or bits', async c => {
  await c.expectAll(
    ['SET b foobar', 'OK'],
    ['BITCOUNT b', 26],
    ['BITCOUNT b 0 0', 4],
    ['BITCOUNT b 1 1', 6],
    ['BITCOUNT b -2 -1', 7],
    ['BITCOUNT b 5 2', 0],
    ['BITCOUNT none', 0],
    [['SET', 'long', '\xff'.repeat(1001)], 'OK'],
    ['BITCOUNT long', 8008],
  )
  await c.expectError('BITCOUNT b 1', 'ERR syntax error')
})

conversation(
  'ranges may be given in bits',
  async c => {
    await c.expectAll(
      ['SET b foobar', 'OK'],
      ['BITCOUNT b 5 30 BIT', 17],
      ['BITCOUNT b 0 0 BYTE', 4],
      ['BITCOUNT b -3 -1 BIT', 1],
      [['SET', 'p', '\x00\xff\xf0'], 'OK'],
      ['BITPOS p 1 0 7 BIT', -1],
      ['BITPOS p 1 7 15 BIT', 8],
      ['BITPOS p 0 9 -1 BIT', 20],
    )
    await c.expectError('BITCOUNT b 0 1 nonsense', 'ERR syntax error')
  },
  { since: '7.0' },
)

conversation('BITPOS finds the first one or zero', async c => {
  await c.expectAll(
    [['SET', 'p', '\xff\xf0\x00'], 'OK'],
    ['BITPOS p 0', 12],
    ['BITPOS p 1', 0],
    ['BITPOS p 1 2', -1],
    ['BITPOS p 0 0 0', -1],
    [['SET', 'ones', '\xff\xff\xff'], 'OK'],
    ['BITPOS ones 0', 24],
    ['BITPOS ones 0 1', 24],
    ['BITPOS ones 0 0 -1', -1],
    ['BITPOS none 0', 0],
    ['BITPOS none 1', -1],
    [['SET', 'zeros', '\0'.repeat(500)], 'OK'],
    ['BITPOS zeros 1', -1],
    ['SETBIT zeros 3001 1', 0],
    ['BITPOS zeros 1', 3001],
  )
  await c.expectError('BITPOS p 2', 'ERR The bit argument must be 1 or 0.')
})

conversation('BITOP combines whole strings', async c => {
  await c.expectAll(
    [['SET', 'a', '\xff\x0f\xff\xff\xff'], 'OK'],
    [['SET', 'b', '\x0f\xff'], 'OK'],
    ['BITOP AND d a b', 5],
    ['GET d', '\x0f\x0f\0\0\0'],
    ['BITOP OR d a b none', 5],
    ['GET d', '\xff\xff\xff\xff\xff'],
    ['BITOP XOR d a b', 5],
    ['GET d', '\xf0\xf0\xff\xff\xff'],
    ['BITOP NOT d a', 5],
    ['GET d', '\x00\xf0\0\0\0'],
    ['BITOP AND a a a', 5],
    ['BITOP OR d none', 0],
    ['EXISTS d', 0],
    ['MSET i 12 j 34', 'OK'],
    ['BITOP OR d i j', 2],
    ['GET d', '36'],
  )
  await c.expectError('BITOP NOT d a b', 'ERR BITOP NOT must be called with a single source key.')
  await c.expectError('BITOP nonsense d a', 'ERR syntax error')
})

conversation('BITOP combines strings of any lengths', async c => {
  const operations: Record<string, (a: number, b: number) => number> = {
    AND: (a, b) => a & b,
    OR: (a, b) => a | b,
    XOR: (a, b) => a ^ b,
  }
  const below = randomFrom(11)
  // Around what is combined at once, and short ones, which are within their entries.
  const lengths = [1, 2, 3, 7, 40, 60, 64, 200, 1001, 65_535, 65_536, 65_537, 131_075, 200_002]
  for (let round = 0; round < 15; round++) {
    const texts = Array.from({ length: 1 + below(3) }, () => {
      const length = lengths[below(lengths.length)]
      return Array.from({ length }, () => String.fromCharCode(below(256))).join('')
    })
    for (const [i, text] of texts.entries()) await c.expect(['SET', `${'k'.repeat(i + 1)}`, text], 'OK')
    const length = Math.max(...texts.map(text => text.length))
    const byte = (text: string, i: number) => (i < text.length ? text.charCodeAt(i) : 0)
    const names = texts.map((_, i) => 'k'.repeat(i + 1))
    const entries = Object.entries(operations)
    const [name, combine] = entries[below(entries.length)]
    const expected = Array.from({ length }, (_, i) =>
      String.fromCharCode(texts.slice(1).reduce((all, text) => combine(all, byte(text, i)), byte(texts[0], i))),
    ).join('')
    await c.expect(['BITOP', name, 'd', ...names], length)
    await c.expect('GET d', expected)
    await c.expect('BITOP NOT d k', texts[0].length)
    const inverted = Array.from(texts[0], char => String.fromCharCode(255 - char.charCodeAt(0))).join('')
    await c.expect('GET d', inverted)
  }
})

conversation('BITFIELD keeps integers of any width', async c => {
  await c.expectAll(
    ['BITFIELD f SET u8 0 255 GET i8 0 GET u4 #1', [0, -1, 15]],
    ['BITFIELD f INCRBY u8 0 1', [0]],
    ['BITFIELD f OVERFLOW SAT INCRBY i5 100 20 INCRBY i5 100 -40 OVERFLOW FAIL INCRBY i5 100 -1', [15, -16, null]],
    ['BITFIELD f SET i64 7 -9223372036854775808 OVERFLOW SAT', [0]],
    ['BITFIELD f GET u63 7', [4611686018427387904n]],
    ['BITFIELD none GET u8 0', [0]],
    ['EXISTS none', 0],
    ['BITFIELD f', []],
  )
  await c.expectWire('BITFIELD g SET u63 1 9223372036854775807 GET u63 1 GET i64 1', {
    2: '*3\r\n:0\r\n:9223372036854775807\r\n:-2\r\n',
    3: '*3\r\n:0\r\n:9223372036854775807\r\n:-2\r\n',
  })
  await c.expectWire('BITFIELD g INCRBY u63 1 1', '*1\r\n:0\r\n')
  await c.expectError(
    'BITFIELD f GET u64 0',
    'ERR Invalid bitfield type. Use something like i16 u8. Note that u64 is not supported but i64 is.',
  )
  await c.expectError('BITFIELD f GET u8 -1', 'ERR bit offset is not an integer or out of range')
  await c.expectError('BITFIELD f OVERFLOW never', 'ERR Invalid OVERFLOW type specified')
  await c.expectError('BITFIELD f SET u8 0', 'ERR syntax error')
  await c.expect('BITFIELD_RO f GET u8 0', [1])
  await c.expectError('BITFIELD_RO f SET u8 0 1', 'ERR BITFIELD_RO only supports the GET subcommand')
})
