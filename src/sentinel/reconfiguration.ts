// Making a server follow another one, or none, and telling the reconfiguration script of a new primary.

import type { InstanceAddress } from './addresses.ts'
import type { Primary, Replica } from './instance.ts'
import type { Sentinel } from './sentinel.ts'

/**
 * Sends REPLICAOF; without an address, NO ONE. In one transaction the server also saves its configuration and drops its
 * clients, so that they ask for the primary again. The effect is seen in its INFO. False: there is no connection.
 */
export function sendReplicaOf(sentinel: Sentinel, to: Replica | Primary, address?: InstanceAddress): boolean {
  const whom = address === undefined ? ['NO', 'ONE'] : [sentinel.addresses.announced(address), String(address.port)]
  return sendTransaction(sentinel, to, [['SLAVEOF', ...whom], ...SAVE_AND_DROP])
}

/** The rest of such a transaction alone: for servers whose role was changed otherwise. */
export function sendSaveAndDrop(sentinel: Sentinel, to: Replica | Primary): void {
  sendTransaction(sentinel, to, SAVE_AND_DROP)
}

const SAVE_AND_DROP = [
  ['CONFIG', 'REWRITE'],
  ['CLIENT', 'KILL', 'TYPE', 'normal'],
  ['CLIENT', 'KILL', 'TYPE', 'pubsub'],
]

function sendTransaction(sentinel: Sentinel, to: Replica | Primary, commands: readonly (readonly string[])[]): boolean {
  for (const words of [['MULTI'], ...commands, ['EXEC']]) if (!sentinel.send(to, words)) return false
  return true
}

/** Runs the reconfiguration script of a primary. */
export function reconfigured(
  { addresses, scripts }: Sentinel,
  primary: Primary,
  role: 'leader' | 'observer',
  from: InstanceAddress,
  to: InstanceAddress,
): void {
  const { clientReconfigScript } = primary.settings
  if (clientReconfigScript === '') return
  const ends = [from, to].flatMap(one => [addresses.announced(one), String(one.port)])
  scripts.add([clientReconfigScript, primary.name, role, 'start', ...ends])
}
