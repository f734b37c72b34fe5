import { test } from 'node:test'
import { crashRun, POLICIES } from '../../test/crash/simulation.ts'

// test/crash/simulate.ts runs more of them, with other seeds.
const RUNS = 2

for (const policy of POLICIES) {
  test(`a crash at any moment keeps what is promised: ${policy.name}`, async () => {
    for (let seed = policy.isLarge ? RUNS : 1; seed <= RUNS; seed++) await crashRun(policy, seed)
  })
}
