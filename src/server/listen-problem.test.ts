import assert from 'node:assert/strict'
import { test } from 'node:test'
import { NetworkError } from '../system/network.ts'
import { listenProblem } from './listen-problem.ts'

test('an address that is in use fails in bind, a name in the look-up', () => {
  const reason = (error: NetworkError) => listenProblem('h', 1, 'tcp', error)[0].split('h:1: ')[1]
  assert.equal(reason(new NetworkError('EADDRINUSE')), 'bind: Address already in use')
  assert.equal(reason(new NetworkError('EADDRNOTAVAIL')), 'bind: Cannot assign requested address')
  assert.equal(reason(new NetworkError('ENOTFOUND')), 'Name or service not known')
  assert.equal(reason(new NetworkError('UNKNOWN', 'Failed to listen at nohost')), 'Name or service not known')
})
