// What redis-cli's --cluster does, with a cluster of ours and with one of which every other node is redis-server's.

import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import process from 'node:process'
import { test } from 'node:test'
import { oraclePath, oracleTool, skipUnlessReadsOurs, skipWithoutOracle } from '../harness/oracle.ts'
import { ServerProcess } from '../harness/server-process.ts'
import { sleep } from '../harness/target.ts'
import { projectRoot } from '../tidy/source.ts'

const OURS = join(projectRoot, 'bin/redstart')
const NODES = 5
const KEYS = 60
const STATE_MS_MAX = 60_000
const BASE_PORT = 12_000 + (process.pid % 500) * 20

interface Ran {
  code: number
  text: string
}

class CliCluster {
  readonly nodes: ServerProcess[] = []
  readonly folder = mkdtempSync(join(tmpdir(), 'redstart-cli-'))

  async start(commands: readonly string[]): Promise<void> {
    for (let i = 0; i < NODES; i++) {
      mkdirSync(join(this.folder, String(i)))
      this.nodes.push(
        await ServerProcess.start(commands[i % commands.length], join(this.folder, String(i)), {
          port: String(BASE_PORT + i),
          'cluster-enabled': 'yes',
          'cluster-port': String(BASE_PORT + NODES + i),
          'repl-diskless-sync-delay': '0',
          save: '',
        }),
      )
    }
  }

  async end(): Promise<void> {
    for (const node of this.nodes) await node.kill()
    rmSync(this.folder, { recursive: true, force: true })
  }

  address(i: number): string {
    return `127.0.0.1:${BASE_PORT + i}`
  }

  /** redis-cli --cluster, without questions. */
  run(...words: string[]): Promise<Ran> {
    return new Promise(resolve => {
      execFile(oracleTool('redis-cli'), ['--cluster', ...words, '--cluster-yes'], (error, stdout, stderr) =>
        resolve({ code: error === null ? 0 : 1, text: stdout + stderr }),
      )
    })
  }

  async succeeds(...words: string[]): Promise<string> {
    const { code, text } = await this.run(...words)
    assert.equal(code, 0, `${words.join(' ')}:\n${text}`)
    return text
  }

  /** Waits until nodes 0 to count - 1 know each other and redis-cli finds nothing to complain of. */
  async agrees(count: number): Promise<void> {
    let last = ''
    for (const endMs = performance.now() + STATE_MS_MAX; performance.now() < endMs; await sleep(100)) {
      const infos = await Promise.all(this.nodes.slice(0, count).map(node => node.call('CLUSTER', 'INFO')))
      const known = infos.map(info => /cluster_known_nodes:(\d+)/.exec(String(info))?.[1])
      last = `known nodes: ${known.join(' ')}`
      if (known.some(one => Number(one) !== count) || infos.some(info => !String(info).includes('state:ok'))) continue
      const { code, text } = await this.run('check', this.address(0))
      if (code === 0 && text.includes('[OK] All nodes agree')) return
      last = text
    }
    assert.fail(last)
  }

  async id(i: number): Promise<string> {
    return String(await this.nodes[i].call('CLUSTER', 'MYID'))
  }

  /** The number of slots that a node owns. */
  async slots(i: number): Promise<number> {
    const id = await this.id(i)
    const shards = (await this.nodes[0].call('CLUSTER', 'SLOTS')) as [number, number, [string, number, string]][]
    return shards.filter(([, , [, , owner]]) => owner === id).reduce((sum, [first, last]) => sum + last - first + 1, 0)
  }

  /** The reply of the node that serves the key. */
  async ask(...words: string[]): Promise<unknown> {
    for (const node of this.nodes) {
      const reply = await node.call(...words)
      if (typeof reply !== 'object' || reply === null) return reply
    }
    assert.fail(`nobody serves ${words.join(' ')}`)
  }
}

