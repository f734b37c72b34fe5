// Limits of the protocols below.

export const PORT_MAX = 65535
