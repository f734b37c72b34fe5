import assert from 'node:assert/strict'
import { conversation } from '../../../test/harness/conversation.ts'
import type { RespError } from '../../../test/harness/resp.ts'

const DIGEST = 'e0e1f9fabfc9d4800c877a703b823ac0578ff8db' // of 'return 1'
const BUSY = 'BUSY Redis is busy running a script. You can only call SCRIPT KILL or SHUTDOWN NOSAVE.'

conversation('SCRIPT LOAD keeps a script, EXISTS tells, FLUSH forgets', async c => {
  await c.expect('SCRIPT FLUSH', 'OK')
  await c.expect(['SCRIPT', 'EXISTS', DIGEST, 'x'], [0, 0])
  await c.expect(['SCRIPT', 'LOAD', 'return 1'], DIGEST)
  await c.expect(['SCRIPT', 'LOAD', 'return 1'], DIGEST)
  await c.expect(['SCRIPT', 'EXISTS', DIGEST, 'x', DIGEST.toUpperCase()], [1, 0, 1])
  await c.expect(`EVALSHA ${DIGEST} 0`, 1)
  await c.expect('SCRIPT FLUSH ASYNC', 'OK')
  await c.expect(['SCRIPT', 'EXISTS', DIGEST], [0])
  await c.expect('SCRIPT FLUSH SYNC', 'OK')
  await c.expectError('SCRIPT FLUSH NOW', 'ERR SCRIPT FLUSH only support SYNC|ASYNC option')
  await c.expectError(['SCRIPT', 'LOAD', 'return ('], /^ERR Error compiling script \(new function\): user_script:1: /)
})

conversation('SCRIPT DEBUG, HELP and what it does not know', async c => {
  await c.expect('SCRIPT DEBUG NO', 'OK')
  await c.expectError('SCRIPT DEBUG MAYBE', 'ERR Use SCRIPT DEBUG YES/SYNC/NO')
  const help = (await c.do('SCRIPT HELP')) as string[]
  assert.equal(help[0], 'SCRIPT <subcommand> [<arg> [value] [opt] ...]. Subcommands are:')
  await c.expectError('SCRIPT NOPE', "ERR unknown subcommand 'NOPE'. Try SCRIPT HELP.")
})

conversation('SCRIPT KILL and FUNCTION KILL need something to kill', async c => {
  await c.expectError('SCRIPT KILL', 'NOTBUSY No scripts in execution right now.')
  await c.expectError('FUNCTION KILL', 'NOTBUSY No scripts in execution right now.')
})

/** Runs a script on another connection until commands are refused with BUSY. */
async function untilBusy(c: Parameters<Parameters<typeof conversation>[1]>[0], script: string) {
  await c.config('busy-reply-threshold', '1')
  const other = await c.another()
  const running = await other.start(['EVAL', script, 1, 'k'])
  for (;;) {
    const reply = await c.do('PING')
    if (reply !== 'PONG') break
  }
  return { other, running }
}

conversation(
  'a script that takes long can be killed, wherever it is',
  async c => {
    for (const script of [
      'while true do end',
      'while true do pcall(function() while true do end end) end',
      'local f = coroutine.wrap(function() while true do end end) f()',
      'local function f() return f() end f()',
      'repeat redis.call("get", KEYS[1]) until false',
    ]) {
      const { other, running } = await untilBusy(c, script)
      await c.expectError('GET k', BUSY)
      await c.expectError('FUNCTION KILL', BUSY)
      await c.expectError('FUNCTION STATS', BUSY)
      await c.expect('MULTI', 'OK')
      await c.expectError('GET k', BUSY)
      await c.expect('DISCARD', 'OK')
      await c.expect('SCRIPT KILL', 'OK')
      const reply = (await running.value()) as RespError
      assert.match(
        reply.message,
        /^ERR Script killed by user with SCRIPT KILL\.\.\. script: [0-9a-f]{40}, on @user_script:1\./,
      )
      await c.expect('PING', 'PONG')
      await other.expect('PING', 'PONG')
    }
  },
  { over: 'TCP', resp: 2 },
)

conversation(
  'a script that has written cannot be killed, and ends',
  async c => {
    const script =
      'redis.call("set", KEYS[1], "v") local t = redis.call("time") for i = 1, 2e8 do end return redis.call("get", KEYS[1])'
    const { other, running } = await untilBusy(c, script)
    await c.expectError('SCRIPT KILL', /^UNKILLABLE Sorry the script already executed write commands/)
    await other.expectReply(running, 'v')
    await c.expect('GET k', 'v')
  },
  { over: 'TCP', resp: 2 },
)

conversation(
  'a transaction goes on behind a script that takes long',
  async c => {
    await c.config('busy-reply-threshold', '1')
    const other = await c.another()
    await other.expect('MULTI', 'OK')
    await other.expect('INCR n', 'QUEUED')
    await other.expect(['EVAL', 'for i = 1, 5e6 do end return redis.call("incr", "n")', 1, 'n'], 'QUEUED')
    await other.expect(['EVAL', 'for i = 1, 5e6 do end return redis.call("incr", "n")', 1, 'n'], 'QUEUED')
    await other.expect('INCR n', 'QUEUED')
    const executed = await other.start('EXEC')
    await other.expectReply(executed, [1, 2, 3, 4])
    await other.expect('GET n', '4')
  },
  { over: 'TCP', resp: 2 },
)

conversation(
  'who waits for a key is not served in the middle of a script',
  async c => {
    const waiting = await c.another()
    const popped = await waiting.start('BLPOP k 0')
    const script = 'redis.call("lpush", KEYS[1], "y") for i = 1, 2e8 do end redis.call("lpush", KEYS[1], "z") return 1'
    const { other, running } = await untilBusy(c, script)
    await c.expect('RESET', 'RESET')
    await other.expectReply(running, 1)
    await waiting.expectReply(popped, ['k', 'z'])
  },
  { over: 'TCP', resp: 2 },
)

conversation(
  'of many different scripts few keep a program, and all of them run',
  async c => {
    const figures = async () => {
      const info = String(await c.do('INFO memory'))
      const field = (name: string) => Number(new RegExp(`^${name}:(\\d+)`, 'm').exec(info)![1])
      return {
        vm: field('used_memory_vm_eval'),
        used: field('used_memory'),
        scripts: field('number_of_cached_scripts'),
      }
    }
    const before = await figures()
    for (let i = 0; i < 3000; i++) assert.equal(await c.do(['EVAL', `return ${i}`, '0']), i)
    const after = await figures()
    assert.equal(after.scripts - before.scripts, 3000)
    assert.ok(after.vm < 40_000_000, `${after.vm} bytes of programs`)
    assert.ok(after.used - before.used >= after.vm - before.vm, 'programs are memory in use')
    // The first ones have to be compiled again.
    for (let i = 0; i < 3000; i += 250) assert.equal(await c.do(['EVAL', `return ${i}`, '0']), i)
    await c.expect('SCRIPT FLUSH', 'OK')
    assert.ok((await figures()).vm < 1_000_000)
  },
  { oursOnly: 'redis-server has no limit, and its programs are small', resp: 2 },
)
