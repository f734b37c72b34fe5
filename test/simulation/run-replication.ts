// bun test/simulation/run-replication.ts [FIRST] [SECONDS] [KIND …]: simulated replicas, changes of role and sentinels
// (kinds replicas, roles, sentinels; absent: all three), one run of each for every seed from FIRST on, for so long.
// Prints what does not hold, and the runs with their processor time.

import process from 'node:process'
import { runReplicas } from './replicas.ts'
import { runRoles } from './roles.ts'
import { runSentinels } from './sentinels.ts'

/** What does not hold. */
const KINDS: Readonly<Record<string, (seed: number) => Promise<readonly string[]>>> = {
  async replicas(seed) {
    const { digests, faults } = await runReplicas(seed)
    return new Set(digests).size === 1 ? [] : [`digests differ: ${digests.join(' ')}; faults: ${faults.join(' ')}`]
  },
  roles: async seed => (await runRoles(seed)).violations,
  sentinels: async seed => (await runSentinels(seed)).violations,
}

const [first = 1, seconds = 60] = process.argv.slice(2, 4).map(Number)
const wanted = process.argv.length > 4 ? process.argv.slice(4) : Object.keys(KINDS)
const figures = new Map(wanted.map(kind => [kind, { runs: 0, bad: 0, cpuSeconds: 0 }]))
const endMs = performance.now() + seconds * 1000
let seed = first
for (; performance.now() < endMs; seed++)
  for (const [kind, figure] of figures) {
    const { user, system } = process.cpuUsage()
    const violations = await KINDS[kind](seed)
    const now = process.cpuUsage()
    figure.runs++
    figure.cpuSeconds += (now.user - user + now.system - system) / 1e6
    if (violations.length === 0) continue
    figure.bad++
    console.log(`${kind}, seed ${seed}: ${violations.join('; ')}`)
  }
for (const [kind, { runs, bad, cpuSeconds }] of figures) {
  const perMinute = ((runs * 60) / cpuSeconds).toFixed(0)
  console.log(
    `${kind}: ${runs} runs from seed ${first}, ${bad} with violations, ${perMinute} a minute of processor time`,
  )
  if (bad > 0) process.exitCode = 1
}
