// Runs the programs of a source with Debian's lua5.1 and corpus/driver.lua.

import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { driverPath } from './corpus-runner.ts'

const RUN =
  'io.stdout:setvbuf("line") ' +
  'assert(loadstring(io.open(arg[1], "rb"):read("*a"), "=driver"))(io.open(arg[2], "rb"):read("*a"))'
const OUTPUT_BYTES_MAX = 1 << 28

export interface OracleRun {
  /** Its output, up to a failure. */
  output: string
  /** The failure: a signal when it took too long. */
  failure: string | undefined
}

export const hasOracle = spawnSync('lua5.1', ['-v']).status === 0

export function runOracle(source: string, msMax: number): OracleRun {
  const folder = mkdtempSync(join(tmpdir(), 'lua-oracle-'))
  const path = join(folder, 'programs.lua')
  writeFileSync(path, source, 'latin1')
  const run = spawnSync('lua5.1', ['-', driverPath, path], {
    input: RUN,
    encoding: 'latin1',
    timeout: msMax,
    maxBuffer: OUTPUT_BYTES_MAX,
  })
  rmSync(folder, { recursive: true })
  const failure = run.status === 0 ? undefined : `${run.signal ?? run.status} ${run.stderr}`
  return { output: run.stdout, failure }
}

/** The output of each program, without what lua5.1 does not reproduce: the depth of calls depends on earlier ones. */
export function outputs(text: string): string[] {
  return text
    .replace(/[^\s:]*:\d+: stack overflow/g, 'stack overflow')
    .split(/^== \d+\n/m)
    .slice(1)
}
