// Measures what a server in a program costs, on the package in dist/ (npm run prepack), on this Node and on Bun: the
// figures of docs/embedding.md. Only a quiet machine tells the truth.
//
//   node scripts/embedding-figures.mjs [--node PATH]...

import { spawnSync } from 'node:child_process'
import { readdirSync, readFileSync, statSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import process from 'node:process'
import { fileURLToPath } from 'node:url'
import { gzipSync } from 'node:zlib'

const file = fileURLToPath(import.meta.url)
const root = join(file, '../..')
const dist = join(root, 'dist')
const library = () => createRequire(file)(join(dist, 'index.cjs'))
const DAY_MS = 86_400_000

/** Each runs in a process of its own, and returns name and value of what it has measured. */
const MEASUREMENTS = {
  async created() {
    const { createServer } = library()
    const times = []
    for (let i = 0; i < 300; i++) {
      const begin = performance.now()
      const server = await createServer()
      if (i >= 50) times.push(performance.now() - begin)
      await server.close()
      await new Promise(resolve => setImmediate(resolve))
    }
    return [['a server is made, p50 and p90', `${ms(quantile(times, 0.5))}, ${ms(quantile(times, 0.9))}`]]
  },
  async many() {
    const { createServer } = library()
    for (let i = 0; i < 1000; i++) {
      const server = await createServer()
      server.callSync('SET', 'k', 'v')
      await server.close()
      // As between two tests: what a turn of the event loop holds is let go.
      await new Promise(resolve => setImmediate(resolve))
    }
    return [['1000 servers one after the other, resident at most', mib(process.resourceUsage().maxRSS * 1024)]]
  },
  async alive() {
    const { createServer } = library()
    const warm = await createServer()
    await warm.close()
    const before = process.memoryUsage.rss()
    const servers = []
    for (let i = 0; i < 100; i++) servers.push(await createServer())
    const each = (process.memoryUsage.rss() - before) / 100
    await sleep(1000)
    const cpu = process.cpuUsage()
    await sleep(3000)
    const { user, system } = process.cpuUsage(cpu)
    for (const server of servers) await server.close()
    return [
      ['100 servers, resident each', mib(each)],
      ['100 servers without work, processor time a second', ms((user + system) / 3000)],
    ]
  },
  async clock() {
    const { createServer } = library()
    const server = await createServer({ clock: { mode: 'virtual', startMs: DAY_MS } })
    const times = []
    for (let day = 0; day < 3; day++) {
      for (let i = 0; i < 20_000; i++) server.callSync('SET', `k${i}`, 'v', 'PX', 1 + ((i * 7919) % DAY_MS))
      const begin = performance.now()
      await server.clock.advance('1d')
      times.push(performance.now() - begin)
      if (server.callSync('DBSIZE') !== 0) throw new Error('keys are left')
    }
    await server.close()
    return [['a day in which 20,000 keys expire: the first, the third', `${ms(times[0])}, ${ms(times[2])}`]]
  },
  async state() {
    const { createServer } = library()
    const rows = []
    for (const keys of [10_000, 100_000]) {
      const server = await createServer()
      for (let i = 0; i < keys; i += 4) {
        server.callSync('HSET', `h${i}`, 'a', '1', 'b', '2')
        server.callSync('SET', `s${i}`, 'some text', 'EX', 1000)
        server.callSync('ZADD', `z${i}`, '1', 'a', '2', 'b')
        server.callSync('RPUSH', `l${i}`, 'a', 'b', 'c')
      }
      const times = { snapshot: [], restore: [], fork: [], changed: [] }
      const forked = async all => {
        const begin = performance.now()
        const fork = await server.fork()
        all.push(performance.now() - begin)
        await fork.close()
        await new Promise(resolve => setImmediate(resolve))
      }
      for (let i = 0; i < 21; i++) {
        // What has not changed is not copied again.
        server.callSync('INCR', 'changed')
        const snapshot = timed(times.snapshot, () => server.snapshot())
        timed(times.restore, () => server.restore(snapshot))
        await forked(times.fork)
        server.callSync('INCR', 'changed')
        await forked(times.changed)
      }
      const [snapshot, restore, fork, changed] = Object.values(times).map(all => ms(quantile(all, 0.5)))
      rows.push([`snapshot, restore of ${keys} keys`, `${snapshot}, ${restore}`])
      rows.push([`fork of ${keys} keys, and after a change`, `${fork}, ${changed}`])
      await server.close()
    }
    return rows
  },
  async memoryServer() {
    const RedisMemoryServer = createRequire(file)(join(dist, 'memory-server.cjs'))
    const { connect } = await import('node:net')
    const times = { start: [], stop: [] }
    for (let i = 0; i < 40; i++) {
      let begin = performance.now()
      const server = new RedisMemoryServer()
      const socket = connect(await server.getPort(), await server.getHost())
      await new Promise(resolve => {
        socket.once('data', resolve)
        socket.write('PING\r\n')
      })
      if (i >= 20) times.start.push(performance.now() - begin)
      socket.destroy()
      begin = performance.now()
      await server.stop()
      if (i >= 20) times.stop.push(performance.now() - begin)
    }
    const [start, stop] = Object.values(times).map(all => ms(quantile(all, 0.5)))
    return [['RedisMemoryServer: start and PING, stop', `${start}, ${stop}`]]
  },
  async imported() {
    const { Worker } = await import('node:worker_threads')
    const code = `const begin = performance.now(); require(${JSON.stringify(join(dist, 'index.cjs'))})
      require('node:worker_threads').parentPort.postMessage(performance.now() - begin)`
    const times = []
    for (let i = 0; i < 7; i++) {
      const worker = new Worker(code, { eval: true })
      times.push(await new Promise(resolve => worker.once('message', resolve)))
      await worker.terminate()
    }
    return [['imported in a worker thread, at best', ms(Math.min(...times))]]
  },
  async forgotten() {
    const { createServer } = library()
    const server = await createServer()
    await server.listen()
    const begin = performance.now()
    process.once('exit', () =>
      console.log(JSON.stringify([['a program ends without close()', ms(performance.now() - begin)]])),
    )
  },
}

function timed(times, work) {
  const begin = performance.now()
  const value = work()
  times.push(performance.now() - begin)
  return value
}

function quantile(values, part) {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length * part)]
}

