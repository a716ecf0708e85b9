import { Client } from '@hubspot/api-client'
import { report, task } from './common.mjs'

const hubspot = new Client({ accessToken: task.key, basePath: task.url, limiterOptions: { minTime: 0 } })
const { companies, contacts } = hubspot.crm

// searched pages through a search, which gives out no more than 10,000.
async function searched(api) {
  const ids = []
  for (let after = '0'; after !== undefined;) {
    const page = await api.doSearch({ filterGroups: [], sorts: ['hs_object_id'], properties: ['createdate'], limit: 200, after })
    ids.push(...page.results.map((o) => o.id))
    after = page.paging?.next?.after
  }
  return ids
}

async function read() {
  const people = await contacts.getAll(100, undefined, ['email'], undefined, ['companies'])
  const links = (o) => (o.associations?.companies?.results ?? []).map((to) => `${o.id} ${to.id} ${to.type}`)
  report({
    companies: (await companies.getAll(100)).map((o) => o.id),
    contacts: people.map((o) => o.id),
    'contacts of companies': people.flatMap(links),
    'companies found': await searched(companies.searchApi),
    'contacts found': await searched(contacts.searchApi),
  })
}

// ask makes the request that one of ours asks for.
async function ask({ path, query, body }) {
  if (path.endsWith('/account-info/v3/details')) return hubspot.apiRequest({ path })
  if (path.includes('/associations/')) return hubspot.crm.associations.v4.batchApi.getPage('contacts', 'companies', body)
  const api = path.includes('/companies') ? companies : contacts
  if (path.endsWith('/search')) return api.searchApi.doSearch(body)
  if (path.endsWith('/batch/read')) return api.batchApi.read(body, false)
  return api.basicApi.getPage(Number(query.limit), query.after, query.properties.split(','), undefined, query.associations?.split(','), query.archived === 'true')
}

if (task.requests) for (const r of task.requests) await ask(r)
else await read()
