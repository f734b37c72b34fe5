// Other programs of the machine: for what JavaScript cannot do itself, such as to send a datagram to a Unix socket.

import { spawn, spawnSync } from 'node:child_process'
import { textOfError } from './errors.ts'
import type { ProgramInput } from './system.ts'

/** systemd-notify itself waits up to 5 s for an answer. */
const RUN_MS_MAX = 6000
/** What a program has not read yet. */
const BACKLOG_BYTES_MAX = 1024 * 1024

/** See ProcessView.run. */
export function runToEnd(program: string, args: readonly string[]): string | undefined {
  const { error, status } = spawnSync(program, args, { stdio: 'ignore', timeout: RUN_MS_MAX, windowsHide: true })
  if (error !== undefined) return reasonOfSpawn(error)
  return status === 0 ? undefined : `exit code ${status}`
}

/** See ProcessView.feed. The program is in a session of its own: Ctrl-C does not reach it. */
export function feed(program: string, args: readonly string[], failed: (why: string) => void): ProgramInput {
  const child = spawn(program, args, { stdio: ['pipe', 'ignore', 'ignore'], detached: true, windowsHide: true })
  let over = false
  const end = (why: string) => {
    if (!over) failed(why)
    over = true
  }
  child.on('error', error => end(reasonOfSpawn(error)))
  child.on('exit', code => end(`exit code ${code}`))
  child.stdin.on('error', error => end(reasonOfSpawn(error)))
  child.unref()
  // A socket, although its type does not say so: it must not keep this process running.
  if ('unref' in child.stdin && typeof child.stdin.unref === 'function') child.stdin.unref()
  return {
    write(bytes) {
      if (!over && child.stdin.writableLength < BACKLOG_BYTES_MAX) child.stdin.write(bytes)
    },
  }
}

function reasonOfSpawn(error: Error): string {
  return textOfError((error as NodeJS.ErrnoException).code ?? error.message)
}
