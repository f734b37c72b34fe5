// npm run bench: what a server costs and how fast it is, compared with a redis-server on the PATH; both are measured in
// turn. Prints tables and writes one HTML page with plots.
//
//   npm run bench -- --tests set,get --cases hgetall_10 --pipeline 1,16 --rounds 3 --scale 0.5
//   npm run bench -- --parts start,idle,neighbour,memory --html none
//   npm run bench -- --parts pauses --seconds 600 [--loads 'strings,eviction']
//   npm run bench -- --parts large [--rows sort]
//
// --tests are redis-benchmark's own (left out where it is not installed), --cases those of test/bench/cases.ts;
// 'none' leaves either out. Ratios are ours to theirs. Processor time and memory need /proc: elsewhere they are 0.

import { execFileSync, spawnSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { cpus, release, tmpdir, totalmem, type } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { firstPong, idle, memory, neighbour } from './bench-conditions.mjs'
import { large } from './bench-large.mjs'
import { pauses } from './bench-pauses.mjs'
import { pageOf, tableOf } from './bench-report.mjs'
import { start } from './bench-server.mjs'

const root = join(dirname(fileURLToPath(import.meta.url)), '..')
const bun = createRequire(import.meta.url).resolve('bun/bin/bun.exe')
const CLIENTS = 50
const TESTS = 'ping_mbulk,set,get,incr,lpush,rpush,lpop,rpop,sadd,hset,spop,zadd,zpopmin,lrange_100,lrange_600,mset'
// Cases with the same setup function get the same number.
const LISTING = `import { cases } from './test/bench/cases.ts'
  const setupOf = (one, i) => (one.setup ? cases.findIndex(other => other.setup === one.setup) : i)
  console.log(JSON.stringify(cases.map((one, i) => [one.name, { slow: one.slow, setup: setupOf(one, i) }])))`
const SLOW = { lrange_100: 8, lrange_300: 20, lrange_500: 30, lrange_600: 40, mset: 6 }

const { values } = parseArgs({
  options: {
    tests: { type: 'string', default: TESTS },
    cases: { type: 'string', default: 'all' },
    pipeline: { type: 'string', default: '1,16' },
    parts: { type: 'string', default: 'start,idle,throughput,commands,neighbour,pauses,large,memory' },
    seconds: { type: 'string', default: '10' },
    loads: { type: 'string' },
    rows: { type: 'string' },
    html: { type: 'string', default: join(tmpdir(), 'redstart-bench.html') },
    rounds: { type: 'string', default: '3' },
    scale: { type: 'string', default: '1' },
    ours: { type: 'string', default: join(root, 'bin/redstart') },
    theirs: { type: 'string', default: 'redis-server' },
  },
})

const commands = [values.ours]
if (isInstalled(values.theirs)) commands.push(values.theirs)
else console.log(`${values.theirs} is not installed: ours alone`)
const parts = values.parts.split(',')
const sections = []
const has = part => parts.includes(part)

if (has('start')) add('Start', 'milliseconds', 'less', await firstPong(commands))
const servers = []
for (const command of commands) servers.push(await start(command))
try {
  if (has('idle')) add('Idle memory', 'MiB', 'less', await idle(servers))
  if (has('throughput') || has('commands')) for (const pipeline of values.pipeline.split(',')) run(pipeline)
  if (has('neighbour'))
    add('A quiet client beside a busy one', 'milliseconds until PONG', 'less', await neighbour(servers))
} finally {
  for (const server of servers) server.stop()
}
if (has('pauses')) {
  const rows = await pauses(commands, Number(values.seconds), values.loads?.split(','))
  add('Pauses beside a load', 'milliseconds until PONG', 'less', rows)
}
if (has('large')) add('Large values', 'milliseconds of processor time', 'less', await large(commands, values.rows))
if (has('memory')) add('Memory of a key', 'bytes resident', 'less', await memory(commands))
if (values.html !== 'none') {
  writeFileSync(values.html, pageOf(sections, conditions()))
  console.log(`plots: ${values.html}`)
}

function add(title, unit, better, rows) {
  sections.push({ title, unit, better, rows })
  console.log(tableOf(sections.at(-1)))
}

function conditions() {
  const [cpu] = cpus()
  return [
    `${cpus().length} x ${cpu.model}, ${(totalmem() / 2 ** 30).toFixed(0)} GiB, ${type()} ${release()}`,
    `ours: ${versionOf(values.ours)}`,
    `theirs: ${commands.length > 1 ? versionOf(values.theirs) : 'none installed'}`,
    `pipeline ${values.pipeline}, ${CLIENTS} clients, ${values.rounds} rounds, scale ${values.scale}`,
    'Both servers without persistence, on loopback, measured in turn in one run.',
  ]
}

function versionOf(command) {
  const [program, ...words] = command.split(' ')
  return spawnSync(program, [...words, '--version'])
    .stdout.toString()
    .trim()
}

function run(pipeline) {
  const rows = [...(has('throughput') ? benchmarkRows() : []), ...(has('commands') ? caseRows() : [])]
  const throughput = []
  const cpu = []
  let setup = ''
  for (const row of rows) {
    const count = Math.ceil(((pipeline === '1' ? 60_000 : 400_000) * Number(values.scale)) / (row.slow ?? 1))
    const figures = servers.map(() => ({ rps: [], cpuUs: [] }))
    if (row.prepare && row.setup !== setup) for (const server of servers) row.prepare(server.port)
    setup = row.setup
    // The first round warms up and is not counted.
    for (let round = 0; round <= Number(values.rounds); round++)
      servers.forEach((server, i) => {
        const cpuBefore = server.cpuSeconds()
        const rps = row.measure(server.port, count, pipeline)
        if (round === 0) return
        figures[i].rps.push(rps)
        figures[i].cpuUs.push(((server.cpuSeconds() - cpuBefore) / count) * 1e6)
      })
    const [ours, theirs] = figures.map(one => ({ rps: median(one.rps), cpuUs: median(one.cpuUs) }))
    throughput.push({ name: row.name, ours: ours.rps, theirs: theirs?.rps })
    cpu.push({ name: row.name, ours: ours.cpuUs, theirs: theirs?.cpuUs })
  }
  add(`Throughput, pipeline ${pipeline}`, 'commands a second', 'more', throughput)
  add(`Processor time, pipeline ${pipeline}`, 'microseconds a command', 'less', cpu)
}

function benchmarkRows() {
  if (values.tests === 'none') return []
  if (!isInstalled('redis-benchmark')) {
    console.log('redis-benchmark is not installed: its tests are left out')
    return []
  }
  return values.tests.split(',').map(name => ({
    name,
    slow: SLOW[name],
    measure(port, commands, pipeline) {
      const options = [
        '-p',
        port,
        '-t',
        name,
        '-n',
        commands,
        '-c',
        CLIENTS,
        '-P',
        pipeline,
        '-r',
        100_000,
        '-d',
        32,
        '--csv',
      ]
      const out = execFileSync('redis-benchmark', options.map(String), {
        stdio: ['ignore', 'pipe', 'ignore'],
      }).toString()
      // lrange_* first fills its list with another test; the last row is the test itself.
      const last = out.trim().split('\n').at(-1)
      return Number(last.split('","')[1].replaceAll('"', ''))
    },
  }))
}

function caseRows() {
  if (values.cases === 'none') return []
  const known = new Map(JSON.parse(execFileSync(bun, ['-e', LISTING], { cwd: root }).toString()))
  const names = values.cases === 'all' ? [...known.keys()] : values.cases.split(',')
  const driver = (port, name, ...words) =>
    execFileSync(bun, [join(root, 'test/bench/driver.ts'), port, name, ...words].map(String)).toString()
  return names.map(name => {
    if (!known.has(name)) throw new Error(`no case ${name}: there are ${[...known.keys()].join(' ')}`)
    return {
      name,
      ...known.get(name),
      prepare: port => driver(port, name, 'setup'),
      measure: (port, commands, pipeline) => Number(driver(port, name, commands, CLIENTS, pipeline)),
    }
  })
}

function isInstalled(command) {
  return spawnSync(command.split(' ')[0], ['--version'], { stdio: 'ignore' }).status === 0
}

function median(numbers) {
  const sorted = [...numbers].sort((a, b) => a - b)
  return (sorted[Math.floor((sorted.length - 1) / 2)] + sorted[Math.ceil((sorted.length - 1) / 2)]) / 2
}
