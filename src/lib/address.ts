// Addresses of the Internet as text.

const OCTETS = 4

/** An IPv4 address, or what looks like an IPv6 one. */
export function isAddress(text: string): boolean {
  return text.includes(':') ? [...text].every(char => '0123456789abcdefABCDEF:.%'.includes(char)) : isIPv4(text)
}

export function isIPv4(text: string): boolean {
  const octets = text.split('.', OCTETS + 1)
  const isOctet = (one: string) => one !== '' && one.length <= 3 && [...one].every(c => c >= '0' && c <= '9')
  return octets.length === OCTETS && octets.every(one => isOctet(one) && Number(one) <= 255)
}
