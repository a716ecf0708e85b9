import Stripe from 'stripe'
import { report, task, url } from './common.mjs'

const stripe = new Stripe(task.key, { host: url.hostname, port: url.port, protocol: 'http', maxNetworkRetries: 0 })

async function all(pages) {
  const ids = []
  for await (const object of pages) ids.push(object.id)
  return ids
}

report({
  customers: await all(stripe.customers.list({ limit: 100 })),
  subscriptions: await all(stripe.subscriptions.list({ limit: 100, status: 'all' })),
  events: await all(stripe.events.list({ limit: 100 })),
})
