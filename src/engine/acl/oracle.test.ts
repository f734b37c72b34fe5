import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { AclGenerator } from '../../../test/fuzz/acl-rules.ts'
import { MachineServer } from '../../../test/harness/machine.ts'
import { type Fact, oraclePath, withFacts } from '../../../test/harness/oracle.ts'
import { type PlainValue, RespError } from '../../../test/harness/resp.ts'
import { ServerProcess } from '../../../test/harness/server-process.ts'
import { virtualSystem } from '../../system/virtual.ts'

const USERS = 60
const COMMANDS_PER_USER = 12

type Call = (...words: string[]) => Promise<PlainValue> | PlainValue

/** What a server replies to the rules of one random user, to GETUSER, LIST and to DRYRUN of random commands. */
async function replies(call: Call, make: AclGenerator): Promise<Fact> {
  const shown: string[] = []
  const say = async (...words: string[]) => {
    const reply = await call('ACL', ...words)
    shown.push(reply instanceof RespError ? `-${reply.message}` : JSON.stringify(reply))
  }
  await say('SETUSER', 'u', 'reset', ...make.rules().filter(rule => !rule.startsWith('reset')))
  // One refused rule spoils a whole SETUSER: here each has its own.
  for (const rule of [...make.rules(), ...make.rules()]) await say('SETUSER', 'u', rule)
  await say('GETUSER', 'u')
  await say('LIST')
  for (let i = 0; i < COMMANDS_PER_USER; i++) await say('DRYRUN', 'u', ...make.command())
  await say('DELUSER', 'u')
  return shown
}

test('random users may do what they may do on redis-server', { timeout: 60_000 }, async () => {
  const ours = await MachineServer.start(virtualSystem())
  const folder = mkdtempSync(join(tmpdir(), 'redstart-acl-'))
  let theirs: ServerProcess | undefined
  try {
    await withFacts('acl', async facts => {
      for (let seed = 1; seed <= USERS; seed++) {
        const wanted = await facts.of(`user ${seed}`, async () => {
          theirs ??= await ServerProcess.start(oraclePath!, folder, { save: '', appendonly: 'no' })
          const { connection } = theirs
          return replies((...words) => connection.call(...words), new AclGenerator(seed))
        })
        const got = await replies((...words) => ours.call(...words), new AclGenerator(seed))
        assert.deepEqual(got, wanted, `user ${seed}`)
      }
    })
  } finally {
    theirs?.connection.close()
    theirs?.signal('SIGKILL')
    rmSync(folder, { recursive: true, force: true })
  }
})
