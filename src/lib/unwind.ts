// Unwind: an exception that must not be caught as a fault: a simulated machine that stops, a server that has failed.

export class Unwind extends Error {}
