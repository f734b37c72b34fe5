// Pauses: how long a client waits for PONG beside each load, and the runtime's garbage collections in the same time.
// A server on Bun tells of its collections in its output; those of Node are a metric (redstart_gc_pause_seconds).

import { Worker } from 'node:worker_threads'
import { pings } from './bench-client.mjs'
import { start } from './bench-server.mjs'

const LOADS = ['strings', 'big collections', 'scripts', '10,000 subscribers', 'snapshots', 'AOF rewrites', 'eviction']
const SHARES = [
  ['99 of 100', 0.99],
  ['9,999 of 10,000', 0.9999],
]
const ENV = { BUN_JSC_logGC: '1' }
const BUN_PAUSE = / p=([\d.]+)ms/g

/** Rows of milliseconds: for each load some shares of the waits, the longest, and the longest collection. */
export async function pauses(commands, seconds, wanted = LOADS) {
  const rows = []
  for (const load of LOADS.filter(name => wanted.includes(name))) {
    const found = []
    for (const command of commands) found.push(await beside(command, load, seconds))
    const row = (name, of) =>
      rows.push({ name: `${load}, ${name}`, ours: of(found[0]), theirs: found[1] && of(found[1]) })
    for (const [name, share] of SHARES) row(name, ({ waits }) => waits[Math.floor(waits.length * share)])
    row('longest', ({ waits }) => waits.at(-1))
    if (found[0].collectionMs > 0) rows.push({ name: `${load}, longest collection`, ours: found[0].collectionMs })
  }
  return rows
}

async function beside(command, load, seconds) {
  const server = await start(command, { env: ENV, keepsOutput: true })
  const worker = new Worker(new URL('./bench-load.mjs', import.meta.url), { workerData: { port: server.port, load } })
  worker.on('error', error => {
    throw error
  })
  await new Promise(resolve => worker.once('message', resolve))
  server.takeOutput()
  const waits = await pings(server.port, seconds * 1000)
  const collections = [...server.takeOutput().matchAll(BUN_PAUSE)].map(found => Number(found[1]))
  await worker.terminate()
  server.stop()
  return { waits, collectionMs: Math.max(0, ...collections) }
}
