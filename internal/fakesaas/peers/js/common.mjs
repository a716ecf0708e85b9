// What the scripts share. Each reads its task as JSON: the address and
// the credentials, and, to ask again what was asked already, the requests.
import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'

export const task = JSON.parse(readFileSync(0, 'utf8'))
export const url = new URL(task.url)

// report prints the lists of ids that were read, by what they are of, as one
// line of JSON: how many there are, each as often as it came, and a hash of them
// in order.
export function report(lists) {
  const out = {}
  for (const [name, ids] of Object.entries(lists)) {
    const hash = createHash('sha256').update([...ids].sort().join('\n')).digest('hex')
    out[name] = { count: ids.length, hash }
  }
  console.log(JSON.stringify(out))
}
