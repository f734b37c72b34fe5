#!/usr/bin/env node
// The `redstart` command of the installed package, on every operating system. It runs the program in this process; on Node
// it becomes Bun first where Bun is installed and the process can be replaced (process.execve), so that signals and the
// exit code are always the server's own.
//
//   REDSTART_RUNTIME=bun|node   what to run on, whatever is installed
//   REDSTART_BUN                where Bun is, instead of looking

import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { delimiter, dirname, join } from 'node:path'
import process from 'node:process'
import { fileURLToPath, pathToFileURL } from 'node:url'

const root = dirname(dirname(fileURLToPath(import.meta.url)))
const main = [join(root, 'dist/main.cjs'), join(root, 'build/src/main.js')].find(existsSync)
const asked = process.env.REDSTART_RUNTIME ?? ''

function fail(text) {
  process.stderr.write(`redstart: ${text}\n`)
  process.exit(1)
}

/** Bun beside the package, in a folder above it, or on the PATH. */
function findBun() {
  if (process.env.REDSTART_BUN) return process.env.REDSTART_BUN
  for (let folder = root; ; folder = dirname(folder)) {
    const bun = join(folder, 'node_modules/bun/bin/bun.exe')
    if (existsSync(bun)) return bun
    if (folder === dirname(folder)) break
  }
  const name = process.platform === 'win32' ? 'bun.exe' : 'bun'
  const folders = (process.env.PATH ?? '').split(delimiter).filter(folder => folder !== '')
  return folders.map(folder => join(folder, name)).find(existsSync)
}

/** Runs the program on Bun: in place of this process, or where that cannot be, as its child. */
function runOnBun(bun) {
  // The folder a server is started in is not its project: no packages, .env or bunfig.toml are taken from there.
  const flags = ['--no-install', '--no-env-file', `--config=${join(root, 'bin/bunfig.toml')}`]
  const args = [...flags, main, ...process.argv.slice(2)]
  // There is little on the collected heap: more markers only cost processor time and memory. The
  // arena counts as live heap, and twice that would be a lot of garbage.
  const env = { BUN_JSC_numberOfGCMarkers: '1', BUN_JSC_smallHeapGrowthFactor: '1.2', ...process.env }
  if (process.execve !== undefined) process.execve(bun, [bun, ...args], env)
  const child = spawn(bun, args, { stdio: 'inherit', env })
  for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(name, () => child.kill(name))
  child.on('error', error => fail(`${bun}: ${error.message}`))
  child.on('exit', (code, signal) => {
    if (signal === null) process.exit(code)
    process.removeAllListeners(signal)
    process.kill(process.pid, signal)
  })
}

if (asked !== '' && asked !== 'bun' && asked !== 'node') fail(`REDSTART_RUNTIME is '${asked}': it may be bun or node.`)
if (main === undefined) fail(`there is nothing to run: 'npm run build' in ${root} builds it.`)
const onBun = process.versions.bun !== undefined
const wantsBun = !onBun && (asked === 'bun' || (asked === '' && process.execve !== undefined))
const bun = wantsBun ? findBun() : undefined
if (asked === 'bun' && !onBun && bun === undefined) fail('Bun is not installed: npm install bun, or see https://bun.sh')
if (bun !== undefined) runOnBun(bun)
else await import(pathToFileURL(main).href)
