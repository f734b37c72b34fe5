import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { test } from 'node:test'
import { corpusFiles, corpusPath, driverPath, runCorpus } from '../../../test/lua/corpus-runner.ts'

// The expected output stands beside each file, as Debian's lua5.1 printed it. With LUA_CORPUS=write it is written anew.

const ORACLE = 'assert(loadstring(io.open(arg[1], "rb"):read("*a"), "=driver"))(io.open(arg[2], "rb"):read("*a"))'

function oracle(file: string): string | undefined {
  const run = spawnSync('lua5.1', ['-', driverPath, corpusPath(file)], { input: ORACLE, encoding: 'latin1' })
  return run.status === 0 ? run.stdout : undefined
}

const hasOracle = spawnSync('lua5.1', ['-v']).status === 0

for (const file of corpusFiles()) {
  const expectedPath = corpusPath(file.replace('.lua', '.out'))
  const source = readFileSync(corpusPath(file), 'latin1')

  if (process.env.LUA_CORPUS === 'write') writeFileSync(expectedPath, oracle(file)!, 'latin1')

  test(`${file} prints what lua5.1 printed`, () => {
    assert.equal(runCorpus(source, 1e9), readFileSync(expectedPath, 'latin1'))
  })

  test(`${file} prints the same in small slices`, () => {
    assert.equal(runCorpus(source, 37), readFileSync(expectedPath, 'latin1'))
  })

  test(`${file} prints the same, each program on its own`, () => {
    assert.equal(runCorpus(source, 41, true), readFileSync(expectedPath, 'latin1'))
  })

  test(`${file} still prints that on lua5.1`, { skip: !hasOracle }, () => {
    assert.equal(oracle(file), readFileSync(expectedPath, 'latin1'))
  })
}
