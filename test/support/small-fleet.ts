/** Nodes of eight devices each, and a quota that is the whole fleet: files of `berth server`. */
export function smallFleet(nodeCount: number): { readonly fleet: string; readonly quotas: string } {
  const devices = 8;
  return {
    fleet: `
levels: [rack, host]
nodes:
  - { name: node, count: ${nodeCount}, rack: r1, accelerators: { model: nvidia-h100, count: ${devices} }, cpu: 64, memory: 256Gi }
`,
    quotas: `
teams:
  - { name: research, title: Research }
flavors:
  - { name: nvidia-h100, model: nvidia-h100 }
queues:
  - name: company
  - { name: research, parent: company, team: research, quotas: { nvidia-h100: { nominal: ${nodeCount * devices} } } }
`,
  };
}
