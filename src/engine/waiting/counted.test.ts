// A blocked command counts once, when it is replied to: in INFO commandstats, in latencystats, in SLOWLOG and in the
// number of commands.

import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after } from 'node:test'
import { type Conversation, conversation } from '../../../test/harness/conversation.ts'

const dir = mkdtempSync(join(tmpdir(), 'redstart-counted-'))
after(() => rmSync(dir, { recursive: true, force: true }))

const DEFAULTS = { config: { 'slowlog-log-slower-than': '0' }, since: '7.2' }

async function counted(c: Conversation, name: string): Promise<string> {
  const stats = String(await c.do('INFO commandstats'))
  const latency = String(await c.do('INFO latencystats'))
  const slow = (await c.do('SLOWLOG GET -1')) as unknown[][]
  const fields = new RegExp(`cmdstat_${name}:calls=(\\d+),.*rejected_calls=(\\d+),failed_calls=(\\d+)`).exec(stats)
  const isIn = new RegExp(`latency_percentiles_usec_${name}:`).test(latency)
  const logged = slow.filter(entry => String((entry[3] as unknown[])[0]).toLowerCase() === name).length
  return `calls ${fields?.[1]} rejected ${fields?.[2]} failed ${fields?.[3]} latency ${isIn} slowlog ${logged}`
}

async function begin(c: Conversation): Promise<Conversation> {
  await c.expect('SLOWLOG RESET', 'OK')
  await c.expect('CONFIG RESETSTAT', 'OK')
  return c.another()
}

conversation(
  'a command that timed out counts',
  async c => {
    const other = await begin(c)
    await other.expect('BLPOP none 0.01', null)
    assert.equal(await counted(c, 'blpop'), 'calls 1 rejected 0 failed 0 latency true slowlog 1')
    await other.expect('XREAD BLOCK 10 STREAMS s $', null)
    assert.equal(await counted(c, 'xread'), 'calls 1 rejected 0 failed 0 latency true slowlog 1')
    await other.expect('WAIT 1 10', 0)
    assert.equal(await counted(c, 'wait'), 'calls 1 rejected 0 failed 0 latency true slowlog 1')
  },
  DEFAULTS,
)

conversation(
  'a command that CLIENT UNBLOCK ended counts, and fails with an error',
  async c => {
    const other = await begin(c)
    const id = await other.do('CLIENT ID')
    const first = await other.start('BLPOP none 0')
    await c.expect(`CLIENT UNBLOCK ${id}`, 1)
    await c.expectReply(first, null)
    assert.equal(await counted(c, 'blpop'), 'calls 1 rejected 0 failed 0 latency true slowlog 1')
    const second = await other.start('BLPOP none 0')
    await c.expect(`CLIENT UNBLOCK ${id} ERROR`, 1)
    await second.value()
    assert.equal(await counted(c, 'blpop'), 'calls 2 rejected 0 failed 1 latency true slowlog 2')
  },
  DEFAULTS,
)

conversation(
  'a command that got what it waited for counts once',
  async c => {
    const other = await begin(c)
    const waiting = await other.start('BLMOVE a b LEFT LEFT 0')
    await c.expect('RPUSH a x', 1)
    await c.expectReply(waiting, 'x')
    assert.equal(await counted(c, 'blmove'), 'calls 1 rejected 0 failed 0 latency true slowlog 1')
  },
  DEFAULTS,
)

conversation(
  'WAITAOF released by an fsync counts once',
  async c => {
    const other = await begin(c)
    await other.expect('SET k v', 'OK')
    await other.expect('WAITAOF 1 0 5000', [1, 0])
    assert.equal(await counted(c, 'waitaof'), 'calls 1 rejected 0 failed 0 latency true slowlog 1')
  },
  { config: { 'slowlog-log-slower-than': '0', appendonly: 'yes', dir }, since: '7.2', over: 'TCP' },
)