async function go(cluster: CliCluster): Promise<void> {
  const [first] = [cluster.address(0)]
  const created = await cluster.succeeds('create', first, cluster.address(1), cluster.address(2))
  assert.ok(created.includes('[OK] All 16384 slots covered'))
  await cluster.agrees(3)
  for (let i = 0; i < KEYS; i++) assert.equal(await cluster.ask('SET', `key:${i}`, `value ${i}`), 'OK')
  assert.ok((await cluster.succeeds('info', first)).includes(`[OK] ${KEYS} keys in 3 masters`))

  await cluster.succeeds('add-node', cluster.address(3), first)
  await cluster.agrees(4)
  await cluster.succeeds(
    'add-node',
    cluster.address(4),
    first,
    '--cluster-slave',
    '--cluster-master-id',
    await cluster.id(0),
  )
  await cluster.agrees(5)
  const [from, to] = [await cluster.id(0), await cluster.id(3)]
  await cluster.succeeds('reshard', first, '--cluster-from', from, '--cluster-to', to, '--cluster-slots', '20')
  await cluster.agrees(5)
  assert.equal(await cluster.slots(3), 20)
  await cluster.succeeds('rebalance', first, '--cluster-weight', `${to}=0.03`, '--cluster-threshold', '1')
  await cluster.agrees(5)
  const share = await cluster.slots(3)
  assert.ok(share > 100 && share < 250, String(share))

  // An open slot: its owner and another node say that it is on its way.
  const [[open, , [, port]]] = (await cluster.nodes[0].call('CLUSTER', 'SLOTS')) as [number, number, [string, number]][]
  const owner = port - BASE_PORT
  const other = owner === 1 ? 2 : 1
  assert.equal(await cluster.nodes[owner].call('CLUSTER', 'SETSLOT', open, 'MIGRATING', await cluster.id(other)), 'OK')
  assert.equal(await cluster.nodes[other].call('CLUSTER', 'SETSLOT', open, 'IMPORTING', await cluster.id(owner)), 'OK')
  assert.notEqual((await cluster.run('check', first)).code, 0)
  await cluster.succeeds('fix', first)
  await cluster.agrees(5)

  const called = await cluster.succeeds('call', first, 'CLUSTER', 'MYID')
  for (let i = 0; i < NODES; i++) assert.ok(called.includes(await cluster.id(i)), called)
  mkdirSync(join(cluster.folder, 'backup'))
  await cluster.succeeds('backup', first, join(cluster.folder, 'backup'))
  const files = readdirSync(join(cluster.folder, 'backup'))
  assert.ok(files.includes('nodes.json') && files.filter(name => name.endsWith('.rdb')).length === 4, files.join(' '))

  await cluster.succeeds(
    'reshard',
    first,
    '--cluster-from',
    to,
    '--cluster-to',
    from,
    '--cluster-slots',
    String(await cluster.slots(3)),
  )
  await cluster.succeeds('del-node', first, to)
  for (let i = 0; i < KEYS; i++) assert.equal(await cluster.ask('GET', `key:${i}`), `value ${i}`)
}

/** Keys of a server without cluster mode come into the cluster. */
async function importKeys(cluster: CliCluster, command: string): Promise<void> {
  const folder = join(cluster.folder, 'alone')
  mkdirSync(folder)
  const alone = await ServerProcess.start(command, folder, { save: '' })
  try {
    for (let i = 0; i < 10; i++) await alone.call('SET', `imported:${i}`, i)
    await cluster.succeeds('import', cluster.address(0), '--cluster-from', `127.0.0.1:${alone.port}`, '--cluster-copy')
    for (let i = 0; i < 10; i++) assert.equal(await cluster.ask('GET', `imported:${i}`), String(i))
    assert.equal(await alone.call('DBSIZE'), 10)
  } finally {
    await alone.kill()
  }
}

for (const [name, commands, skip] of [
  ['of ours', [OURS], skipWithoutOracle],
  // FUNCTION RESTORE of what ours has dumped is among what it does.
  ['of both kinds', [OURS, oraclePath ?? ''], skipUnlessReadsOurs],
] as const)
  test(`redis-cli --cluster with nodes ${name}`, { skip, timeout: 240_000 }, async () => {
    const cluster = new CliCluster()
    try {
      await cluster.start(commands)
      await go(cluster)
      await importKeys(cluster, commands.at(-1)!)
    } finally {
      await cluster.end()
    }
  })
