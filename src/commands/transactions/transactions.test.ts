import { conversation, error } from '../../../test/harness/conversation.ts'

conversation('EXEC runs what MULTI queued, DISCARD forgets it', async c => {
  await c.expectAll(
    ['MULTI', 'OK'],
    ['SET a 1', 'QUEUED'],
    ['INCR a', 'QUEUED'],
    ['LPUSH a x', 'QUEUED'],
    ['GET a', 'QUEUED'],
    ['EXEC', ['OK', 2, error('WRONGTYPE Operation against a key holding the wrong kind of value'), '2']],
    ['MULTI', 'OK'],
    ['SET a 5', 'QUEUED'],
    ['DISCARD', 'OK'],
    ['GET a', '2'],
    ['MULTI', 'OK'],
    ['EXEC', []],
  )
  await c.expectError('EXEC', 'ERR EXEC without MULTI')
  await c.expectError('DISCARD', 'ERR DISCARD without MULTI')
})

conversation('a command that cannot be queued breaks the transaction', async c => {
  const aborted = 'EXECABORT Transaction discarded because of previous errors.'
  for (const wrong of ['nonsense', 'SET a', 'OBJECT nonsense a']) {
    await c.do('MULTI')
    await c.do('SET a 1')
    await c.expectError(wrong, /^ERR /)
    await c.expectError('EXEC', aborted)
    await c.expect('EXISTS a', 0)
  }
  await c.do('MULTI')
  await c.expectError(
    'EXEC now',
    "EXECABORT Transaction discarded because of: wrong number of arguments for 'exec' command",
  )
  await c.expectError('EXEC', 'ERR EXEC without MULTI')
})

conversation('MULTI and WATCH inside MULTI are refused without breaking it', async c => {
  await c.do('MULTI')
  await c.expectError('MULTI', 'ERR MULTI calls can not be nested')
  await c.expectError('WATCH a', 'ERR WATCH inside MULTI is not allowed')
  await c.expect('PING', 'QUEUED')
  await c.expect('EXEC', ['PONG'])
})

conversation('EXEC answers nil when a watched key changed', async c => {
  const other = await c.another()
  const outcome = async (change: string) => {
    await c.do('MULTI')
    await c.do('PING')
    await other.do(change)
    const reply = await c.do('EXEC')
    return reply === null ? 'refused' : 'run'
  }
  const expectations: [watch: string, change: string, outcome: string][] = [
    ['a', 'SET a 1', 'refused'],
    ['a', 'SET b 1', 'run'],
    ['a b', 'DEL b', 'refused'],
    ['none', 'DEL none', 'run'],
    ['a', 'EXPIRE a 100', 'refused'],
    ['c', 'RENAME a c', 'refused'],
    ['c', 'SWAPDB 0 5', 'refused'],
    ['fresh', 'RPUSH fresh 1', 'refused'],
    ['fresh', 'FLUSHALL', 'refused'],
    ['none', 'FLUSHALL', 'run'],
  ]
  for (const [watch, change, expected] of expectations) {
    await c.do(`WATCH ${watch}`)
    const got = await outcome(change)
    if (got !== expected) throw new Error(`WATCH ${watch}, ${change}: ${got}`)
  }
  await c.do('WATCH a')
  await other.do('SET a 5')
  await c.expect('UNWATCH', 'OK')
  await c.expectAll(['MULTI', 'OK'], ['GET a', 'QUEUED'], ['EXEC', ['5']])
  await c.do('WATCH a')
  await other.do('SET a 6')
  await c.expectAll(['MULTI', 'OK'], ['DISCARD', 'OK'], ['MULTI', 'OK'], ['EXEC', []])
})

conversation('a watched key that runs out counts as changed', async c => {
  await c.do('SET k v PX 400')
  await c.do('WATCH k')
  await c.pass(450)
  await c.expectAll(['MULTI', 'OK'], ['PING', 'QUEUED'], ['EXEC', null])
  await c.do('WATCH k')
  await c.expectAll(['MULTI', 'OK'], ['PING', 'QUEUED'], ['EXEC', ['PONG']])
})

conversation('a transaction keeps its own database', async c => {
  await c.expectAll(
    ['MULTI', 'OK'],
    ['SELECT 4', 'QUEUED'],
    ['SET k four', 'QUEUED'],
    ['SELECT 0', 'QUEUED'],
    ['GET k', 'QUEUED'],
    ['SELECT 4', 'QUEUED'],
    ['EXEC', ['OK', 'OK', 'OK', null, 'OK']],
    ['GET k', 'four'],
  )
})

conversation('commands that wait do not wait inside EXEC', async c => {
  await c.expectAll(['MULTI', 'OK'], ['BLPOP l 0', 'QUEUED'], ['WAIT 1 0', 'QUEUED'], ['EXEC', [null, 0]])
})

conversation('without memory a transaction takes no command but those that end it', async c => {
  await c.expect('SET k v', 'OK')
  await c.expect('MULTI', 'OK')
  await c.another().then(other => other.expect('CONFIG SET maxmemory 1', 'OK'))
  const error = "OOM command not allowed when used memory > 'maxmemory'."
  for (const command of ['GET k', 'WATCH k', 'MULTI', 'PING']) await c.expectError(command, error)
  await c.expect('DISCARD', 'OK')
  await c.expect('GET k', 'v')
  await c.expect('CONFIG SET maxmemory 0', 'OK')
})
