import assert from 'node:assert/strict'
import { test } from 'node:test'
import { NetworkError } from '../system/network.ts'
import { listenOnEach, listenProblem } from './listen-problem.ts'

test('an address that is in use fails in bind, a name in the look-up', () => {
  const reason = (error: NetworkError) => listenProblem('h', 1, 'tcp', error)[0].split('h:1: ')[1]
  assert.equal(reason(new NetworkError('EADDRINUSE')), 'bind: Address already in use')
  assert.equal(reason(new NetworkError('EADDRNOTAVAIL')), 'bind: Cannot assign requested address')
  assert.equal(reason(new NetworkError('ENOTFOUND')), 'Name or service not known')
  assert.equal(reason(new NetworkError('UNKNOWN', 'Failed to listen at nohost')), 'Name or service not known')
})

test('an optional address that is not there is logged, an optional name that does not resolve is fatal', async () => {
  const warnings: string[] = []
  const log = { warning: (text: string) => void warnings.push(text) }
  const listen = async (host: string) => {
    if (host === 'nohost') throw new NetworkError('ENOTFOUND', 'Failed to listen at nohost')
    if (host !== '127.0.0.1') throw new NetworkError('EADDRNOTAVAIL')
  }
  const each = (...hosts: string[]) =>
    listenOnEach(
      log,
      hosts.map(host => ({ host, optional: true })),
      1,
      'tcp',
      listen,
    )
  await each('127.0.0.1', '192.0.2.7', '::')
  assert.deepEqual(warnings, [
    'Warning: Could not create server TCP listening socket 192.0.2.7:1: bind: Cannot assign requested address',
    'Warning: Could not create server TCP listening socket :::1: bind: Cannot assign requested address',
  ])
  await assert.rejects(each('127.0.0.1', 'nohost'), { name: 'Error' })
})
