// Values over a limit when it was introduced are listed in ratchet.json: they may shrink but not grow. After shrinking
// something, `TIDY_UPDATE=1 npx bun test ./test/tidy.test.ts ./test/tidy` tightens the ratchet; it never loosens it.

import assert from 'node:assert/strict'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { projectRoot } from './source.ts'

const RATCHET_PATH = join(projectRoot, 'test/tidy/ratchet.json')

interface Ratchet {
  files: Record<string, number>
  functions: Record<string, number>
  fields: Record<string, number>
  untestedCommands: string[]
}

export const ratchet = JSON.parse(readFileSync(RATCHET_PATH, 'utf8')) as Ratchet

export function checkRatchet(kind: 'files' | 'functions' | 'fields', sizes: Map<string, number>, limit: number): void {
  const known = ratchet[kind]
  if (process.env.TIDY_UPDATE) {
    const still = Object.entries(known).filter(([name]) => (sizes.get(name) ?? 0) > limit)
    tighten(kind, Object.fromEntries(still.map(([name, size]) => [name, Math.min(size, sizes.get(name)!)])))
  }
  const wrong = [...sizes]
    .filter(([name, size]) => size > (known[name] ?? limit))
    .map(([name, size]) => `${name}: ${size}, the limit is ${known[name] ?? limit}`)
  assert.equal(wrong.join('\n'), '')
}

export function tighten<K extends keyof Ratchet>(kind: K, value: Ratchet[K]): void {
  ratchet[kind] = value
  writeFileSync(RATCHET_PATH, `${JSON.stringify(ratchet, null, 2)}\n`)
}
