import { anything, between, conversation } from '../../../test/harness/conversation.ts'

conversation('LATENCY knows no event while it is off', async c => {
  await c.expectAll(
    ['LATENCY RESET', 0],
    ['LATENCY LATEST', []],
    ['LATENCY HISTORY command', []],
    ['LATENCY HISTOGRAM none', []],
    ['LATENCY DOCTOR', anything],
  )
  await c.expectError('LATENCY GRAPH command', "ERR No samples available for event 'command'")
})

conversation('MEMORY tells what a key takes', async c => {
  await c.expectAll(
    ['SET k v', 'OK'],
    ['MEMORY USAGE k', between(16, 200)],
    ['MEMORY USAGE none', null],
    ['MEMORY DOCTOR', anything],
    ['MEMORY MALLOC-STATS', anything],
    ['MEMORY PURGE', 'OK'],
    ['MEMORY STATS', anything],
  )
  await c.expectError('MEMORY USAGE k SAMPLES -1', 'ERR syntax error')
})

conversation('databases are counted, emptied and exchanged', async c => {
  await c.expectAll(
    ['SET a 1', 'OK'],
    ['DBSIZE', 1],
    ['SELECT 1', 'OK'],
    ['DBSIZE', 0],
    ['SWAPDB 0 1', 'OK'],
    ['GET a', '1'],
    ['FLUSHDB ASYNC', 'OK'],
    ['DBSIZE', 0],
    ['LASTSAVE', between(0, 4102444800)],
    ['LOLWUT VERSION 1', anything],
    ['ROLE', anything],
    ['REPLICAOF NO ONE', 'OK'],
    ['SLAVEOF NO ONE', 'OK'],
  )
  await c.expectError('FLUSHALL LATER', 'ERR syntax error')
  await c.expectError('SWAPDB 0 99', 'ERR DB index is out of range')
})
