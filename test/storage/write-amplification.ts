// What the value log writes for each byte of a value that is moved to disk, and what its files take beside what is
// live:
//
//   npx bun test/storage/write-amplification.ts [--megabytes 400] [--bytes 1000] [--rounds 4] [--choice uniform,zipf]
//
//   fill ─▶ overwrite as many bytes as there are, --rounds times; the first round is not counted
//
// Prints for each choice of keys the bytes written by the log beside those of new values, with and without the indexes
// of checkpoints, and the largest size of the files beside what was live. Checkpoints start by themselves.

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { randomFrom } from '../harness/random.ts'
import { encodeCommand } from '../harness/resp.ts'
import { ServerProcess } from '../harness/server-process.ts'
import { OURS } from '../replication/chain.ts'
import { zipf } from './mixed-values.ts'
import { PipelineConnection } from './pipeline-connection.ts'

const { values: options } = parseArgs({
  options: {
    megabytes: { type: 'string', default: '400' },
    bytes: { type: 'string', default: '1000' },
    rounds: { type: 'string', default: '4' },
    choice: { type: 'string', default: 'uniform,zipf' },
    limit: { type: 'string', default: '32mb' },
    command: { type: 'string', default: OURS },
    folder: { type: 'string', default: tmpdir() },
  },
})
const BATCH = 64
const valueBytes = Number(options.bytes)
const keys = Math.round((Number(options.megabytes) * 1e6) / valueBytes)
const below = randomFrom(11)
const value = Buffer.alloc(valueBytes, 'v')

const mb = (bytes: number): string => `${(bytes / 1e6).toFixed(0)} MB`

async function figures(server: ServerProcess): Promise<(name: string) => number> {
  const text = String(await server.call('INFO', 'storage', 'persistence'))
  return name => Number(new RegExp(`^${name}:([0-9.]*)`, 'm').exec(text)?.[1] ?? 0)
}

class Load {
  /** The largest size of the files beside what is live; `held`: with what is there for a checkpoint only. */
  spaceMax = 0
  heldMax = 0
  private readonly server: ServerProcess
  private readonly link: PipelineConnection
  private version = 0

  constructor(server: ServerProcess) {
    this.server = server
    this.link = new PipelineConnection(server.port)
  }

  /** Sets so many keys. */
  async run(count: number, choose: (i: number) => number): Promise<void> {
    for (let i = 0; i < count; ) {
      const parts: Uint8Array[] = []
      for (; parts.length < BATCH && i < count; i++) {
        value.write(`${this.version++} `, 0, 'latin1')
        parts.push(encodeCommand(['SET', `key:${choose(i)}`, value]))
      }
      await this.link.exchange(Buffer.concat(parts), parts.length)
      if (i % (BATCH * 50) === 0) await this.sample()
    }
  }

  private async sample(): Promise<void> {
    const info = await figures(this.server)
    const live = info('storage_live_bytes')
    if (live < keys * valueBytes * 0.5) return
    this.heldMax = Math.max(this.heldMax, info('storage_bytes') / live)
    this.spaceMax = Math.max(this.spaceMax, (info('storage_bytes') - info('storage_held_bytes')) / live)
  }

  close(): void {
    this.link.close()
  }
}

async function measure(server: ServerProcess, choice: string): Promise<void> {
  const load = new Load(server)
  const choose = choice === 'zipf' ? () => zipf(keys, () => below(0x40000000) / 0x40000000) : () => below(keys)
  await load.run(keys, choose)
  load.spaceMax = load.heldMax = 0
  const before = await figures(server)
  const rounds = Number(options.rounds) - 1
  const startMs = performance.now()
  await load.run(keys * rounds, choose)
  const seconds = (performance.now() - startMs) / 1000
  load.close()
  const after = await figures(server)
  const grown = (name: string) => after(name) - before(name)
  const written = grown('storage_written_bytes')
  const fresh = written - grown('storage_moved_bytes')
  const rewrites = grown('aof_rewrites')
  console.log(
    `${choice}: ${mb(fresh)} of values moved to disk, ${mb(written)} written: ${(written / fresh).toFixed(2)} ×; ` +
      `${rewrites} checkpoints; files at most ${load.spaceMax.toFixed(2)} × what is live, ` +
      `${load.heldMax.toFixed(2)} × with those that only the checkpoint needs; ` +
      `${((keys * rounds) / seconds).toFixed(0)} SETs a second`,
  )
}

const folder = mkdtempSync(join(options.folder, 'redstart-amplification-'))
const server = await ServerProcess.start(options.command, folder, {
  save: '',
  storage: 'disk',
  'storage-memory': options.limit,
  appendonly: 'yes',
})
try {
  const load = new Load(server)
  await load.run(keys, i => i)
  load.close()
  for (const choice of options.choice.split(',')) await measure(server, choice)
} finally {
  await server.kill()
  rmSync(folder, { recursive: true, force: true })
}
