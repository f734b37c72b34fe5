// npm run bench: the cost of commands, compared with a redis-server on the PATH; both are measured in turn.
//
//   npm run bench -- --tests set,get --cases hgetall_10 --pipeline 1,16 --rounds 3 --scale 0.5
//
// --tests are redis-benchmark's own (left out where it is not installed), --cases those of test/bench/cases.ts;
// 'none' leaves either out. Ratios are ours to theirs: more commands a second and less processor time are better.
// Processor time needs /proc, so it is left out elsewhere.

import { execFileSync, spawn, spawnSync } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { createRequire } from 'node:module'
import { connect, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'

const root = join(dirname(fileURLToPath(import.meta.url)), '..')
const bun = createRequire(import.meta.url).resolve('bun/bin/bun.exe')
const CLIENTS = 50
/** Some cases have ten thousand subscribers in addition. */
const CLIENTS_MAX = 12_000
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
    rounds: { type: 'string', default: '3' },
    scale: { type: 'string', default: '1' },
    ours: { type: 'string', default: join(root, 'bin/redstart') },
    theirs: { type: 'string', default: 'redis-server' },
  },
})

const servers = [await start('ours', values.ours)]
if (isInstalled(values.theirs)) servers.push(await start('theirs', values.theirs))
else console.log(`${values.theirs} is not installed: ours alone`)
try {
  for (const pipeline of values.pipeline.split(',')) run(pipeline)
} finally {
  for (const server of servers) server.stop()
}

function run(pipeline) {
  const rows = [...benchmarkRows(), ...caseRows()]
  const ratios = []
  let setup = ''
  console.log(heading(pipeline))
  for (const row of rows) {
    const commands = Math.ceil(((pipeline === '1' ? 60_000 : 400_000) * Number(values.scale)) / (row.slow ?? 1))
    const figures = servers.map(() => ({ rps: [], cpuUs: [] }))
    if (row.prepare && row.setup !== setup) for (const server of servers) row.prepare(server.port)
    setup = row.setup
    // The first round warms up and is not counted.
    for (let round = 0; round <= Number(values.rounds); round++)
      servers.forEach((server, i) => {
        const cpuBefore = server.cpuSeconds()
        const rps = row.measure(server.port, commands, pipeline)
        if (round === 0) return
        figures[i].rps.push(rps)
        figures[i].cpuUs.push(((server.cpuSeconds() - cpuBefore) / commands) * 1e6)
      })
    const [ours, theirs] = figures.map(one => ({ rps: median(one.rps), cpuUs: median(one.cpuUs) }))
    if (theirs) ratios.push({ rps: ours.rps / theirs.rps, cpu: ours.cpuUs / theirs.cpuUs })
    console.log(line(row.name, ours, theirs))
  }
  if (ratios.length > 0) {
    const [rps, cpu] = ['rps', 'cpu'].map(name => geometricMean(ratios.map(ratio => ratio[name])))
    console.log(`${'geometric mean'.padEnd(44)}${ratio(rps)}${' '.repeat(20)}${ratio(cpu)}\n`)
  }
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

async function start(label, command) {
  const port = await freePort()
  const dir = mkdtempSync(join(tmpdir(), 'redstart-bench-'))
  const limits = ['--maxclients', String(CLIENTS_MAX)]
  const options = ['--port', String(port), '--dir', dir, '--save', '', '--appendonly', 'no', ...limits]
  const child = spawn(command.split(' ')[0], [...command.split(' ').slice(1), ...options], { stdio: 'ignore' })
  for (let attemptsLeft = 500; !(await answers(port)); attemptsLeft--) {
    if (attemptsLeft === 0 || child.exitCode !== null) throw new Error(`${label} does not start: ${command}`)
    await new Promise(resolve => setTimeout(resolve, 20))
  }
  return {
    port,
    cpuSeconds: () => cpuSeconds(child.pid),
    stop() {
      child.kill('SIGKILL')
      rmSync(dir, { recursive: true, force: true })
    },
  }
}

/** CPU time of all threads of the process and its children; 0 where there is no /proc. */
function cpuSeconds(pid) {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1')
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ') // the name before it may contain anything
    const children = readdirSync(`/proc/${pid}/task`).flatMap(task =>
      readFileSync(`/proc/${pid}/task/${task}/children`, 'latin1').split(' ').filter(Boolean),
    )
    const own = (Number(fields[11]) + Number(fields[12])) / 100
    return children.reduce((sum, child) => sum + cpuSeconds(child), own)
  } catch {
    return 0
  }
}

function freePort() {
  return new Promise(resolve => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const { port } = server.address()
      server.close(() => resolve(port))
    })
  })
}

function answers(port) {
  return new Promise(resolve => {
    const socket = connect({ port, host: '127.0.0.1' }, () => socket.write('PING\r\n'))
    socket.once('data', () => {
      socket.destroy()
      resolve(true)
    })
    socket.once('error', () => resolve(false))
  })
}

function isInstalled(command) {
  return spawnSync(command.split(' ')[0], ['--version'], { stdio: 'ignore' }).status === 0
}

function heading(pipeline) {
  return `${`pipeline ${pipeline}`.padEnd(20)}${'rps'.padStart(12)}${'theirs'.padStart(12)}${'ratio'.padStart(8)}${'CPU us/op'.padStart(12)}${'theirs'.padStart(8)}${'ratio'.padStart(8)}`
}

function line(name, ours, theirs) {
  const count = n => Math.round(n).toLocaleString('en').padStart(12)
  const us = (n, width) => n.toFixed(2).padStart(width)
  if (!theirs) return `${name.padEnd(20)}${count(ours.rps)}${' '.repeat(20)}${us(ours.cpuUs, 12)}`
  const cpu = `${us(ours.cpuUs, 12)}${us(theirs.cpuUs, 8)}${ratio(ours.cpuUs / theirs.cpuUs)}`
  return `${name.padEnd(20)}${count(ours.rps)}${count(theirs.rps)}${ratio(ours.rps / theirs.rps)}${cpu}`
}

function ratio(n) {
  return (Number.isFinite(n) ? n.toFixed(2) : '-').padStart(8)
}

function median(numbers) {
  const sorted = [...numbers].sort((a, b) => a - b)
  return (sorted[Math.floor((sorted.length - 1) / 2)] + sorted[Math.ceil((sorted.length - 1) / 2)]) / 2
}

function geometricMean(numbers) {
  return Math.exp(numbers.reduce((sum, n) => sum + Math.log(n), 0) / numbers.length)
}
