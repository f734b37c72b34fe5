import { conversation } from '../../../../test/harness/conversation.ts'

conversation('SORT orders by number, by text, or not at all', async c => {
  await c.do('RPUSH l 3 1 10 2')
  await c.expectAll(
    ['SORT l', ['1', '2', '3', '10']],
    ['SORT l DESC', ['10', '3', '2', '1']],
    ['SORT l ALPHA', ['1', '10', '2', '3']],
    ['SORT l LIMIT 1 2', ['2', '3']],
    ['SORT l LIMIT 0 -1 DESC', ['10', '3', '2', '1']],
    ['SORT l LIMIT 9 2', []],
    ['SORT l BY nosort', ['3', '1', '10', '2']],
    ['SORT l BY nosort DESC LIMIT 1 2', ['10', '1']],
    ['SORT none', []],
    ['SADD s 3 1 2', 3],
    ['SORT s', ['1', '2', '3']],
    ['ZADD z 1 c 2 a 3 b', 3],
    ['SORT z ALPHA', ['a', 'b', 'c']],
    ['SORT z BY nosort', ['c', 'a', 'b']],
    ['SORT z BY nosort DESC', ['b', 'a', 'c']],
    ['RPUSH f 1.5 -inf 1e2 0x10 ""', 5],
    ['SORT f', ['-inf', '', '1.5', '0x10', '1e2']],
  )
  await c.expectError('SORT z', "ERR One or more scores can't be converted into double")
  await c.expectError('SORT l LIMIT 1', 'ERR syntax error')
  await c.expectError('SORT l nonsense', 'ERR syntax error')
  await c.do('SET text 1')
  await c.expectError('SORT text', /^WRONGTYPE/)
})

conversation('SORT ALPHA compares up to a zero byte, unless it stores', async c => {
  await c.do(['RPUSH', 'l', 'b\0z', 'b', 'c', 'b\0a', 'b\x01', ''])
  await c.expect('SORT l ALPHA', ['', 'b\0z', 'b', 'b\0a', 'b\x01', 'c'])
  await c.expect('SORT l ALPHA STORE d', 6)
  await c.expect('LRANGE d 0 -1', ['', 'b', 'b\0a', 'b\0z', 'b\x01', 'c'])
})

conversation('SORT takes weights and results from other keys', async c => {
  await c.do('RPUSH l 1 2 3')
  await c.do('MSET w1 30 w2 20 w3 10 n1 one n3 three')
  await c.do('HSET h1 weight 2 name uno')
  await c.do('HSET h2 weight 3')
  await c.do('HSET h3 weight 1')
  await c.expectAll(
    ['SORT l BY w*', ['3', '2', '1']],
    ['SORT l BY w* GET # GET n*', ['3', 'three', '2', null, '1', 'one']],
    ['SORT l BY h*->weight', ['3', '1', '2']],
    ['SORT l BY h*->weight GET h*->name', [null, 'uno', null]],
    ['SORT l BY n* ALPHA', ['2', '1', '3']],
    ['SORT l GET constant', [null, null, null]],
    ['SORT l GET h*->', [null, null, null]],
    ['SORT l BY none*', ['1', '2', '3']],
  )
})

conversation('SORT ... STORE keeps the result as a list', async c => {
  await c.do('RPUSH l 3 1 2')
  await c.do('SET n1 one EX 100')
  await c.expectAll(
    ['SORT l STORE d', 3],
    ['LRANGE d 0 -1', ['1', '2', '3']],
    ['SORT l GET n* STORE n1', 3],
    ['LRANGE n1 0 -1', ['one', '', '']],
    ['TTL n1', -1],
    ['SORT none STORE d', 0],
    ['EXISTS d', 0],
    ['SADD s c a b', 3],
    ['SORT s BY nosort STORE d', 3],
    ['LRANGE d 0 -1', ['a', 'b', 'c']],
  )
})

conversation(
  'SORT_RO does all but store',
  async c => {
    await c.do('RPUSH l 3 1 2')
    await c.expect('SORT_RO l DESC LIMIT 0 2', ['3', '2'])
    await c.expectError('SORT_RO l STORE d', 'ERR syntax error')
  },
  { since: '7.0' },
)

conversation('SORT orders whole numbers, fractions and what is equal in value alike', async c => {
  const random = seededRandom(5)
  for (const fraction of ['', '.5']) {
    for (const range of [10, 1e6, 1e15]) {
      const texts = Array.from({ length: 200 }, (_, i) => {
        const number = Math.floor(random() * range)
        return `${i % 2 ? '-' : ''}${'0'.repeat(i % 3)}${number}${i % 5 ? '' : fraction}`
      })
      await c.do('DEL l')
      await c.do(['RPUSH', 'l', ...texts])
      const bytewise = (a: string, b: string) => (a < b ? -1 : a > b ? 1 : 0)
      const sorted = [...texts].sort((a, b) => Number(a) - Number(b) || bytewise(a, b))
      await c.expect('SORT l', sorted)
      await c.expect('SORT l DESC LIMIT 0 50', [...sorted].reverse().slice(0, 50))
    }
  }
})

function seededRandom(seed: number): () => number {
  return () => {
    seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0
    return seed / 2 ** 32
  }
}

conversation('SORT with a LIMIT sorts no more than it must', async c => {
  const numbers = Array.from({ length: 200 }, (_, i) => ((i * 77) % 200) - 100)
  const sorted = numbers.toSorted((a, b) => a - b).map(String)
  await c.do(['RPUSH', 'l', ...numbers.map(String)])
  await c.do(['SADD', 's', ...numbers.map(String)])
  for (const key of ['l', 's']) {
    await c.expect(`SORT ${key} LIMIT 0 10`, sorted.slice(0, 10))
    await c.expect(`SORT ${key} LIMIT 95 10`, sorted.slice(95, 105))
    await c.expect(`SORT ${key} LIMIT 95 10 DESC`, sorted.toReversed().slice(95, 105))
    await c.expect(`SORT ${key} DESC`, sorted.toReversed())
    await c.expect(`SORT ${key} LIMIT 500 10`, [])
    await c.expect(`SORT ${key} LIMIT -5 3`, sorted.slice(0, 3))
  }
  await c.do(['RPUSH', 'l', '0.5', '-0', '99999999999999999999'])
  await c.expect('SORT l LIMIT 99 4', ['-1', '-0', '0', '0.5'])
})
