// What Linux says in /proc about a process: for tools that measure servers, redis-server among them.

import { readFileSync } from 'node:fs'

const TICKS_PER_SECOND = 100

/** User and system time of all threads, or of the main thread alone, in steps of 10 ms. */
export function cpuSecondsOf(pid: number, threads: 'all' | 'main' = 'all'): number {
  const path = threads === 'all' ? `/proc/${pid}/stat` : `/proc/${pid}/task/${pid}/stat`
  // The program's name, in parentheses, may have spaces.
  const fields = readFileSync(path, 'latin1').split(') ').pop()!.split(' ')
  return (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND
}

/** Resident memory; NaN for a process that has ended. */
export function residentBytesOf(pid: number): number {
  const status = readFileSync(`/proc/${pid}/status`, 'latin1')
  return Number(/VmRSS:\s+(\d+) kB/.exec(status)?.[1]) * 1024
}

/** How long its main thread has been ready to run and waited for a core. */
export function coreWaitMsOf(pid: number): number {
  return Number(readFileSync(`/proc/${pid}/schedstat`, 'latin1').split(' ')[1]) / 1e6
}

/** Bytes that it has given to write calls, and its children that have ended: files, and hardly anything else. */
export function writtenBytesOf(pid: number): number {
  return Number(/wchar: (\d+)/.exec(readFileSync(`/proc/${pid}/io`, 'latin1'))?.[1])
}
