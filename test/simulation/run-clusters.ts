// bun test/simulation/run-clusters.ts SEED RUNS: simulated clusters, one for each seed from SEED on.

import { runCluster } from './clusters.ts'

const [first = 1, runs = 100] = process.argv.slice(2).map(Number)
let bad = 0
let failovers = 0
for (let seed = first; seed < first + runs; seed++) {
  const result = await runCluster(seed)
  failovers += result.failovers
  if (result.violations.length === 0) continue
  bad++
  console.log(`seed ${seed}: ${result.violations.join('; ')}\n  faults: ${result.faults.join(', ')}`)
}
console.log(`${runs} clusters, ${failovers} nodes won an election, ${bad} with violations`)
process.exitCode = bad === 0 ? 0 : 1
