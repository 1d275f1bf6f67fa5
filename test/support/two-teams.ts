/**
 * Two teams on four nodes of eight devices in two racks: files of `berth server`. Team research has a queue that
 * lends and borrows nothing, one with more quota than there are devices, and one with little for each workload.
 */
export function twoTeams(): { readonly fleet: string; readonly quotas: string } {
  return {
    fleet: `
levels: [rack, host]
nodes:
  - { name: node-a, count: 2, rack: a, accelerators: { model: nvidia-h100, count: 8 }, cpu: 64, memory: 256Gi }
  - { name: node-b, count: 2, rack: b, accelerators: { model: nvidia-h100, count: 8 }, cpu: 64, memory: 256Gi }
`,
    quotas: `
teams:
  - { name: research, title: Research }
  - { name: product, title: Product }
flavors:
  - { name: nvidia-h100, model: nvidia-h100 }
queues:
  - name: company
  - { name: research, parent: company, team: research, quotas: { nvidia-h100: { nominal: 8, borrowingLimit: 0 } } }
  - { name: vast, parent: company, team: research, quotas: { nvidia-h100: { nominal: 64, lendingLimit: 0 } } }
  - { name: modest, parent: company, team: research, quotas: { nvidia-h100: { nominal: 8, maxPerWorkload: 2 } } }
  - { name: product, parent: company, team: product, quotas: { nvidia-h100: { nominal: 8 } } }
`,
  };
}
