// MEMORY DOCTOR: advice from memory figures.

import type { MemoryFigures } from '../../../engine/ports/host.ts'

const EMPTY_BYTES = 5 << 20
/** Less waste than this is not reported, whatever its ratio. */
const NOTABLE_BYTES = 10 << 20
const CLIENT_BYTES_MAX = 200 * 1024
const SCRIPTS_MAX = 1000

/** The figures judged; the thresholds are redis-server's. */
interface Examined {
  m: MemoryFigures
  /** Without replicas. */
  clients: number
  cachedScripts: number
}

interface Finding {
  found(examined: Examined): boolean
  text: string
}

function isWaste(holdsBytes: number, neededBytes: number, ratioMax: number): boolean {
  return holdsBytes / neededBytes > ratioMax && holdsBytes - neededBytes > NOTABLE_BYTES
}

const FINDINGS: readonly Finding[] = [
  {
    found: ({ m }) => m.peakBytes / m.usedBytes > 1.5,
    text: ' * Peak: the server once used more than 1.5 times the memory it uses now. Compaction gives memory back some time after keys are deleted; MEMORY PURGE does so at once.',
  },
  {
    found: ({ m }) => isWaste(m.rssBytes - m.baseBytes, m.allocatedBytes, 1.4),
    text: ' * Resident memory: the process holds more than 1.4 times the memory that is used, the usual share of the runtime (mem_runtime_base) aside. A peak in the past is the usual reason.',
  },
  {
    found: ({ m }) => isWaste(m.activeBytes, m.allocatedBytes, 1.1),
    text: ' * Fragmentation: pages in use are less than 90% full. Deleted values of many sizes leave such gaps, a peak in the past leaves most.',
  },
  {
    found: ({ m }) => isWaste(m.residentBytes, m.activeBytes, 1.1),
    text: ' * Allocator: it holds more than 1.1 times the memory of its pages in use, as after a peak. MEMORY PURGE gives it back.',
  },
  {
    found: ({ m }) => isWaste(m.rssBytes - m.baseBytes, m.residentBytes, 1.1),
    text: ' * Process: it holds more than 1.1 times the memory of its allocator, the usual share of the runtime aside. Scripts that make large tables, or very many scripts, are the usual reason.',
  },
  {
    found: ({ m, clients }) => m.clientsNormalBytes / Math.max(1, clients) > CLIENT_BYTES_MAX,
    text: ' * Clients: their buffers take more than 200 KiB each on average. Subscribers may not read fast enough, or replies and pipelines may be very large: see tot-mem, omem and qbuf in CLIENT LIST.',
  },
  {
    found: ({ m }) => m.clientsReplicaBytes > NOTABLE_BYTES,
    text: ' * Replicas: their output buffers take more than 10 MiB. INFO replication shows which replica lags, CLIENT LIST its buffer.',
  },
  {
    found: ({ cachedScripts }) => cachedScripts > SCRIPTS_MAX,
    text: ' * Scripts: more than 1000 are cached. Do not put values into the text of a script: hand them over in KEYS and ARGV, so that one cached script serves all calls.',
  },
]

export function diagnosis(examined: Examined): string {
  if (examined.m.usedBytes < EMPTY_BYTES)
    return 'There is too little data to judge by: the server uses less than 5 MiB.\n'
  const found = FINDINGS.filter(finding => finding.found(examined))
  if (found.length === 0) return 'Nothing about the use of memory stands out.\n'
  return `What stands out about the use of memory:\n\n${found.map(f => `${f.text}\n\n`).join('')}`
}
