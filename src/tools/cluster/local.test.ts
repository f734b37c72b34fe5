import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Config } from '../../config/config.ts'
import { loadText } from '../../config/parser.ts'
import { Logger } from '../../server/log.ts'
import { Server } from '../../server/server.ts'
import { VirtualWorld } from '../../system/virtual-world.ts'
import { type Machine, runTool } from '../command-line.ts'
import { clusterTool } from './cluster.ts'

/** A machine on which redstart is a server of the same process, with the tool's words for directives. */
class LocalMachine {
  private readonly world = new VirtualWorld({ seed: 3 })
  private readonly machine = this.world.machine('here')
  readonly started: string[] = []

  private spawn(words: readonly string[]): void {
    const { system } = this.machine
    const all = new Map<string, string>()
    for (let i = 1; i < words.length; i += 2) all.set(words[i].slice(2), words[i + 1])
    this.started.push(`${all.get('port')} in ${all.get('dir')}`)
    // Several servers in one process have one current folder.
    const lines = [`port ${all.get('port')}`, `cluster-config-file ${all.get('dir')}/nodes.conf`, 'save ""']
    const config = new Config(system.disk)
    loadText(config, [...lines, 'cluster-enabled yes'].join('\n'))
    const server = new Server(config, system, new Logger(system, config))
    void server.listen().then(() => server.load())
  }

  async run(...args: string[]): Promise<{ code: number; out: string }> {
    const { system } = this.machine
    this.machine.out = this.machine.err = ''
    const spawn = (words: readonly string[]) => {
      this.spawn(words)
      return { pid: 1, kill: () => {} } as unknown as ReturnType<Machine['process']['spawn']>
    }
    const process = { ...system.process, command: ['redstart'], spawn }
    const code = await this.world.until(runTool(clusterTool, args, { ...system, process }))
    return { code, out: `${this.machine.out}${this.machine.err}` }
  }
}

test('a cluster of replicas is made, shown, and refused when it is too small', async () => {
  const machine = new LocalMachine()
  const small = await machine.run('start', '/small', '--nodes', '4')
  assert.equal(small.code, 2)
  assert.match(small.out, /4 nodes are too few for 3 primaries with 1 replicas each/)
  assert.deepEqual(machine.started, [])
  const made = await machine.run('start', '/mine', '--port', '7100')
  assert.equal(made.code, 0, made.out)
  assert.deepEqual(
    machine.started,
    [0, 1, 2, 3, 4, 5].map(i => `${7100 + i} in /mine/${7100 + i}`),
  )
  assert.match(made.out, /The cluster of 6 nodes is ready: redis-cli -c -p 7100/)
  const shown = await machine.run('status', '/mine')
  assert.equal(shown.code, 0)
  assert.equal(shown.out.match(/ (myself,)?master /g)?.length, 3)
  assert.equal(shown.out.match(/ (myself,)?slave /g)?.length, 3)
  assert.match(shown.out, /cluster_slots_assigned:16384/)
  const wrong = await machine.run('erase', '/mine')
  assert.equal(wrong.code, 2)
  assert.match(wrong.out, /There is no action erase/)
})
