// Classes of keyspace events: the bits of notify-keyspace-events (config/special.ts) by name.

import { NOTIFY } from '../../config/special.ts'

export const NOTIFY_KEYSPACE = NOTIFY.K
export const NOTIFY_KEYEVENT = NOTIFY.E
export const NOTIFY_GENERIC = NOTIFY.g
export const NOTIFY_STRING = NOTIFY.$
export const NOTIFY_LIST = NOTIFY.l
export const NOTIFY_SET = NOTIFY.s
export const NOTIFY_HASH = NOTIFY.h
export const NOTIFY_ZSET = NOTIFY.z
export const NOTIFY_EXPIRED = NOTIFY.x
export const NOTIFY_EVICTED = NOTIFY.e
export const NOTIFY_STREAM = NOTIFY.t
export const NOTIFY_KEY_MISS = NOTIFY.m
export const NOTIFY_MODULE = NOTIFY.d
export const NOTIFY_NEW = NOTIFY.n
