/**
 * Who may import whom: `docs/architecture.md` says why. `test/repository/architecture-rules.test.ts` plants a violation
 * of each rule and sees it found.
 */
const TESTS = '\\.test\\.tsx?$';
/** The roots of composition: they name a driver, everything else gets one injected. */
const COMPOSITION = '^src/(cli|main)(/|\\.ts$)|\\.module\\.ts$';
const DRIVERS = '^src/cluster/(kubernetes|local)/';
const API_SCHEMAS = '^src/server/.*\\.schema\\.ts$';

/** A room, and all it may import of ours; packages and Node's own modules are free unless a rule below says no. */
const ROOMS = {
  core: ['^src/core/'],
  documents: ['^src/documents/'],
  'fleet-file': ['^src/(fleet-file|core|documents)/'],
  'policy-file': ['^src/(policy-file|core)/'],
  cluster: ['^src/(cluster|core|documents)/', '^src/trainer/contract\\.ts$'],
  scenario: ['^src/(scenario|core|documents|fleet-file|policy-file)/'],
  server: ['^src/(server|core|cluster|documents)/', '^src/trainer/contract\\.ts$'],
  trainer: ['^src/(trainer|documents)/'],
  dashboard: ['^src/dashboard/', API_SCHEMAS],
};

/** A package, and the only folder that knows it. */
const PACKAGES = [
  { name: '@kubernetes', only: '^src/cluster/kubernetes/' },
  { name: 'undici', only: '^src/cluster/kubernetes/' },
  { name: 'bull', only: '^src/server/jobs/' },
  { name: 'ioredis', only: '^src/server/jobs/' },
  { name: '@tensorflow', only: '^src/trainer/backend/' },
  { name: 'pg', only: '^src/server/database/' },
  { name: 'echarts', only: '^src/trainer/report/' },
];

/** @type {import('dependency-cruiser').IConfiguration} */
module.exports = {
  forbidden: [
    { name: 'no-cycles', severity: 'error', from: {}, to: { circular: true } },
    { name: 'nothing-missing', severity: 'error', from: {}, to: { couldNotResolve: true } },
    {
      name: 'no-junk-rooms',
      comment: 'A folder is named after what it is about; these names attract everything.',
      severity: 'error',
      from: {},
      to: { path: '/(util|utils|common|helper|helpers|ports|adapters)[/.]', pathNot: 'node_modules' },
    },
    {
      name: 'no-tests-in-production',
      severity: 'error',
      from: { path: '^src/', pathNot: TESTS },
      to: { path: `^test/|${TESTS}` },
    },
    ...Object.entries(ROOMS).map(([room, may]) => ({
      name: `${room}-knows-its-neighbours`,
      severity: 'error',
      from: { path: `^src/${room}/`, pathNot: TESTS },
      to: { path: '^src/', pathNot: may },
    })),
    {
      name: 'core-is-alone',
      comment: 'The core is pure: no package and none of Node.',
      severity: 'error',
      from: { path: '^src/core/', pathNot: TESTS },
      to: { pathNot: '^src/core/' },
    },
    {
      name: 'core-areas-have-one-door',
      comment: 'Another area, and any other room, enters an area of the core through its index.ts.',
      severity: 'error',
      from: { path: '^src/core/([^/]+)/' },
      to: { path: '^src/core/[^/]+/', pathNot: ['^src/core/$1/', '^src/core/[^/]+/index\\.ts$'] },
    },
    {
      name: 'core-areas-have-one-door-for-others',
      severity: 'error',
      from: { pathNot: '^src/core/[^/]+/' },
      to: { path: '^src/core/[^/]+/', pathNot: '^src/core/[^/]+/index\\.ts$' },
    },
    {
      name: 'scheduler-is-the-front-door',
      comment: 'What the front door uses must not use the front door.',
      severity: 'error',
      from: { path: '^src/core/[^/]+/', pathNot: ['^src/core/(simulation|planning)/', TESTS] },
      to: { path: '^src/core/(index|scheduler|settle|snapshot)\\.ts$' },
    },
    {
      name: 'server-sees-the-cluster-port',
      comment: 'Only modules and the roots of composition name a driver.',
      severity: 'error',
      from: { path: '^src/', pathNot: [COMPOSITION, '^src/cluster/', TESTS] },
      to: { path: DRIVERS },
    },
    {
      name: 'drivers-are-strangers',
      severity: 'error',
      from: { path: '^src/cluster/(kubernetes|local)/' },
      to: { path: DRIVERS, pathNot: '^src/cluster/$1/' },
    },
    {
      name: 'trainer-shows-its-contract',
      comment: 'Others see of the trainer only its wire contract; the command line also starts it.',
      severity: 'error',
      from: { path: '^src/', pathNot: ['^src/trainer/', '^src/cli/', TESTS] },
      to: { path: '^src/trainer/', pathNot: '^src/trainer/contract\\.ts$' },
    },
    {
      name: 'composition-is-on-top',
      severity: 'error',
      from: { path: '^src/', pathNot: ['^src/(cli|main)(/|\\.ts$)'] },
      to: { path: '^src/(cli|main)(/|\\.ts$)' },
    },
    {
      name: 'dashboard-imports-types-only',
      comment: 'Not even zod may enter the bundle.',
      severity: 'error',
      from: { path: '^src/dashboard/' },
      to: { path: API_SCHEMAS, dependencyTypesNot: ['type-only'] },
    },
    {
      name: 'schemas-know-little',
      comment: 'They are read by every room that speaks to the API, so they bring nothing along.',
      severity: 'error',
      from: { path: API_SCHEMAS },
      to: {
        pathNot: [
          '^src/core/',
          '^src/documents/',
          '^src/trainer/contract\\.ts$',
          API_SCHEMAS,
          '(^|/)node_modules/zod/',
        ],
      },
    },
    {
      name: 'features-keep-controllers-and-entities',
      severity: 'error',
      from: { path: '^src/server/([^/]+)/', pathNot: TESTS },
      to: { path: '^src/server/[^/]+/.*\\.(controller|entity)\\.ts$', pathNot: '^src/server/$1/' },
    },
    {
      name: 'launcher-needs-nothing',
      comment: 'It runs before anything is installed; the two files that compile run after.',
      severity: 'error',
      from: { path: '^src/launcher/', pathNot: [TESTS, '^src/launcher/(compile-sources|typescript-hooks)\\.mjs$'] },
      to: { pathNot: '^src/launcher/', dependencyTypesNot: ['core'] },
    },
    {
      name: 'launcher-compiles-with-swc',
      severity: 'error',
      from: { path: '^src/launcher/(compile-sources|typescript-hooks)\\.mjs$' },
      to: { pathNot: ['^src/launcher/', '(^|/)node_modules/@swc/core/'], dependencyTypesNot: ['core'] },
    },
    {
      name: 'launcher-is-for-nobody',
      severity: 'error',
      from: { path: '^src/', pathNot: '^src/launcher/' },
      to: { path: '^src/launcher/' },
    },
    ...PACKAGES.map(({ name, only }) => ({
      name: `${name}-has-one-room`,
      severity: 'error',
      from: { path: '^src/', pathNot: [only, TESTS] },
      to: { path: [`(^|/)node_modules/${name}/`, `^${name}(/|$)`] },
    })),
  ],
  options: {
    tsConfig: { fileName: 'tsconfig.json' },
    tsPreCompilationDeps: true,
    doNotFollow: { path: 'node_modules' },
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['import', 'default', 'types'],
      extensions: ['.ts', '.tsx', '.mjs', '.js', '.json'],
    },
  },
};
