// The network of the runtime this runs on. Its adapter is loaded at first use: each imports its runtime's modules.

import type { Network } from '../system/network.ts'

export function runtimeNetwork(): Network {
  let loading: Promise<Network> | undefined
  const whenLoaded = (use: (network: Network) => void) => {
    loading ??= load()
    loading.then(use)
  }
  return {
    listen: (options, receiver, done) => whenLoaded(network => network.listen(options, receiver, done)),
    dial: (address, timeoutMs, done) => whenLoaded(network => network.dial(address, timeoutMs, done)),
    secure: (settings, done) => whenLoaded(network => network.secure(settings, done)),
    resolve: (name, done) => whenLoaded(network => network.resolve(name, done)),
  }
}

async function load(): Promise<Network> {
  if (typeof Bun !== 'undefined') return new (await import('./bun.ts')).BunNetwork()
  return new (await import('./node.ts')).NodeNetwork()
}
