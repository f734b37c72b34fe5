import assert from 'node:assert/strict'
import { type Conversation, conversation } from '../../../test/harness/conversation.ts'
import type { RespError } from '../../../test/harness/resp.ts'

const OPTIONS = { resp: 2, since: '7.2' } as const

const SCRIPT = `local x = 10
local list = {1, 'two', {a=1}}
local function double(n)
  local y = n * 2
  redis.call('set', KEYS[1], y)
  return y
end
for i = 1, 2 do
  x = x + double(i)
end
redis.debug('at', x, list, nil)
redis.breakpoint()
local z = redis.call('lrange', 'none', 0, -1)
return {x, redis.call('get', KEYS[1])}`

/** A connection whose EVAL of `script` has stopped at its first line. */
async function debugging(c: Conversation, script: string, first = 1): Promise<Conversation> {
  const client = await c.another()
  await client.expect('SCRIPT DEBUG SYNC', 'OK')
  const lines = script.split('\n')
  await client.expect(
    ['EVAL', script, '1', 'k', 'arg'],
    [`* Stopped at ${first}, stop reason = step over`, `-> ${String(first).padEnd(3)} ${lines[first - 1]}`],
  )
  return client
}

/** Ends the script by a command, so that the next conversation finds no running one. */
async function end(client: Conversation, command = 'a'): Promise<void> {
  await client.expect(command, ['<endsession>'])
  await client.expectClosed()
}

/** Says it; the reply is these lines. */
async function told(client: Conversation, command: string, ...lines: string[]): Promise<void> {
  await client.expect(command.split(' '), lines)
}

conversation(
  'a script stops before each line, and shows what it calls',
  async c => {
    const client = await debugging(c, SCRIPT)
    await told(client, 's', '* Stopped at 2, stop reason = step over', "-> 2   local list = {1, 'two', {a=1}}")
    await told(client, 'next', '* Stopped at 7, stop reason = step over', '-> 7   end')
    await told(client, 'n', '* Stopped at 8, stop reason = step over', '-> 8   for i = 1, 2 do')
    await told(client, 'print x', '<value> 10')
    await told(client, 'p list', '<value> {1; "two"; {["a"]=1}}')
    await told(client, 'p nosuch', 'No such variable.')
    await told(client, 'p KEYS', '<value> {"k"}')
    await told(client, 'step', '* Stopped at 9, stop reason = step over', '-> 9     x = x + double(i)')
    await told(client, 'step', '* Stopped at 4, stop reason = step over', '-> 4     local y = n * 2')
    await told(
      client,
      'trace',
      'In double:',
      '-> 4     local y = n * 2',
      'From top level:',
      '   9     x = x + double(i)',
    )
    await told(client, 'p x', '<value> 10')
    await told(client, 's', '* Stopped at 5, stop reason = step over', "-> 5     redis.call('set', KEYS[1], y)")
    await told(client, 'p', '<value> n = 1', '<value> y = 2')
    await told(
      client,
      's',
      '<redis> set k 2',
      '<reply> "+OK"',
      '* Stopped at 6, stop reason = step over',
      '-> 6     return y',
    )
    await told(
      client,
      'c',
      '<debug> line 11: "at", 16, {1; "two"; {["a"]=1}}, nil',
      '* Stopped at 13, stop reason = redis.breakpoint() called',
      "-> 13  local z = redis.call('lrange', 'none', 0, -1)",
    )
    await end(client, 'c')
    await c.expect('GET k', '4')
  },
  OPTIONS,
)

conversation(
  'breakpoints are set, listed and removed',
  async c => {
    const client = await debugging(c, SCRIPT)
    await told(client, 'b', "No breakpoints set. Use 'b <line>' to add one.")
    await told(client, 'break 9', '   8   for i = 1, 2 do', '  #9     x = x + double(i)', '   10  end')
    await told(client, 'b 9 99 x', 'Wrong line number.', 'Wrong line number.', "Invalid argument:'x'")
    await told(client, 'b', '1 breakpoints set:', '  #9     x = x + double(i)')
    await told(client, 'continue', '* Stopped at 9, stop reason = break point', '->#9     x = x + double(i)')
    await told(client, 'list', ...[4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14].map(n => shown(n, n === 9 ? '->#' : '   ')))
    await told(client, 'l 2 1', shown(1), shown(2), shown(3))
    await told(client, 'b -9 -9', 'Breakpoint removed.', 'No breakpoint in the specified line.')
    await told(client, 'b 0', 'All breakpoints removed.')
    await end(client)
  },
  OPTIONS,
)

function shown(line: number, sign = '   '): string {
  return `${sign}${String(line).padEnd(3)} ${SCRIPT.split('\n')[line - 1]}`
}

conversation(
  'commands and Lua can be run while the script has stopped',
  async c => {
    const client = await debugging(c, SCRIPT)
    await told(client, 'r set k 5', '<redis> set k 5', '<reply> "+OK"')
    await told(client, 'redis nosuch', '<redis> nosuch', '<error> Unknown Redis command called from script')
    await told(client, 'r lrange k 0 -1', '<redis> lrange k 0 -1', `<error> ${WRONG}`, `<reply> "${WRONG}"`)
    await told(client, 'e 1 + 1', '<retval> 2')
    await told(client, 'e 123456.5', '<retval> 123456')
    await told(client, "e redis.call('get', 'k')", '<retval> "5"')
    await told(client, "eval error('boo')", '<error> ldb_eval:1: boo')
    await told(client, 'm 10', '<value> replies are truncated at 60 bytes.')
    await told(client, "e string.rep('x',100)", `<retval> "${'x'.repeat(50)} ...`)
    await told(client, 'maxlen 0', '<value> replies are unlimited.')
    await told(client, 'what', UNKNOWN)
    await told(client, 'hel\0lo', UNKNOWN)
    await end(client)
  },
  OPTIONS,
)

