// The client of a server in a program, as types: a method for each command, from its arguments and its reply.

import type { CommandArguments, Word, Words } from './arguments.ts'
import type { CommandReplies, Reply } from './replies.ts'

export type CommandName = keyof CommandArguments & keyof CommandReplies

/** The method of a command: 'GET' is get, 'CONFIG GET' configGet, 'SORT_RO' sortRo, 'CLIENT NO-EVICT' clientNoEvict. */
type MethodName<Name extends string> = Name extends `${infer Head}${' ' | '-' | '_'}${infer Tail}`
  ? `${Lowercase<Head>}${Capitalize<MethodName<Tail>>}`
  : Lowercase<Name>

type CommandMethods<Text> = {
  [Name in CommandName as MethodName<Name>]: (...args: CommandArguments[Name]) => Promise<CommandReplies<Text>[Name]>
}

type QueueMethods<Text, Replies extends unknown[]> = {
  [Name in CommandName as MethodName<Name>]: (
    ...args: CommandArguments[Name]
  ) => Transaction<Text, [...Replies, CommandReplies<Text>[Name]]>
}

/** Commands that run as one: nothing is sent before exec(). */
export type Transaction<Text = string, Replies extends unknown[] = []> = QueueMethods<Text, Replies> & {
  /** Any command. */
  call(name: string, ...args: Words[]): Transaction<Text, [...Replies, Reply<Text>]>
  /**
   * What each command replied; null when a watched key had changed, and nothing was run. Rejects with the first error,
   * whose `replies` has what the others replied.
   */
  exec(): Promise<Replies | null>
}

type AnyCase = CommandName | Lowercase<CommandName>
type Capital<Name extends string> = Uppercase<Name> & CommandName

/** Runs any command: by its name with the types of the table, or with the type that the caller knows. */
export interface Call<Text = string> {
  <Name extends AnyCase>(
    name: Name,
    ...args: CommandArguments[Capital<Name>]
  ): Promise<CommandReplies<Text>[Capital<Name>]>
  <T = Reply<Text>>(name: string, ...args: Words[]): Promise<T>
}

/** The same at once. */
export interface CallSync {
  <Name extends AnyCase>(name: Name, ...args: CommandArguments[Capital<Name>]): CommandReplies[Capital<Name>]
  <T = Reply>(name: string, ...args: Words[]): T
}

export interface Message<Text = string> {
  readonly channel: string
  readonly message: Text
  /** The pattern that matched, with psubscribe(). */
  readonly pattern?: string
}

/** What comes in, until close(): `for await (const { message } of subscription)`. */
export interface Feed<Item> {
  /** The next item; undefined after the end. */
  next(): Promise<{ done: false; value: Item } | { done: true; value: undefined }>
  /** Ends it, and a loop over it. */
  close(): void
  return(): Promise<{ done: true; value: undefined }>
  [Symbol.asyncIterator](): Feed<Item>
}

export interface ScanOptions {
  match?: string
  count?: number
  /** SCAN alone: only keys of this type. */
  type?: string
}

export interface ClientOptions {
  /** The database; SELECT changes it. */
  db?: number
  /** Default: the user 'default' with `requirepass`. */
  username?: string
  password?: string
  /** Strings in replies are bytes (Uint8Array), not text. */
  bytes?: boolean
}

export type Client<Text = string> = CommandMethods<Text> & {
  call: Call<Text>
  /** MULTI: queue commands on it, then exec(). */
  multi(): Transaction<Text>
  /** Another connection of the same kind: for blocking commands, which hold their own up. */
  duplicate(): Client<Text>
  /** Messages of channels, patterns and shard channels, on a connection of their own. */
  subscribe(...channels: string[]): Promise<Feed<Message<Text>>>
  psubscribe(...patterns: string[]): Promise<Feed<Message<Text>>>
  ssubscribe(...channels: string[]): Promise<Feed<Message<Text>>>
  /** What all clients run, a line each. */
  monitor(): Promise<Feed<string>>
  /** Push messages of this connection, such as invalidations: the first item names the kind. */
  onPush: (items: Reply<Text>[]) => void
  /** All keys, each page as it is asked for; a key may come twice while the keyspace changes. */
  scanIterator(options?: ScanOptions): AsyncGenerator<Text, void, undefined>
  hscanIterator(key: Word, options?: ScanOptions): AsyncGenerator<[field: Text, value: Text], void, undefined>
  sscanIterator(key: Word, options?: ScanOptions): AsyncGenerator<Text, void, undefined>
  zscanIterator(key: Word, options?: ScanOptions): AsyncGenerator<[member: Text, score: number], void, undefined>
  /** Ends the connection; commands that wait reject. A closed client opens a new connection when it is used. */
  close(): void
}
