// bun test/simulation/run-movers.ts SEED RUNS: simulated migrations, one cluster for each seed from SEED on.

import { runMovers } from './movers.ts'

const [first = 1, runs = 100] = process.argv.slice(2).map(Number)
let bad = 0
let moved = 0
let faults = 0
for (let seed = first; seed < first + runs; seed++) {
  const result = await runMovers(seed)
  moved += result.moved
  faults += result.faults.length
  if (result.violations.length === 0) continue
  bad++
  console.log(`seed ${seed}: ${result.violations.join('; ')}\n  faults: ${result.faults.join(', ')}`)
}
console.log(`${runs} clusters, ${faults} migrations with a fault, ${moved} moved their slots, ${bad} with violations`)
process.exitCode = bad === 0 ? 0 : 1
