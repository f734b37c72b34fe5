// MEMORY DOCTOR: advice from the figures of memory.

import type { MemoryFigures } from '../../../engine/ports/host.ts'

const EMPTY_BYTES = 5 * 1024 * 1024
const NOTABLE_BYTES = 10 << 20
const CLIENT_BYTES_MAX = 200 * 1024
const SCRIPTS_BYTES_MAX = 10 << 20

interface Finding {
  found(m: MemoryFigures, clients: number): boolean
  text: string
}

const FINDINGS: readonly Finding[] = [
  {
    found: m => m.peakBytes / m.usedBytes > 1.5,
    text: ' * Peak: the server once used more than 1.5 times the memory it uses now. Compaction gives memory back some time after keys are deleted; MEMORY PURGE does so at once.',
  },
  {
    found: m => m.rssBytes / m.usedBytes > 1.4 && m.rssBytes - m.usedBytes > 64 << 20,
    text: ' * Resident memory: the process holds more than 1.4 times the memory that is used. A peak in the past is the usual reason.',
  },
  {
    found: m => m.activeBytes / m.allocatedBytes > 1.1 && m.activeBytes - m.allocatedBytes > NOTABLE_BYTES,
    text: ' * Fragmentation: pages in use are less than 90% full. Deleted values of many sizes leave such gaps, a peak in the past leaves most.',
  },
  {
    found: m => m.residentBytes / m.activeBytes > 1.1 && m.residentBytes - m.activeBytes > 64 << 20,
    text: ' * Allocator: it holds more than 1.1 times the memory of its pages in use, as after a peak. MEMORY PURGE gives it back.',
  },
  {
    found: (m, clients) => m.clientsNormalBytes / Math.max(1, clients) > CLIENT_BYTES_MAX,
    text: ' * Clients: their buffers take more than 200 KiB each on average. Subscribers may not read fast enough, or replies and pipelines may be very large: see tot-mem, omem and qbuf in CLIENT LIST.',
  },
  {
    found: m => m.clientsReplicaBytes > NOTABLE_BYTES,
    text: ' * Replicas: their output buffers take more than 10 MiB. INFO replication shows which replica lags, CLIENT LIST its buffer.',
  },
  {
    found: m => m.scriptBytes > SCRIPTS_BYTES_MAX,
    text: ' * Scripts: cached scripts take more than 10 MiB. Do not put values into the text of a script: hand them over in KEYS and ARGV, so that one cached script serves all calls.',
  },
]

export function diagnosis(m: MemoryFigures, clients: number): string {
  if (m.usedBytes < EMPTY_BYTES) return 'There is too little data to judge by: the server uses less than 5 MiB.\n'
  const found = FINDINGS.filter(finding => finding.found(m, clients))
  if (found.length === 0) return 'Nothing about the use of memory stands out.\n'
  return `What stands out about the use of memory:\n\n${found.map(f => `${f.text}\n\n`).join('')}`
}
