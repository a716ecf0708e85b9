import braintree from 'braintree'
import { report, task, url } from './common.mjs'

const gateway = new braintree.BraintreeGateway({
  environment: new braintree.Environment(url.hostname, url.port, '', false, url.hostname, url.port),
  merchantId: task.merchant,
  publicKey: task.public,
  privateKey: task.key,
})

// found collects what a search finds.
const found = (search) => new Promise((resolve, reject) => {
  const all = []
  const stream = gateway.customer.search(search)
  stream.on('data', (customer) => all.push(customer))
  stream.on('error', reject)
  stream.on('end', () => resolve(all))
})

async function read() {
  const customers = await found((s) => s.createdAt().min('2010-01-01T00:00:00Z'))
  const methods = customers.flatMap((c) => c.paymentMethods)
  report({
    customers: customers.map((c) => c.id),
    addresses: customers.flatMap((c) => c.addresses.map(() => c.id)),
    subscriptions: methods.flatMap((m) => m.subscriptions ?? []).map((s) => s.id),
  })
}

// ask makes the search that one of ours asks for. The library always asks for
// ids first.
async function ask({ body: { search } }) {
  await found((s) => {
    if (search.created_at) s.createdAt().between(search.created_at.min, search.created_at.max)
    if (search.ids) s.ids().in(search.ids)
  })
}

if (task.requests) for (const r of task.requests) await ask(r)
else await read()
