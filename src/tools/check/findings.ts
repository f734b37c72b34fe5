// Findings: what the check of one file has brought to light.

/** The first thing in a file that is not as it must be. */
export interface Fault {
  /** Bytes from the beginning of the file. */
  offset: number
  message: string
}

/** Bytes from .. to of a file. */
export interface Range {
  from: number
  to: number
}

/** Of an RDB, whole or as the first part of an append-only file. */
export interface RdbFindings {
  version: number
  /** From the aux fields: 'redis-ver', 'aof-base'. */
  fields: ReadonlyMap<string, string>
  keys: number
  /** Keys of each type, by its name. */
  types: ReadonlyMap<string, number>
  withExpiry: number
  /** Of those, keys whose time is over. */
  expired: number
  /** Keys whose collection is empty: a server passes over them. */
  empty: number
  databases: number
  libraries: number
  /** Records of modules, which only a server with the module can read. */
  modules: ReadonlySet<string>
  checksum: 'right' | 'wrong' | 'absent' | 'not reached'
  /** A server loads it, whatever was found. */
  loads: boolean
  /** Offset behind the RDB. */
  end: number
  /** What of the file is whole: all of it up to the first fault, and what stands between damaged values. */
  ranges: readonly Range[]
  /** Keys whose values are damaged, where the file could be read on to its end. */
  damaged: readonly string[]
  fault?: Fault
}

/** Of the commands in an append-only file. */
export interface AofFindings {
  commands: number
  /** MULTI … EXEC. */
  groups: number
  /** Seconds since 1970, from the annotations; -1 without. */
  firstSeconds: number
  lastSeconds: number
  sizeBytes: number
  /** Offset behind the last command, or group, that is whole. */
  validUpTo: number
  /** Where the first annotation stands that is later than the time asked for; -1: nowhere. */
  laterAt: number
  fault?: Fault
}
