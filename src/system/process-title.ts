// The process title, as ps and top show it.
//
//   fields 48, 49 of /proc/self/stat ─▶ [ bun · main.ts · --port · 7000 · ] ─▶ [ redstart *:7000 · · … ]  (·: NUL)
//
// Node has process.title. Bun only remembers it; on Linux the memory of the arguments is then overwritten through
// /proc/self/mem, as C programs do.
//
// Always: written only where exactly the arguments are; a title that is too long for them is cut.

import fs from 'node:fs'
import process from 'node:process'

/** Fields 48 and 49 of /proc/self/stat, counted from the one behind the name. */
const ARGS_START = 45
const ARGS_END = 46

export function setTitle(title: string): void {
  process.title = title
  if (process.versions['bun'] === undefined || process.platform !== 'linux') return
  try {
    overwriteArguments(new TextEncoder().encode(title))
  } catch {
    // A system without /proc, or one that protects it: the title stays.
  }
}

function overwriteArguments(title: Uint8Array): void {
  const stat = fs.readFileSync('/proc/self/stat', 'latin1')
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  const start = Number(fields[ARGS_START])
  const now = new Uint8Array(Number(fields[ARGS_END]) - start)
  const memory = fs.openSync('/proc/self/mem', 'r+')
  try {
    fs.readSync(memory, now, 0, now.length, start)
    if (!fs.readFileSync('/proc/self/cmdline').equals(now)) return
    // The last byte stays 0: without it the kernel reads on into the environment.
    now.fill(0)
    now.set(title.subarray(0, now.length - 1))
    fs.writeSync(memory, now, 0, now.length, start)
  } finally {
    fs.closeSync(memory)
  }
}
