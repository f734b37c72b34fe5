import assert from 'node:assert/strict'
import { test } from 'node:test'
import { runCorpus } from '../../../test/lua/corpus-runner.ts'
import { hasOracle, outputs, runOracle } from '../../../test/lua/oracle.ts'
import { ProgramMaker } from '../../../test/lua/random-program.ts'

// test/lua/differential.ts runs more programs.
const SEED = 1
const COUNT = 60
const ORACLE_MS_MAX = 60_000

const source = Array.from({ length: COUNT }, (_, i) => new ProgramMaker(SEED + i).make()).join('\n--==\n')
const whole = outputs(runCorpus(source, 1e9))

test('random programs print what they print on lua5.1', { skip: !hasOracle }, () => {
  const oracle = runOracle(source, ORACLE_MS_MAX)
  assert.equal(oracle.failure, undefined)
  assert.deepEqual(whole, outputs(oracle.output))
})

test('random programs print the same in slices of any size', () => {
  assert.equal(whole.length, COUNT)
  assert.deepEqual(outputs(runCorpus(source, 11)), whole)
  assert.deepEqual(outputs(runCorpus(source, 13, true)), whole)
})
