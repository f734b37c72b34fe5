// A server whose disk becomes full, and is enlarged again (Linux, as root: it mounts a tmpfs):
//
//   npx bun test/crash/disk-full.ts [--policy everysec] [--mb 24] [--command bin/redstart]
//
//   write until MISCONF ─▶ reads work, writes and scripts are refused ─▶ space ─▶ writes work ─▶ SIGKILL ─▶ restart:
//   every acknowledged write is there
//
// With `always` a full disk ends the server, as in Redis: then only the last line is checked.

import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync, unlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import process from 'node:process'
import { parseArgs } from 'node:util'
import { ServerProcess } from '../harness/server-process.ts'
import { sleep } from '../harness/target.ts'

const VALUE_BYTES = 10_000
const RESERVE_BYTES = 8 << 20

const { values: options } = parseArgs({
  options: {
    policy: { type: 'string', default: 'everysec' },
    mb: { type: 'string', default: '24' },
    command: { type: 'string', default: join(import.meta.dirname, '../../bin/redstart') },
  },
})

const folder = mkdtempSync(join(tmpdir(), 'redstart-full-'))
execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${options.mb}m`, 'tmpfs', folder])
const reserve = join(folder, 'reserve')
writeFileSync(reserve, new Uint8Array(RESERVE_BYTES))
const directives = { save: '', appendonly: 'yes', appendfsync: options.policy, 'auto-aof-rewrite-percentage': '0' }
const start = () => ServerProcess.start(options.command, folder, directives)
const value = 'x'.repeat(VALUE_BYTES)
let server = await start()
try {
  let written = 0
  const gone = sleep(30_000).then(() => 'no answer')
  let reply: unknown = 'OK'
  while (reply === 'OK') {
    reply = await Promise.race([server.call('SET', `key:${written}`, value), gone])
    if (reply === 'OK') written++
  }
  report('the disk is full', `${written} keys, then: ${message(reply)}`, written > 0)
  if (options.policy !== 'always') {
    report('writes are refused', message(await server.call('SET', 'x', 1)), await isRefused('SET', 'x', 1))
    report('scripts too', '', await isRefused('EVAL', "return redis.call('SET', 'x', 1)", 0))
    report('reads go on', '', (await server.call('STRLEN', 'key:0')) === VALUE_BYTES)
    void server.call('BGREWRITEAOF')
    await sleep(1000)
    report('a rewrite fails, and nothing with it', '', (await server.call('STRLEN', 'key:1')) === VALUE_BYTES)
    unlinkSync(reserve)
    await sleep(3000)
    report('with room writes go on', '', (await server.call('SET', 'after', 1)) === 'OK')
    await sleep(2500)
  } else unlinkSync(reserve)
  await server.kill()
  server = await start()
  let missing = 0
  for (let i = 0; i < written; i++) if ((await server.call('STRLEN', `key:${i}`)) !== VALUE_BYTES) missing++
  report('all that was acknowledged is there', `${missing} of ${written} missing`, missing === 0)
  if (options.policy !== 'always') report('and what came after', '', (await server.call('GET', 'after')) === '1')
} finally {
  await server.kill()
  execFileSync('umount', ['-l', folder])
  rmSync(folder, { recursive: true, force: true })
}
process.exit()

async function isRefused(...words: (string | number)[]): Promise<boolean> {
  return /MISCONF/.test(message(await server.call(...words)))
}

function message(reply: unknown): string {
  return typeof reply === 'object' && reply !== null && 'message' in reply ? String(reply.message) : String(reply)
}

function report(what: string, detail: string, ok: boolean): void {
  console.log(`${ok ? 'ok  ' : 'FAIL'} ${what}${detail === '' ? '' : `: ${detail}`}`)
  if (!ok) process.exitCode = 1
}