function ms(value) {
  return `${value.toFixed(value < 1 ? 2 : 1)} ms`
}

function mib(bytes) {
  return `${(bytes / 1024 / 1024).toFixed(2)} MiB`
}

function sleep(time) {
  return new Promise(resolve => setTimeout(resolve, time))
}

function measureAll() {
  const nodes = process.argv.flatMap((word, i, all) => (all[i - 1] === '--node' ? [word] : []))
  for (const runtime of [process.execPath, ...nodes, join(root, 'node_modules/bun/bin/bun.exe')]) {
    console.log(`\n${runtime} ${spawnSync(runtime, ['--version'], { encoding: 'utf8' }).stdout.trim()}`)
    for (const name of Object.keys(MEASUREMENTS)) {
      const { stdout, stderr } = spawnSync(runtime, [file, '--measure', name], { encoding: 'utf8', timeout: 120_000 })
      const rows = stdout.trim().startsWith('[') ? JSON.parse(stdout) : [[name, `failed: ${stderr}`]]
      for (const [what, value] of rows) console.log(`  ${what.padEnd(56)} ${value}`)
    }
  }
}

function listSizes() {
  console.log('entry point: bytes, bytes of its gzip')
  for (const name of readdirSync(dist).filter(one => one.endsWith('.cjs'))) {
    const path = join(dist, name)
    console.log(`  ${name.padEnd(22)} ${statSync(path).size} ${gzipSync(readFileSync(path)).length}`)
  }
}

const one = process.argv.indexOf('--measure')
if (one >= 0) {
  const rows = await MEASUREMENTS[process.argv[one + 1]]()
  if (rows !== undefined) console.log(JSON.stringify(rows))
} else {
  listSizes()
  measureAll()
}
