// Loaded before the tests on Bun (bunfig.toml), whose tests may otherwise take 5 s each: here a minute. It takes the
// place of --timeout; TEST_TIMEOUT_MS is for long runs. (setDefaultTimeout() would hold for one file.)

import { mock } from 'bun:test'
import * as nodeTest from 'node:test'

type Body = () => void | Promise<void>

const { test } = nodeTest
const timeout = Number(process.env.TEST_TIMEOUT_MS ?? 60_000)

function patientTest(name: string, options: object | Body, body?: Body): Promise<void> {
  return typeof options === 'function'
    ? test(name, { timeout }, options as Body)
    : test(name, { timeout, ...options }, body)
}

mock.module('node:test', () => ({ ...nodeTest, test: Object.assign(patientTest, test) }))
