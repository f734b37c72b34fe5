// A server under measurement: started on a free port in an empty folder, its costs read from /proc.
//
// Always: processor time and memory are those of the process and its children; 0 where there is no /proc.

import { spawn } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { sleep } from './bench-client.mjs'
import { ask, freePort } from './steps.mjs'

const ATTEMPT_MS = 2
const START_MS_MAX = 10_000
/** Some cases have ten thousand subscribers in addition. */
const CLIENTS_MAX = 12_000

/** `env` is added to the environment; with `keepsOutput` what the server prints is kept until takeOutput(). */
export async function start(command, { env = {}, keepsOutput = false } = {}) {
  const port = await freePort()
  const dir = mkdtempSync(join(tmpdir(), 'redstart-bench-'))
  const limits = ['--maxclients', String(CLIENTS_MAX)]
  const options = ['--port', String(port), '--dir', dir, '--save', '', '--appendonly', 'no', ...limits]
  const startedMs = performance.now()
  const [program, ...words] = command.split(' ')
  const child = spawn(program, [...words, ...options], {
    stdio: keepsOutput ? ['ignore', 'pipe', 'pipe'] : 'ignore',
    env: { ...process.env, ...env },
  })
  const output = []
  for (const stream of [child.stdout, child.stderr]) stream?.on('data', bytes => output.push(bytes.toString('latin1')))
  while ((await ask(port, 'PING')) === '') {
    if (performance.now() - startedMs > START_MS_MAX || child.exitCode !== null)
      throw new Error(`${command} does not start`)
    await sleep(ATTEMPT_MS)
  }
  return {
    port,
    firstPongMs: performance.now() - startedMs,
    cpuSeconds: () => cpuSeconds(child.pid),
    takeOutput: () => output.splice(0).join(''),
    residentBytes: () => residentBytes(child.pid),
    stop() {
      child.kill('SIGKILL')
      rmSync(dir, { recursive: true, force: true })
    },
  }
}

/** The scheduler's nanoseconds of all threads, and what children that have ended took. */
function cpuSeconds(pid) {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1')
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ') // the name before it may contain anything
    const ended = (Number(fields[13]) + Number(fields[14])) / 100
    const own = readdirSync(`/proc/${pid}/task`).reduce((sum, task) => sum + threadSeconds(pid, task), ended)
    return childrenOf(pid).reduce((sum, child) => sum + cpuSeconds(child), own)
  } catch {
    return 0
  }
}

function threadSeconds(pid, task) {
  return Number(readFileSync(`/proc/${pid}/task/${task}/schedstat`, 'latin1').split(' ')[0]) / 1e9
}

function residentBytes(pid) {
  try {
    const own = Number(/^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'latin1'))[1]) * 1024
    return childrenOf(pid).reduce((sum, child) => sum + residentBytes(child), own)
  } catch {
    return 0
  }
}

function childrenOf(pid) {
  return readdirSync(`/proc/${pid}/task`).flatMap(task =>
    readFileSync(`/proc/${pid}/task/${task}/children`, 'latin1').split(' ').filter(Boolean),
  )
}
