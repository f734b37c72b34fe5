import { createServer } from 'redstart'
import { exercise } from './exercise.cjs'

await exercise(createServer)
