// The ProcessView contract over the process the server runs in.

import { spawn } from 'node:child_process'
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import process from 'node:process'
import v8 from 'node:v8'
import vm from 'node:vm'
import type { ProcessView } from './system.ts'

export function realProcess(): ProcessView {
  const bun = process.versions['bun']
  let stdin: Uint8Array | null = null
  return {
    pid: process.pid,
    runtime: bun ? `bun ${bun}` : `node ${process.versions.node}`,
    os: `${os.type()} ${os.release()} ${machine()}`,
    platform: process.platform,
    totalMemoryBytes: os.totalmem(),
    rssBytes: () => process.memoryUsage.rss(),
    cpuUsage() {
      const usage = process.cpuUsage()
      return { userUs: usage.user, systemUs: usage.system }
    },
    stdout: bytes => writeAll(1, bytes),
    stderr: bytes => writeAll(2, bytes),
    stdoutIsTerminal: () => process.stdout.isTTY === true,
    readStdin() {
      stdin ??= new Uint8Array(fs.readFileSync(0))
      return stdin
    },
    exit: code => process.exit(code),
    onSignal(name, fn) {
      // Windows knows SIGINT and SIGTERM; the others are refused there.
      try {
        process.removeAllListeners(name)
        process.on(name, fn)
      } catch {
        return
      }
    },
    setTitle(title) {
      process.title = title
    },
    env: name => process.env[name],
    collectGarbage,
    onCrash(fn) {
      process.on('uncaughtException', fn)
      process.on('unhandledRejection', fn)
    },
    respawnDetached: mark => respawn(mark, stdin),
  }
}

/** What came on standard input goes along, in a file without a name. */
function respawn(mark: string, stdin: Uint8Array | null): void {
  let input: number | 'ignore' = 'ignore'
  if (stdin) {
    const file = path.join(os.tmpdir(), `redstart-${process.pid}.conf`)
    fs.writeFileSync(file, stdin, { mode: 0o600 })
    input = fs.openSync(file, 'r')
    fs.unlinkSync(file)
  }
  const child = spawn(process.execPath, [...process.execArgv, ...process.argv.slice(1)], {
    detached: true,
    stdio: [input, 'ignore', 'ignore'],
    env: { ...process.env, [mark]: '1' },
    windowsHide: true,
  })
  child.unref()
}

/** Bun has a call for it; Node has one behind a flag, which may be set while it runs. */
function collectGarbage(): void {
  if (typeof Bun !== 'undefined') Bun.gc(true)
  else {
    v8.setFlagsFromString('--expose-gc')
    const gc: unknown = vm.runInNewContext('gc')
    if (typeof gc === 'function') gc()
  }
}

function machine(): string {
  const arch = process.arch
  return arch === 'x64' ? 'x86_64' : arch === 'arm64' ? 'aarch64' : arch
}

/** Waits no longer than this for a full pipe: a log nobody reads must not stop the server. */
const FULL_PIPE_TRIES_MAX = 100

function writeAll(fd: number, bytes: Uint8Array): void {
  let written = 0
  let tries = 0
  while (written < bytes.length && tries < FULL_PIPE_TRIES_MAX) {
    try {
      written += fs.writeSync(fd, bytes, written, bytes.length - written)
    } catch (error) {
      // A closed terminal or pipe has no reader: nothing to say to nobody.
      if ((error as NodeJS.ErrnoException).code !== 'EAGAIN') return
      tries++
    }
  }
}
