// bun test/simulation/run-clusters.ts SEED RUNS [NODES]: simulated clusters, one for each seed from SEED on. NODES: how
// many nodes each has, 6 or, as the seed decides, such as 3-50.

import process from 'node:process'
import { partSeed, seededRandom } from '../../src/system/random.ts'
import { runCluster } from './clusters.ts'

const [first = 1, runs = 100] = process.argv.slice(2, 4).map(Number)
const [least, most = least] = (process.argv[4] ?? '6').split('-').map(Number)
let bad = 0
let failovers = 0
let all = 0
for (let seed = first; seed < first + runs; seed++) {
  const nodes = least + (seededRandom(partSeed(seed, 23)).u32() % (most - least + 1))
  const result = await runCluster(seed, nodes)
  failovers += result.failovers
  all += nodes
  if (result.violations.length === 0) continue
  bad++
  console.log(`seed ${seed}, ${nodes} nodes: ${result.violations.join('; ')}\n  faults: ${result.faults.join(', ')}`)
}
console.log(`${runs} clusters of ${all} nodes, ${failovers} nodes won an election, ${bad} with violations`)
process.exitCode = bad === 0 ? 0 : 1
