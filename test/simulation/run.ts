// Runs fleets for a range of seeds and prints their results, which must be the same on every runtime.
//
//   bun test/simulation/run.ts 1000 > bun.txt
//   npm run build && node build/test/simulation/run.js 1000 > node.txt && cmp bun.txt node.txt
//
// The second argument is the first seed.

import process from 'node:process'
import { runFleet } from './fleet.ts'

const [count = 100, first = 0] = process.argv.slice(2).map(Number)
for (let seed = first; seed < first + count; seed++) {
  const { digest, commands, replyBytes } = await runFleet(seed)
  console.log(`${seed} ${digest} ${commands} commands, ${replyBytes} bytes of replies`)
}
