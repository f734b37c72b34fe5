// The differential fuzzer of Lua: random programs on our Lua and on Debian's lua5.1; their output is compared.
//
//   npx bun test/lua/differential.ts --seed 1 --programs 100000
//   npx bun test/lua/differential.ts --seed 17 --show             prints that program and both outputs
//
// Program k of seed S is program 1 of seed S + k - 1. Many programs share one process of lua5.1, each with its own
// globals (driver.lua). --slices runs ours in slices of random size, and compiles every other program as the only chunk
// of its state. Programs that lua5.1 does not finish in time are not counted. --differences: how many end the run.
// Exits with 1 when there was one.

import { parseArgs } from 'node:util'
import { runCorpus } from './corpus-runner.ts'
import { outputs, runOracle } from './oracle.ts'
import { ProgramMaker } from './random-program.ts'

const BATCH_PROGRAMS = 100
/** A program takes a millisecond or two; one that takes longer than this does not end. */
const ORACLE_MS_MAX = 10_000
const SEPARATOR = '\n--==\n'

const { values } = parseArgs({
  options: {
    seed: { type: 'string', default: '1' },
    programs: { type: 'string', default: '1000' },
    differences: { type: 'string', default: '1' },
    slices: { type: 'boolean', default: false },
    show: { type: 'boolean', default: false },
  },
})
const firstSeed = Number(values.seed)
const count = values.show ? 1 : Number(values.programs)
const differencesMax = Number(values.differences)
const startedMs = Date.now()
let differences = 0
let leftOut = 0
let done = 0

while (done < count && differences < differencesMax) {
  const batch = Math.min(BATCH_PROGRAMS, count - done)
  compareBatch(firstSeed + done, batch)
  done += batch
  if (done % 1000 === 0 && done < count) console.log(`${done} programs, ${differences} differences`)
}
const seconds = Math.round((Date.now() - startedMs) / 1000)
console.log(
  `${done - leftOut} programs, ${differences} differences (seeds ${firstSeed} to ${firstSeed + done - 1}, ${seconds} s)`,
)
process.exitCode = differences > 0 ? 1 : 0

function compareBatch(seed: number, programCount: number): void {
  const programs = Array.from({ length: programCount }, (_, i) => new ProgramMaker(seed + i).make())
  let source = programs.join(SEPARATOR)
  let run = runOracle(source, ORACLE_MS_MAX)
  while (run.failure !== undefined) {
    // A program that does not end, or exhausts memory, cannot be compared; the others can.
    const at = outputs(run.output).length - 1
    console.log(`seed ${seed + at} is left out: lua5.1 ended with ${run.failure}`)
    leftOut++
    programs[at] = ''
    source = programs.join(SEPARATOR)
    run = runOracle(source, ORACLE_MS_MAX)
  }
  const theirs = outputs(run.output)
  const ours = outputs(ourOutput(source, seed))
  for (let i = 0; i < programCount; i++) {
    if (values.show) console.log(`${programs[i]}\n----\n${theirs[i]}`)
    if (theirs[i] !== ours[i]) report(seed + i, programs[i], theirs[i], ours[i])
  }
}

function ourOutput(source: string, seed: number): string {
  return values.slices ? runCorpus(source, 5 + (seed % 50), seed % 200 < 100) : runCorpus(source, 1e9)
}

function report(seed: number, program: string, theirs: string | undefined, ours: string | undefined): void {
  if (++differences > differencesMax) return
  const [a, b] = [theirs ?? '(nothing)', ours ?? '(nothing)'].map(text => text.split('\n'))
  const line = a.findIndex((text, i) => text !== b[i])
  console.log(`seed ${seed} differs:\n${program}\n---- lua5.1:\n${theirs}\n---- ours:\n${ours}`)
  console.log(`---- seed ${seed}, first difference in line ${line + 1}:\n  lua5.1: ${a[line]}\n  ours:   ${b[line]}`)
}
