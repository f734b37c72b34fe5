// The cases of this folder (harness/cases.ts): faults that were found, each with what Redis 7.2.4 answers. Ours is
// asked always; with a redis-server of REDIS_SERVER, 7.2 only, the recorded answers are checked too. After new cases:
//
//   ORACLE=write REDIS_SERVER=/path/to/redis-server-7.2.4 npx bun test ./test/answers/cases.test.ts

import assert from 'node:assert/strict'
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { type Case, parseCases, run, startOurs, startRedis, writeCases } from '../harness/cases.ts'
import { factsAreLive, oraclePath } from '../harness/oracle.ts'
import { projectRoot } from '../tidy/source.ts'

const FOLDER = join(projectRoot, 'test/answers')
const isWriting = process.env.ORACLE === 'write' && factsAreLive

function check(one: Case, answers: readonly string[], wanted: (step: Case['steps'][number]) => string): void {
  for (const [i, step] of one.steps.entries())
    assert.equal(answers[i], wanted(step), `${one.title}, at ${step.line.slice(0, 200)}`)
}

for (const file of readdirSync(FOLDER).filter(name => name.endsWith('.cases'))) {
  const path = join(FOLDER, file)
  const text = readFileSync(path, 'utf8')
  const cases = parseCases(text)
  if (factsAreLive) {
    for (const one of cases)
      test(`${one.title} [redis]`, async () => {
        const answers = await run(one, directives => startRedis(oraclePath!, directives))
        if (isWriting) for (const [i, step] of one.steps.entries()) step.answer = answers[i]
        else check(one, answers, step => step.answer)
      })
  }
  for (const one of cases)
    test(one.title, async () => {
      const answers = await run(one, startOurs)
      check(one, answers, step => step.ours ?? step.answer)
    })
  if (isWriting)
    after(() => writeFileSync(path, writeCases(`${text.slice(0, text.indexOf('\n= ')).trimEnd()}\n`, cases)))
}
