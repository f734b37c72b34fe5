import assert from 'node:assert/strict'
import { anything, between, conversation, helpOf } from '../../../test/harness/conversation.ts'

const DEBUG = { config: { 'enable-debug-command': 'yes' } }

conversation('SLOWLOG keeps commands slower than the limit, newest first', async c => {
  await c.config('slowlog-log-slower-than', '0')
  await c.expect('SLOWLOG RESET', 'OK')
  await c.expect('SET k v', 'OK')
  await c.expect('SLOWLOG GET 1', [[anything, anything, anything, ['SET', 'k', 'v'], /:\d+$/, '']])
  await c.expect('SLOWLOG LEN', between(2, 4))
  await c.expect('SLOWLOG HELP', helpOf('SLOWLOG', 'GET [<count>]', 'LEN', 'RESET'))
  await c.expectError('SLOWLOG GET -2', 'ERR count should be greater than or equal to -1')
  await c.config('slowlog-log-slower-than', '-1')
  await c.expectAll(['SLOWLOG RESET', 'OK'], ['SLOWLOG LEN', 0], ['SLOWLOG GET -1', []])
})

conversation('SLOWLOG cuts long arguments and long lists of them, and hides passwords', async c => {
  await c.config('slowlog-log-slower-than', '0')
  const newest = async () => ((await c.do('SLOWLOG GET 1')) as unknown[][])[0][3]
  await c.expect(['SET', 'k', 'x'.repeat(200)], 'OK')
  assert.deepEqual(await newest(), ['SET', 'k', `${'x'.repeat(128)}... (72 more bytes)`])
  await c.do(['DEL', ...Array.from({ length: 40 }, (_, i) => `k${i}`)])
  const args = (await newest()) as string[]
  assert.equal(args.length, 32)
  assert.equal(args[31], '... (10 more arguments)')
  await c.expect('CONFIG SET masteruser x masterauth secret', 'OK')
  assert.deepEqual(await newest(), ['CONFIG', 'SET', 'masteruser', '(redacted)', 'masterauth', '(redacted)'])
  await c.expect('CONFIG SET masteruser "" masterauth ""', 'OK')
})

conversation(
  'LATENCY keeps spikes of commands',
  async c => {
    await c.config('latency-monitor-threshold', '5')
    await c.expect('LATENCY RESET', between(0, 9))
    await c.expect('DEBUG SLEEP 0.01', 'OK')
    await c.expect('LATENCY LATEST', [['command', anything, between(8, 2000), between(8, 2000)]])
    await c.expect('LATENCY HISTORY command', [[anything, between(8, 2000)]])
    await c.expect('LATENCY GRAPH command', /^command - high \d+ ms, low \d+ ms \(all time high \d+ ms\)\n-{80}\n/)
    await c.expect('LATENCY DOCTOR', /\n1\. command: 1 /)
    await c.expectAll(['LATENCY RESET command', 1], ['LATENCY LATEST', []], ['LATENCY HISTORY command', []])
    await c.expectError('LATENCY GRAPH command', "ERR No samples available for event 'command'")
  },
  DEBUG,
)

conversation(
  'LATENCY DOCTOR lists spikes and what may help',
  async c => {
    await c.expectAll(['LATENCY RESET', between(0, 9)], ['LATENCY DOCTOR', /^Latency is not monitored\. /])
    await c.config('latency-monitor-threshold', '5')
    await c.expect('LATENCY DOCTOR', /^No latency spike has been recorded/)
    await c.expect('DEBUG SLEEP 0.01', 'OK')
    await c.expect(
      'LATENCY DOCTOR',
      /^Recorded latency spikes:\n\n1\. command: \d+ spikes?, one every [\d.]+ s, of \d+ ms [^\n]+\n\nWhat may help:\n\n- /,
    )
  },
  { ...DEBUG, oursOnly: 'the texts are ours' },
)

conversation('LATENCY HISTOGRAM counts calls by doubling times', async c => {
  await c.expect(
    'LATENCY HELP',
    helpOf(
      'LATENCY',
      'DOCTOR',
      'GRAPH <event>',
      'HISTORY <event>',
      'LATEST',
      'RESET [<event> ...]',
      'HISTOGRAM [COMMAND ...]',
    ),
  )
  await c.expectAll(['CONFIG RESETSTAT', 'OK'], ['SET k v', 'OK'], ['SET k v', 'OK'])
  const [name, facts] = (await c.do('LATENCY HISTOGRAM set none')) as [string, unknown[]]
  assert.equal(name, 'set')
  assert.deepEqual(facts.slice(0, 3), ['calls', 2, 'histogram_usec'])
  const steps = facts[3] as number[]
  assert.equal(steps[steps.length - 1], 2)
})

conversation('MONITOR shows commands as they run', async c => {
  const other = await c.another()
  await c.expect('MONITOR', 'OK')
  await other.expectAll(['SET k "a b\\n\\xff"', 'OK'], ['MULTI', 'OK'], ['GET k', 'QUEUED'])
  await other.do('EXEC')
  await other.do('AUTH default secret')
  for (const words of [
    String.raw`"SET" "k" "a b\\n\\xff"`,
    '"MULTI"',
    '"GET" "k"',
    '"EXEC"',
    String.raw`"AUTH" "\(redacted\)" "\(redacted\)"`,
  ])
    await c.expectMessage(new RegExp(`^\\d+\\.\\d{6} \\[0 \\S+\\] ${words}$`))
})

conversation('RESET ends MONITOR, and only others are shown it', async c => {
  const other = await c.another()
  await c.expect('MONITOR', 'OK')
  await other.expect('MONITOR', 'OK')
  await c.expect('RESET', 'RESET')
  await other.expectMessage(/^\d+\.\d{6} \[0 \S+\] "RESET"$/)
  await c.expect('PING', 'PONG')
})
