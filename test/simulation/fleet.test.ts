import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import process from 'node:process'
import { test } from 'node:test'
import { projectRoot } from '../tidy/source.ts'
import { runFleet } from './fleet.ts'

/** FLEET_SEEDS=1000 for a long run. */
const SEEDS = Number(process.env['FLEET_SEEDS'] ?? 15)

/** The digests of the same seeds, computed by a Bun process. */
function digestsOfBun(): Promise<string[]> {
  const bun = createRequire(import.meta.url).resolve('bun/bin/bun.exe')
  const file = join(projectRoot, 'test/simulation/run.ts')
  assert.ok(existsSync(file))
  return new Promise((resolve, reject) =>
    execFile(bun, [file, String(SEEDS)], { maxBuffer: 1 << 26 }, (error, stdout) => {
      if (error !== null) reject(error)
      else
        resolve(
          stdout
            .trim()
            .split('\n')
            .map(line => line.split(' ')[1]),
        )
    }),
  )
}

test('a seed decides all that servers, clients and faults do, on every runtime', { timeout: 300_000 }, async () => {
  const others = digestsOfBun()
  const digests: string[] = []
  const faults = new Set<string>()
  let commands = 0
  let replyBytes = 0
  for (let seed = 0; seed < SEEDS; seed++) {
    const result = await runFleet(seed)
    digests.push(result.digest)
    commands += result.commands
    replyBytes += result.replyBytes
    for (const one of result.faults) faults.add(one)
  }
  assert.ok(commands > SEEDS * 50, `${commands} commands`)
  assert.ok(replyBytes > SEEDS * 200, `${replyBytes} bytes of replies`)
  for (const one of ['partition', 'cut', 'kill', 'power', 'disk', 'jump', 'stall', 'link'])
    assert.ok(faults.has(one), one)
  assert.equal(new Set(digests).size, SEEDS)
  assert.deepEqual(digests, await others)
})
