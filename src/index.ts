// The library: a Redis server as a value inside a program or a test.
//
//   import { createServer } from 'redstart'
//   const server = await createServer()
//   const socket = server.connect()          // in process
//   const port = await server.listen()       // or for any Redis client

import type { System } from './system/system.ts'
import { type VirtualOptions, virtualSystem as virtualMachine } from './system/virtual.ts'

export type { Word, Words } from './embed/arguments.ts'
export type {
  Call,
  CallSync,
  Client,
  ClientOptions,
  CommandName,
  Feed,
  Message,
  ScanOptions,
  Transaction,
} from './embed/client-types.ts'
export type { ServerClock } from './embed/clock.ts'
export { type CreateClusterOptions, createCluster, type EmbeddedCluster } from './embed/cluster.ts'
export type { CommandRecord, RecordedReply } from './embed/command-record.ts'
export type { RedisConfig } from './embed/directives.ts'
export type { CommandMatch, Fault, FaultScope } from './embed/faults.ts'
export type { Interceptor } from './embed/interception.ts'
export type { CreateServerOptions } from './embed/options.ts'
export type { CommandReplies, Reply, StreamEntry } from './embed/replies.ts'
export type { JsonOptions, SeedData, SeedText, SeedValue } from './embed/seed.ts'
export { createServer, type EmbeddedServer, type MemorySocket } from './embed/server.ts'
export type { ResetOptions, Snapshot } from './embed/state.ts'
export type { ClientEvent, EmbeddedEvents, Faults, History, KeyspaceEvent } from './embed/trouble.ts'
export type { WorkerClock, WorkerServer, WorkerSnapshot } from './embed/worker-server.ts'
export type { WorkerInterceptor } from './embed/worker-trouble.ts'
export type { AuditEvent } from './engine/monitoring/audit.ts'
export { RedisError } from './protocol/redis-error.ts'
export type { Authenticate, AuthenticateAnswer, AuthenticationOptions } from './server/logins.ts'
export type { System } from './system/system.ts'

/** A simulated machine: its clock advances on request, its disk is in memory, a seed decides its random numbers. */
export interface SimulatedMachine {
  readonly system: System
  /** Advances the clock and runs events on the way, each at its own time. */
  advance(ms: number): void
  /** Runs everything that is due now, and what becomes due by it. */
  settle(): void
}

export function virtualSystem(options: VirtualOptions = {}): SimulatedMachine {
  return virtualMachine(options)
}
