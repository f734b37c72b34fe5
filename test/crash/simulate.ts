// Runs many simulated crashes (simulation.ts):
//
//   npx bun test/crash/simulate.ts [--crashes 100000] [--seed 1] [--policy NAME]
//
// Prints its progress and each seed that violated a guarantee; exits with 1 if there was one.

import process from 'node:process'
import { parseArgs } from 'node:util'
import { crashRun, LIVES, POLICIES } from './simulation.ts'

const { values } = parseArgs({
  options: {
    crashes: { type: 'string', default: '100000' },
    seed: { type: 'string', default: '1' },
    policy: { type: 'string' },
  },
})

const policies = POLICIES.filter(one => values.policy === undefined || one.name === values.policy)
if (policies.length === 0) throw new Error(`no policy '${values.policy}': ${POLICIES.map(one => one.name).join('; ')}`)
const rounds = Math.ceil(Number(values.crashes) / LIVES / policies.length)
const firstSeed = Number(values.seed)
const beganMs = Date.now()
let crashes = 0
let violations = 0
for (let round = 0; round < rounds; round++) {
  for (const policy of policies) {
    const seed = firstSeed + round
    try {
      await crashRun(policy, seed)
    } catch (error) {
      violations++
      console.log(`${policy.name}, seed ${seed}: ${error instanceof Error ? error.stack : String(error)}`)
    }
    crashes += LIVES
  }
  if (round % 100 === 99) console.log(progress())
}
console.log(progress())
process.exitCode = violations === 0 ? 0 : 1

function progress(): string {
  const seconds = Math.round((Date.now() - beganMs) / 1000)
  return `${crashes} crashes, ${violations} violations, ${seconds} s, next seed ${firstSeed + Math.ceil(crashes / LIVES / policies.length)}`
}
