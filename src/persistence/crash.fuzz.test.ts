import { test } from 'node:test'
import { crashRun, POLICIES } from '../../test/crash/simulation.ts'

// More of them, and other seeds: test/crash/simulate.ts.
const RUNS = 2

for (const policy of POLICIES) {
  test(`a crash at any moment keeps what is promised: ${policy.name}`, async () => {
    for (let seed = 1; seed <= RUNS; seed++) await crashRun(policy, seed)
  })
}
