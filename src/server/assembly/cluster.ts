// Connects cluster mode to a server that has it, and its fields of INFO to all.

import type { InfoSource } from '../../engine/monitoring/info.ts'
import { type ClusterMode, type ClusterServer, clusterModeOf } from './cluster-mode.ts'

/** Undefined without cluster mode. */
export function clusterOf(server: ClusterServer): ClusterMode | undefined {
  let mode: ClusterMode | undefined
  const ofClients: InfoSource = { section: 'clients', fields: { cluster_connections: () => mode?.connections ?? 0 } }
  const ofMemory: InfoSource = { section: 'memory', fields: { mem_cluster_links: () => mode?.memoryBytes ?? 0 } }
  server.maintenance.addInfo(() => [ofClients, ofMemory])
  if (server.config.clusterEnabled) mode = clusterModeOf(server)
  return mode
}