const WRONG = '-WRONGTYPE Operation against a key holding the wrong kind of value'
const UNKNOWN = '<error> Unknown Redis Lua debugger command or wrong number of arguments.'

conversation(
  'abort ends the script with an error, and what it wrote stays',
  async c => {
    const client = await debugging(c, "redis.call('set', 'k', '1')\nreturn 1")
    await client.do('s')
    await client.expect('abort', ['<endsession>'])
    const { message } = (await client.client.message()) as RespError
    assert.match(message, /^ERR script aborted for user request script: [0-9a-f]{40}, on @user_script:2\.$/)
    await client.expectClosed()
    await c.expect('GET k', '1')
    const other = await c.another()
    await other.expect('SCRIPT DEBUG SYNC', 'OK')
    await other.expect(['EVAL', 'x y', '0'], ['<endsession>'])
    await other.expectClosed()
  },
  OPTIONS,
)

conversation(
  'SCRIPT DEBUG is for EVAL only, and can be switched off',
  async c => {
    await c.expectError('SCRIPT DEBUG maybe', 'ERR Use SCRIPT DEBUG YES/SYNC/NO')
    await c.expect('SCRIPT DEBUG SYNC', 'OK')
    const digest = 'e0e1f9fabfc9d4800c877a703b823ac0578ff8db'
    await c.expectError(`EVALSHA ${digest} 0`, 'ERR Please use EVAL instead of EVALSHA for debugging')
    await c.expect('SCRIPT DEBUG NO', 'OK')
    await c.expect(['EVAL', 'redis.debug(1) return redis.breakpoint() and 1 or 2', '0'], 2)
  },
  OPTIONS,
)

conversation(
  'a number of keys that cannot be ends the session',
  async c => {
    for (const mode of ['SYNC', 'YES'])
      for (const count of ['abc', '-1', '5']) {
        const client = await c.another()
        await client.expect(`SCRIPT DEBUG ${mode}`, 'OK')
        await client.expect(['EVAL', 'return 1', count], ['<endsession>'])
        const { message } = (await client.client.message()) as RespError
        assert.match(message, /^ERR (value is not an integer|Number of keys can't be)/)
        await client.expectClosed()
      }
  },
  OPTIONS,
)

conversation(
  'other clients are told that a script is running, and may kill it',
  async c => {
    const client = await debugging(c, 'local x = 1\nreturn x')
    await c.expectError('GET k', /^BUSY Redis is busy running a script/)
    await c.expect('SCRIPT KILL', 'OK')
    await client.expectClosed()
    await c.expect('GET k', null)
  },
  { ...OPTIONS, oursOnly: 'redis-server serves nobody else meanwhile' },
)

conversation(
  'without its client a script runs to its end',
  async c => {
    const client = await debugging(c, "local x = 1\nredis.call('set', 'k', 'left')")
    client.close()
    await c.settle()
    for (let turn = 0; turn < 50 && (await c.do('GET k')) !== 'left'; turn++) await c.pass(1)
    await c.expect('GET k', 'left')
  },
  { ...OPTIONS, oursOnly: 'redis-server serves nobody else meanwhile' },
)

conversation(
  'in a transaction a script cannot be debugged',
  async c => {
    await c.expectAll(['SCRIPT DEBUG SYNC', 'OK'], ['MULTI', 'OK'], [['EVAL', 'return 1', '0'], 'QUEUED'])
    const [reply] = (await c.do('EXEC')) as unknown as { message: string }[]
    assert.equal(reply.message, 'ERR a script in a transaction cannot be debugged')
  },
  { ...OPTIONS, oursOnly: 'redis-server blocks in the middle of EXEC' },
)

conversation(
  'with YES a script runs on a copy of the dataset, and its changes go with it',
  async c => {
    await c.expectAll(['SET k 1', 'OK'], ['HSET h f v', 1], ['SELECT 3', 'OK'], ['SET three 3', 'OK'])
    const client = await c.another()
    await client.expectAll(['SELECT 3', 'OK'], ['SCRIPT DEBUG YES', 'OK'])
    const script = "redis.call('set', 'three', 'changed')\nredis.call('select', 0)\nreturn redis.call('get', 'k')"
    const first = "-> 1   redis.call('set', 'three', 'changed')"
    await client.expect(['EVAL', script, '0'], ['* Stopped at 1, stop reason = step over', first])
    await c.expectAll(['GET three', '3'], ['SET three 4', 'OK'])
    await told(client, "e redis.call('get', 'three')", '<retval> "3"')
    await client.do('s')
    await told(client, "e redis.call('get', 'three')", '<retval> "changed"')
    await end(client, 'c')
    await c.expect('GET three', '4')
  },
  OPTIONS,
)

conversation(
  'on a copy too a client may do what its user may do',
  async c => {
    await c.expect('ACL SETUSER limited on nopass +@all -set ~*', 'OK')
    const client = await c.another()
    await client.expectAll(['AUTH limited x', 'OK'], ['SCRIPT DEBUG YES', 'OK'])
    await client.do(['EVAL', 'local x = 1\nreturn x', '0'])
    const refusal = "ACL failure in script: User limited has no permissions to run the 'set' command"
    await told(client, 'r set k v', '<redis> set k v', `<error> ${refusal}`)
    await end(client)
    await c.do('ACL DELUSER limited')
  },
  OPTIONS,
)
