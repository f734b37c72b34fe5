import assert from 'node:assert/strict'
import { between, conversation } from '../../../test/harness/conversation.ts'

const EMPTY = `HYLL\x01\0\0\0${'\0'.repeat(7)}\x80\x7f\xff`

conversation('PFADD tells whether the estimate may have changed', async c => {
  await c.expectAll(
    ['PFADD h', 1],
    ['PFADD h', 0],
    ['GET h', EMPTY],
    ['PFADD h a b c d e f g', 1],
    ['PFADD h a', 0],
    ['PFCOUNT h', 7],
    ['PFCOUNT none', 0],
    ['PFADD i f g h', 1],
    ['PFCOUNT h i none', 8],
    ['PFMERGE u h i', 'OK'],
    ['PFCOUNT u', 8],
    ['PFMERGE fresh', 'OK'],
    ['PFCOUNT fresh', 0],
  )
})

conversation('the bytes are those that redis-server keeps', async c => {
  await c.do('PFADD h a b c')
  await c.expect('PFDEBUG ENCODING h', 'sparse')
  await c.expect('PFDEBUG DECODE h', 'Z:8436 v:1,1 Z:4274 v:2,1 Z:3068 v:1,1 Z:603')
  await c.expect('GET h', /^HYLL\x01/)
  await c.expect('PFDEBUG TODENSE h', 1)
  await c.expect('STRLEN h', 12304)
  const registers = (await c.do('PFDEBUG GETREG h')) as number[]
  assert.equal(registers.length, 16384)
  assert.deepEqual([registers[8436], registers[12711]], [1, 2])
})

conversation('many elements make it dense, and the estimate stays near', async c => {
  for (let i = 0; i < 5000; i += 100) {
    await c.do(['PFADD', 'h', ...Array.from({ length: 100 }, (_, k) => `element ${i + k}`)])
  }
  await c.expect('PFDEBUG ENCODING h', 'dense')
  await c.expect('PFCOUNT h', between(4900, 5100))
})

conversation(
  'values behind the last register are an error for one count alone',
  async c => {
    await c.do('PFADD h a b c')
    await c.do(['APPEND', 'h', '\xff'])
    await c.expectError('PFCOUNT h', 'INVALIDOBJ Corrupted HLL object detected')
    await c.expectAll(['PFCOUNT h none', 3], ['PFMERGE u h', 'OK'], ['PFCOUNT u', 3])
    await c.do(['APPEND', 'h', '\x01'])
    await c.expect('PFCOUNT h none', 3)
    await c.do('PFADD zeros a')
    await c.do(['APPEND', 'zeros', '\x01'])
    await c.expectError('PFCOUNT zeros none', 'INVALIDOBJ Corrupted HLL object detected')
  },
  { since: '7.2' },
)

conversation('what is no HyperLogLog is refused', async c => {
  const wrong = 'WRONGTYPE Key is not a valid HyperLogLog string value.'
  await c.do('SET s text')
  await c.do('RPUSH l 1')
  await c.expectError('PFADD s a', wrong)
  await c.expectError('PFCOUNT s', wrong)
  await c.expectError('PFMERGE s none', wrong)
  await c.expectError('PFADD l a', /^WRONGTYPE Operation/)
  await c.do(['SET', 'corrupt', `${EMPTY.slice(0, -2)}\x00`])
  await c.expectError('PFCOUNT corrupt', 'INVALIDOBJ Corrupted HLL object detected')
  await c.expectError('PFDEBUG GETREG none', 'ERR The specified key does not exist')
  await c.do('PFADD h a')
  await c.expectError('PFDEBUG nonsense h', "ERR Unknown PFDEBUG subcommand 'nonsense'")
})

conversation(
  'PFSELFTEST passes',
  async c => {
    await c.expect('PFSELFTEST', 'OK')
  },
  { over: 'in process' },
)
