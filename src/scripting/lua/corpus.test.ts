import assert from 'node:assert/strict'
import { readFileSync, writeFileSync } from 'node:fs'
import { test } from 'node:test'
import { corpusFiles, corpusPath, runCorpus } from '../../../test/lua/corpus-runner.ts'
import { hasOracle, runOracle } from '../../../test/lua/oracle.ts'

// The expected output beside each file is from Debian's lua5.1; LUA_CORPUS=write records it again.

const ORACLE_MS_MAX = 60_000

for (const file of corpusFiles()) {
  const expectedPath = corpusPath(file.replace('.lua', '.out'))
  const source = readFileSync(corpusPath(file), 'latin1')

  if (process.env.LUA_CORPUS === 'write') writeFileSync(expectedPath, runOracle(source, ORACLE_MS_MAX).output, 'latin1')

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
    assert.equal(runOracle(source, ORACLE_MS_MAX).output, readFileSync(expectedPath, 'latin1'))
  })
}
