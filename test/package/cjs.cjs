const { createServer } = require('redstart')
const { exercise } = require('./exercise.cjs')

exercise(createServer)
