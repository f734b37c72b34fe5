// MEMORY DOCTOR: advice from the figures of memory, in the words that Redis users know.

import type { MemoryFigures } from '../../../engine/host.ts'

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
    text: ' * Peak memory: In the past this instance used more than 150% the memory that is currently using. Memory is given back to the system by compaction some time after keys are deleted; MEMORY PURGE hastens it.',
  },
  {
    found: m => m.rssBytes / m.usedBytes > 1.4 && m.rssBytes - m.usedBytes > 64 << 20,
    text: ' * High total RSS: This instance has a memory fragmentation and RSS overhead greater than 1.4 (this means that the Resident Set Size of the process is much larger than the sum of the logical allocations). This is usually due to a large peak memory (check if there is a peak memory entry above in the report).',
  },
  {
    found: m => m.activeBytes / m.allocatedBytes > 1.1 && m.activeBytes - m.allocatedBytes > NOTABLE_BYTES,
    text: ' * High allocator fragmentation: This instance has an allocator external fragmentation greater than 1.1. This problem is usually due either to a large peak memory (check if there is a peak memory entry above in the report) or may result from a workload that causes the allocator to fragment memory a lot.',
  },
  {
    found: m => m.residentBytes / m.activeBytes > 1.1 && m.residentBytes - m.activeBytes > 64 << 20,
    text: ' * High allocator RSS overhead: This instance has an RSS memory overhead greater than 1.1 (this means that the allocator holds much more address space than it uses). This problem is usually due to a large peak memory (check if there is a peak memory entry above in the report), you can try the MEMORY PURGE command to reclaim it.',
  },
  {
    found: (m, clients) => m.clientsNormalBytes / Math.max(1, clients) > CLIENT_BYTES_MAX,
    text: ' * Big client buffers: The clients output buffers in this instance are greater than 200K per client (on average). This may result from Pub/Sub clients that do not receive data fast enough, or from clients sending commands with large replies or very large pipelines. Use the CLIENT LIST command to see which clients use a big amount of memory.',
  },
  {
    found: m => m.clientsReplicaBytes > NOTABLE_BYTES,
    text: ' * Big replica buffers: The replica output buffers in this instance are greater than 10MB. Some replica is struggling to receive data: INFO shows how far replicas lag behind, CLIENT LIST their output buffers.',
  },
  {
    found: m => m.scriptBytes > SCRIPTS_BYTES_MAX,
    text: ' * Many scripts: There seem to be many cached scripts in this instance. This may be because scripts are generated and `EVAL`ed, instead of being parameterized (with KEYS and ARGV), `SCRIPT LOAD`ed and `EVALSHA`ed.',
  },
]

export function diagnosis(m: MemoryFigures, clients: number): string {
  if (m.usedBytes < EMPTY_BYTES)
    return "Hi Sam, this instance is empty or is using very little memory, my issues detector can't be used in these conditions. Please, leave for your mission on Earth and fill it with some data. The new Sam and I will be back to our programming as soon as I finished rebooting.\n"
  const found = FINDINGS.filter(finding => finding.found(m, clients))
  if (found.length === 0)
    return "Hi Sam, I can't find any memory issue in your instance. I can only account for what occurs on this base.\n"
  return `Sam, I detected a few issues in this Redis instance memory implants:\n\n${found.map(f => `${f.text}\n\n`).join('')}I'm here to keep you safe, Sam. I want to help you.\n`
}
