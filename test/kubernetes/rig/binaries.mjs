import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';

/**
 * What the rig is built from, and where the result lies. `build-binaries.mjs` does it; this file needs neither Go nor a
 * package, so that a test run can ask whether the rig is there.
 *
 * @typedef {object} Module
 * @property {string} name folder below `modules`, whose go.mod and go.sum pin every source
 * @property {string} source the Go module that is built; the only place of its version is go.mod
 * @property {readonly string[]} packages
 * @property {readonly string[]} programs what the packages become
 * @property {(version: string) => readonly string[]} variables what the linker stamps, as `name=value`
 */

const MODULES_FOLDER = join(import.meta.dirname, 'modules');

/** @type {readonly Module[]} shortest build first, so that what is wrong with Go or the network shows early */
export const MODULES = [
  {
    name: 'etcd',
    source: 'go.etcd.io/etcd/server/v3',
    packages: ['go.etcd.io/etcd/server/v3'],
    programs: ['etcd'],
    variables: () => [],
  },
  {
    name: 'kwok',
    source: 'sigs.k8s.io/kwok',
    packages: ['sigs.k8s.io/kwok/cmd/kwok'],
    programs: ['kwok'],
    variables: () => [],
  },
  {
    name: 'helm',
    source: 'helm.sh/helm/v4',
    packages: ['helm.sh/helm/v4/cmd/helm'],
    programs: ['helm'],
    variables: (version) => [`helm.sh/helm/v4/internal/version.version=${version}`],
  },
  {
    name: 'kubernetes',
    source: 'k8s.io/kubernetes',
    packages: ['kube-apiserver', 'kube-controller-manager', 'kube-scheduler', 'kubectl'].map(
      (program) => `k8s.io/kubernetes/cmd/${program}`,
    ),
    programs: ['kube-apiserver', 'kube-controller-manager', 'kube-scheduler', 'kubectl'],
    variables: kubernetesVersion,
  },
];

/**
 * Nothing of the machine enters a program: no C compiler, no paths, no state of a repository, and exactly the sources
 * of go.sum.
 */
export const GO_ENVIRONMENT = {
  CGO_ENABLED: '0',
  GOFLAGS: '-trimpath -mod=readonly -buildvcs=false',
  GOTOOLCHAIN: 'local',
  GOWORK: 'off',
};

/**
 * Unstamped, Kubernetes calls itself v0.0.0-master+$Format:%H$; then `kubectl version` fails, and so does every chart
 * that names a `kubeVersion`.
 * @param {string} version
 * @returns {readonly string[]}
 */
function kubernetesVersion(version) {
  const [major = '', minor = ''] = version.replace(/^v/, '').split('.');
  return ['k8s.io/component-base/version', 'k8s.io/client-go/pkg/version'].flatMap((name) => [
    `${name}.gitVersion=${version}`,
    `${name}.gitMajor=${major}`,
    `${name}.gitMinor=${minor}`,
    `${name}.gitTreeState=clean`,
    `${name}.gitCommit=module-proxy`,
    `${name}.buildDate=1970-01-01T00:00:00Z`,
  ]);
}

/**
 * @param {Module} module
 * @returns {string}
 */
export function moduleFolder({ name }) {
  return join(MODULES_FOLDER, name);
}

/**
 * @param {Module} module
 * @returns {string} such as v1.37.2
 */
export function versionOf(module) {
  const lines = readFileSync(join(moduleFolder(module), 'go.mod'), 'utf8').split('\n');
  const words = lines.map((line) =>
    line
      .replace(/^require\b/, '')
      .trim()
      .split(' '),
  );
  const version = words.find(([required]) => required === module.source)?.[1];
  if (version === undefined) throw new Error(`go.mod of ${module.name} does not require ${module.source}`);
  return version;
}

/**
 * What `go` is called with, in the module's folder.
 * @param {Module} module
 * @param {string} output the folder for the programs
 * @returns {readonly string[]}
 */
export function goBuild(module, output) {
  const stamps = module.variables(versionOf(module)).map((variable) => ` -X ${variable}`);
  const [only, ...others] = module.programs;
  // Go would name a program after its package, and etcd's is the root of its module.
  const target = only !== undefined && others.length === 0 ? join(output, only) : `${output}/`;
  return ['build', '-o', target, '-ldflags', `-s -w${stamps.join('')}`, ...module.packages];
}

/**
 * The same key means the same programs: it covers every source, and how each is built.
 * @returns {string}
 */
export function rigKey() {
  const hash = createHash('sha256').update(`${process.platform} ${process.arch} ${JSON.stringify(GO_ENVIRONMENT)}`);
  for (const module of MODULES) {
    hash.update(JSON.stringify(goBuild(module, '')));
    for (const file of ['go.mod', 'go.sum']) hash.update(readFileSync(join(moduleFolder(module), file)));
  }
  return hash.digest('hex').slice(0, 16);
}

/** @returns {string} where all builds of the rig lie, this one and those of other versions */
export function rigCache() {
  const { XDG_CACHE_HOME: cache } = process.env;
  return join(cache === undefined || cache === '' ? join(homedir(), '.cache') : cache, 'berth', 'rig');
}

/** @returns {string} where the programs lie once they are built */
export function binariesFolder() {
  return join(rigCache(), rigKey());
}

/** @returns {boolean} whether the rig can be started; it is there whole or not at all */
export function isRigBuilt() {
  return existsSync(binariesFolder());
}
