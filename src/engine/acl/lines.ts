// Users as text: the rules of one user as words, and the ACL file, one user a line.
//
//   user alice on #5e88… ~cached:* (+get ~shared:*) +@read
//
// Always: an ACL file is taken whole or not at all; the texts of its errors are Redis 7.2's.

import { withoutOuter } from '../../lib/text.ts'
import { hasBlanks, RULE_SYNTAX, UNKNOWN_COMMAND } from './selector.ts'
import type { User } from './user.ts'

const FILE_BLANKS = ' \t\r\n'

/** Rules with each (selector) in one piece; the index of a rule whose parenthesis is never closed. */
export function mergedRules(rules: readonly string[]): string[] | number {
  const merged: string[] = []
  let selector: string[] | undefined
  let openedAt = 0
  for (const [i, rule] of rules.entries()) {
    if (selector === undefined && (!rule.startsWith('(') || rule.endsWith(')'))) {
      merged.push(rule)
      continue
    }
    if (selector === undefined) {
      selector = []
      openedAt = i
    }
    selector.push(rule)
    if (selector.length === 1 || !rule.endsWith(')')) continue
    merged.push(selector.join(' '))
    selector = undefined
  }
  return selector === undefined ? merged : openedAt
}

/** The users of an ACL file, or what is wrong with it. `path`: as errors name it. */
export function usersOfFile(text: string, path: string, newUser: (name: string) => User): User[] | string {
  const users = new Map<string, User>()
  let errors = ''
  for (const [i, raw] of text.split('\n').entries()) {
    const line = withoutOuter(raw, FILE_BLANKS)
    if (line === '') continue
    errors += addLine(users, line.split(' '), `${path}:${i + 1}`, i + 1, newUser)
  }
  if (errors === '') return [...users.values()]
  return `${errors}WARNING: ACL errors detected, no change to the previously active ACL rules was performed`
}

/** Adds the user of one line; the errors. */
function addLine(
  users: Map<string, User>,
  words: readonly string[],
  place: string,
  lineNumber: number,
  newUser: (name: string) => User,
): string {
  const [keyword, name, ...rules] = words
  if (keyword !== 'user' || name === undefined)
    return `${place} should start with user keyword followed by the username. `
  if (hasBlanks(name)) return `'${place}: username '${name}' contains invalid characters. `
  if (users.has(name)) return `WARNING: Duplicate user '${name}' found on line ${lineNumber}. `
  const user = newUser(name)
  users.set(name, user)
  const merged = mergedRules(rules)
  if (typeof merged === 'number') return `${place}: Unmatched parenthesis in selector definition.`
  let errors = ''
  let wrong = false
  for (const rule of merged) {
    const word = withoutOuter(rule, '\t\r\n')
    const refusal = user.apply(word)
    if (refusal === undefined) continue
    if (refusal === UNKNOWN_COMMAND) errors += `${place}: Error in applying operation '${word}': ${refusal}. `
    else if (!wrong) {
      errors += `${place}: ${refusal}. `
      wrong = true
    }
  }
  user.compile()
  return errors
}

/** What is wrong with the words of a `user` line of redis.conf: the word that its error names, and why. */
export function declarationError(words: readonly string[], user: User): [word: string, why: string] | undefined {
  const merged = mergedRules(words.slice(2))
  if (typeof merged === 'number') return [words[merged], RULE_SYNTAX]
  for (const [i, rule] of merged.entries()) {
    const refusal = user.apply(rule)
    // Commands may be unknown yet: reported when the user is made. Redis names a word two places too early.
    if (refusal !== undefined && refusal !== UNKNOWN_COMMAND) return [words[i], refusal]
  }
  return undefined
}
