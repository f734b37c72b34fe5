// Findings: the results of checking one file.

/** The first fault in a file. */
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

/** Of an RDB file or the RDB preamble of an AOF file. */
export interface RdbFindings {
  version: number
  /** From the aux fields: 'redis-ver', 'aof-base'. */
  fields: ReadonlyMap<string, string>
  keys: number
  /** Keys of each type, by its name. */
  types: ReadonlyMap<string, number>
  withExpiry: number
  /** Expired keys among them. */
  expired: number
  /** Keys with an empty collection, which a server skips. */
  empty: number
  databases: number
  libraries: number
  /** Modules with data, which only a server with the module can read. */
  modules: ReadonlySet<string>
  checksum: 'right' | 'wrong' | 'absent' | 'not reached'
  /** A server loads it in spite of the findings. */
  loads: boolean
  /** Offset after the RDB. */
  end: number
  /** The valid parts of the file: all of it up to the first fault, and the parts between damaged values. */
  ranges: readonly Range[]
  /** Keys with damaged values, if the file could be read to its end. */
  damaged: readonly string[]
  /** Values in other files that it names, looked at as well. */
  values: number
  valueBytes: number
  fault?: Fault
}

/** Of the commands in an AOF file. */
export interface AofFindings {
  commands: number
  /** MULTI … EXEC. */
  groups: number
  /** Unix time of the first annotation; -1: none. */
  firstSeconds: number
  lastSeconds: number
  sizeBytes: number
  /** Offset after the last complete command or group. */
  validUpTo: number
  /** Offset of the first annotation later than the requested time; -1: none. */
  laterAt: number
  fault?: Fault
}
