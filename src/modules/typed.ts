// Types of a module's commands as an application sees them, taken from the definition itself.
//
//   args: 'key#0 count:integer [ttl:integer]'  ─▶ [string | Uint8Array, number | bigint, (number | bigint)?]
//   run: () => [number, string]                ─▶ [number, string]
//
// A syntax line that has blocks, alternatives or tokens in brackets is typed up to there: after it come any words.

import type { Borrowed, CallReply, KeyWait, ModuleCommand, ModuleReply, PlainWord, TypedReply } from './definition.ts'

/** Of a definition, each command by its name: { 'cl.throttle': { args: [...], reply: [...] } }. */
export type Commands<Definition extends { readonly commands?: readonly ModuleCommand[] }> = {
  [Command in NonNullable<Definition['commands']>[number] as Command['name']]: {
    args: ArgumentsOf<Command>
    reply: Command extends { readonly run: (...args: never[]) => infer Reply } ? ReplyOf<Reply> : unknown
  }
}

/** A method for each command, by its name, as addCommands() gives them to an ioredis client. */
export type CommandMethods<Definition extends { readonly commands?: readonly ModuleCommand[] }> = {
  [Name in keyof Commands<Definition>]: Commands<Definition>[Name] extends TypedCommand<infer Args, infer Reply>
    ? (...args: Args) => Promise<Reply>
    : never
}

/** Commands of node-redis by the two halves of their names: client.cl.throttle(...) sends CL.THROTTLE. */
export type NodeRedisModules<
  Definition extends { readonly name: string; readonly commands?: readonly ModuleCommand[] },
> = {
  [Name in keyof Commands<Definition> & string as Half<Name, Definition['name']>]: Group<
    Commands<Definition>,
    Half<Name, Definition['name']>,
    Definition['name']
  >
}

type Group<All, Prefix extends string, Otherwise extends string> = {
  [Name in keyof All & string as Half<Name, Otherwise> extends Prefix
    ? Rest<Name>
    : never]: All[Name] extends TypedCommand<infer Args, infer Reply> ? NodeRedisCommand<Args, Reply> : never
}

interface TypedCommand<Args extends unknown[], Reply> {
  args: Args
  reply: Reply
}

/** What node-redis 4 (transformArguments) and 5 (parseCommand) ask of a command. */
export interface NodeRedisCommand<Args extends unknown[], Reply> {
  readonly FIRST_KEY_INDEX: number | undefined
  readonly IS_READ_ONLY: boolean
  transformArguments(...args: Args): (string | Buffer)[]
  parseCommand(parser: never, ...args: Args): void
  readonly transformReply: () => Reply
}

type Half<Name extends string, Otherwise extends string> = Name extends `${infer First}.${string}` ? First : Otherwise
type Rest<Name extends string> = Name extends `${string}.${infer Last}` ? Last : Name

/** The words after the name. A container's are the subcommand and whatever it takes. */
type ArgumentsOf<Command> = Command extends { readonly args: infer Line extends string }
  ? string extends Line
    ? PlainWord[]
    : LineOf<Line>
  : Command extends { readonly arity: 1 }
    ? []
    : PlainWord[]

type LineOf<Line extends string, Before extends unknown[] = []> = Line extends ''
  ? Before
  : Line extends `[${infer Inner}]${infer After}`
    ? OptionalOf<Inner, After, Before>
    : Line extends `${infer Word} ${infer After}`
      ? Word extends `${string}${'(' | '['}${string}`
        ? [...Before, ...PlainWord[]]
        : Word extends `${infer One}...`
          ? [...Before, WordOf<One>, ...PlainWord[]]
          : LineOf<After, [...Before, WordOf<Word>]>
      : Line extends `${string}${'(' | '['}${string}`
        ? [...Before, ...PlainWord[]]
        : Line extends `${infer One}...`
          ? [...Before, WordOf<One>, ...WordOf<One>[]]
          : [...Before, WordOf<Line>]

type OptionalOf<Inner extends string, After extends string, Before extends unknown[]> = Inner extends
  | `${string}${' ' | '(' | '['}${string}`
  | Uppercase<Inner>
  ? [...Before, ...PlainWord[]]
  : Inner extends `${infer One}...`
    ? After extends ''
      ? [...Before, ...WordOf<One>[]]
      : [...Before, ...PlainWord[]]
    : After extends ''
      ? [...Before, WordOf<Inner>?]
      : After extends ` [${string}`
        ? After extends ` ${infer Next}`
          ? LineOf<Next, [...Before, WordOf<Inner>?]>
          : never
        : [...Before, ...PlainWord[]]

type WordOf<Word extends string> = Word extends `${string}:integer${string}` | `${string}:unix-time${string}`
  ? number | bigint
  : Word extends `${string}:double${string}`
    ? number
    : Word extends `${string}#${number}`
      ? string | Uint8Array
      : Word extends Uppercase<Word>
        ? Word | Lowercase<Word>
        : PlainWord

/**
 * What a client gets for what a handler returns: bulk strings are text, true and false are 1 and 0 in RESP2. A number
 * that is not whole is text in RESP2, which no type can tell. What a map becomes is the client's matter: unknown.
 */
export type ReplyOf<Reply> = [ModuleReply] extends [Reply]
  ? unknown
  : [CallReply] extends [Reply]
    ? unknown
    : EachReplyOf<Reply>

type EachReplyOf<Reply> =
  Reply extends Promise<infer Settled>
    ? ReplyOf<Settled>
    : Reply extends KeyWait
      ? never
      : Reply extends string | Uint8Array | Borrowed
        ? string
        : Reply extends boolean
          ? boolean | 0 | 1
          : Reply extends number | bigint
            ? number
            : Reply extends null | undefined
              ? null
              : Reply extends TypedReply
                ? string | number
                : Reply extends ReadonlySet<infer Member>
                  ? ReplyOf<Member>[]
                  : Reply extends readonly unknown[]
                    ? { -readonly [Index in keyof Reply]: ReplyOf<Reply[Index]> }
                    : unknown
