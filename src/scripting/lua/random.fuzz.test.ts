import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { driverPath, runCorpus } from '../../../test/lua/corpus-runner.ts'
import { ProgramMaker } from '../../../test/lua/random-program.ts'

// LUA_FUZZ_SEED and LUA_FUZZ_COUNT choose other programs and more of them.
const SEED = Number(process.env.LUA_FUZZ_SEED ?? 1)
const COUNT = Number(process.env.LUA_FUZZ_COUNT ?? 60)
const ORACLE = 'assert(loadstring(io.open(arg[1], "rb"):read("*a"), "=driver"))(io.open(arg[2], "rb"):read("*a"))'
const SEED_STEP = 7919

const hasOracle = spawnSync('lua5.1', ['-v']).status === 0

function programs(): string {
  return Array.from({ length: COUNT }, (_, i) => new ProgramMaker((SEED + i) * SEED_STEP).make()).join('\n--==\n')
}

test('random programs print what they print on lua5.1', { skip: !hasOracle }, () => {
  const folder = mkdtempSync(join(tmpdir(), 'lua-fuzz-'))
  const path = join(folder, 'programs.lua')
  writeFileSync(path, programs(), 'latin1')
  const oracle = spawnSync('lua5.1', ['-', driverPath, path], { input: ORACLE, encoding: 'latin1', timeout: 300_000 })
  rmSync(folder, { recursive: true })
  assert.equal(oracle.status, 0)
  assert.equal(runCorpus(programs(), 1e9), oracle.stdout)
})

test('random programs print the same in slices of any size', () => {
  const source = programs()
  const whole = runCorpus(source, 1e9)
  assert.equal(runCorpus(source, 11), whole)
  assert.equal(runCorpus(source, 13, true), whole)
})
