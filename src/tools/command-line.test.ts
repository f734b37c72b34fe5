import assert from 'node:assert/strict'
import { test } from 'node:test'
import { DiskError } from '../system/system.ts'
import { virtualSystem } from '../system/virtual.ts'
import { confirmed, EXIT_FAILED, EXIT_GOOD, runTool, type Tool, ToolError, Words } from './command-line.ts'
import { toolNamed } from './index.ts'
import { bytesText, Progress } from './progress.ts'

const flags = [
  { name: '--fix', about: 'mend it' },
  { name: '--rate', value: 'N', about: 'at most so many' },
  { name: '--match', value: 'PATTERN', many: true, about: 'only these' },
]

const tool = (run: Tool['run']): Tool => ({
  name: 'try',
  summary: 'Tries something.',
  operands: 'FILE',
  about: 'More to say.',
  flags,
  run,
})

test('options stand anywhere, with their value behind them or behind an equals sign', () => {
  const words = Words.parse(['--rate', '5', 'a', '--fix', '--match=x*', '--match', '--y', '--', '--z'], {
    flags,
    operands: 'FILE FILE',
  })
  assert.deepEqual(words.operands, ['a', '--z'])
  assert.equal(words.has('--fix'), true)
  assert.equal(words.integer('--rate', 1), 5)
  assert.deepEqual(words.all('--match'), ['x*', '--y'])
  assert.equal(words.text('--none'), undefined)
})

test('words that make no sense are refused', () => {
  const refused = (args: string[], why: RegExp) =>
    assert.throws(() => Words.parse(args, { flags, operands: 'FILE' }).integer('--rate', 1, 9), why)
  refused(['a', '--what'], /There is no option --what/)
  refused(['a', '--rate'], /--rate wants a value: N/)
  refused(['a', '--fix=1'], /--fix takes no value/)
  refused(['a', '--fix', '--fix'], /--fix may be given only once/)
  refused([], /What is wanted: FILE/)
  refused(['a', 'b'], /What is wanted: FILE/)
  refused(['a', '--rate', '10'], /--rate wants a whole number from 1 to 9/)
  refused(['a', '--rate', 'x'], /--rate wants a whole number/)
})

test('what a tool cannot do is said on standard error, and is the exit code', async () => {
  const run = async (body: Tool['run'], args: string[]) => {
    const machine = virtualSystem()
    const code = await runTool(tool(body), args, machine.system)
    return { code, out: machine.out, err: machine.err }
  }
  assert.deepEqual(await run(async () => 1, ['f']), { code: 1, out: '', err: '' })
  const help = await run(async () => 1, ['f', '--help'])
  assert.equal(help.code, EXIT_GOOD)
  assert.match(
    help.out,
    /^Usage: redstart try FILE \[options\]\n[\s\S]*\n {2}--rate N +at most so many\n[\s\S]*Exit codes:/,
  )
  assert.deepEqual(await run(async () => 1, []), {
    code: EXIT_FAILED,
    out: '',
    err: 'redstart try: What is wanted: FILE.\n',
  })
  const thrown = (error: Error) => async () => {
    throw error
  }
  assert.equal((await run(thrown(new ToolError('no', 3)), ['f'])).code, 3)
  const disk = await run(thrown(new DiskError('ENOENT', 'f')), ['f'])
  assert.deepEqual(disk, { code: EXIT_FAILED, out: '', err: 'redstart try: f: No such file or directory\n' })
  await assert.rejects(run(thrown(new TypeError('a bug')), ['f']), TypeError)
})

test('only a typed yes is a yes', () => {
  const machine = virtualSystem()
  machine.typed.push('y', 'Yes ', 'n', 'yessir')
  const answers = [1, 2, 3, 4, 5].map(() => confirmed(machine.system, 'Really?'))
  assert.deepEqual(answers, [true, true, false, false, false])
  assert.match(machine.err, /^Really\? \[y\/N\] /)
})

test('a first word that is no tool is no tool', async () => {
  for (const word of [undefined, '', './check', 'redis.conf', 'toString', '--check'])
    assert.equal(await toolNamed(word), undefined)
})

test('progress is drawn on a terminal, now and then, and taken away', () => {
  const machine = virtualSystem()
  const progress = new Progress(machine.system, 'reading', 4096)
  progress.update(1)
  assert.equal(machine.err, '', 'no terminal, no line')
  machine.stderrIsTerminal = true
  machine.advance(1000)
  progress.update(2048)
  progress.update(2049)
  assert.equal(machine.err, '\rreading [############............]  50%  2.0 KiB of 4.0 KiB, 1 s left\x1b[K')
  progress.end()
  assert.match(machine.err, /\r\x1b\[K$/)
  assert.equal(bytesText(1023), '1023 bytes')
})
