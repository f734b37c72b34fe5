// Unwind: an exception that is meant to leave everything: a made-up machine that stops, a server that has failed. No
// boundary takes it for a fault.

export class Unwind extends Error {}
