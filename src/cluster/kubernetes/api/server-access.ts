import { existsSync } from 'node:fs';
import { delimiter } from 'node:path';
import type { RequestOptions } from 'node:https';
import type { KubeConfig } from '@kubernetes/client-node';

/** What to say and what to show, as they are now. */
export interface Credentials {
  readonly tls: TlsOptions;
  /** Authorization, and whom to impersonate. */
  readonly headers: Readonly<Record<string, string>>;
}

export interface TlsOptions {
  readonly ca?: string;
  readonly cert?: string;
  readonly key?: string;
  readonly servername?: string;
  readonly rejectUnauthorized?: boolean;
}

/** One API server and how to be let in. */
export interface ServerAccess {
  readonly server: string;
  /** Where this was read, for messages: `context rig of ~/.kube/config`. */
  readonly origin: string;
  /** The namespace that the configuration names. */
  readonly namespace: string | undefined;
  /** `if-due` may use what it has when that is known to be good still; `always` reads everything again. */
  credentials(renewal: 'if-due' | 'always'): Promise<Credentials>;
}

export interface AccessSource {
  /** Path of a kubeconfig; absent: the files of `KUBECONFIG`, else the service account of the pod that Berth runs in. */
  readonly kubeconfig?: string;
  /** Absent: the current one. */
  readonly context?: string;
  /** Where the files of a service account lie, for tests. */
  readonly podRoot?: string;
}

export class KubernetesConfigurationError extends Error {
  override readonly name = 'KubernetesConfigurationError';
}

interface Loaded {
  readonly config: KubeConfig;
  readonly origin: string;
}

/**
 * Finds the API server. Throws {@link KubernetesConfigurationError} with the file, the context and the next step.
 *
 * `~/.kube/config` is not looked at unless it is named: whoever starts a scheduler by accident should not find it at
 * work on the cluster that they looked at last.
 */
export async function readServerAccess(source: AccessSource): Promise<ServerAccess> {
  let loaded = await load(source);
  const { config, origin } = loaded;
  const server = config.getCurrentCluster()?.server ?? '';
  return {
    server,
    origin,
    namespace: config.getContextObject(config.getCurrentContext())?.namespace,
    credentials: async (renewal) => {
      // A plugin keeps what it said until that expires; files are cheap to read, and change when tokens rotate.
      const isPlugin = Boolean(loaded.config.getCurrentUser()?.exec);
      if (renewal === 'always' || !isPlugin) loaded = await load(source);
      return credentialsOf(loaded);
    },
  };
}

async function load(source: AccessSource): Promise<Loaded> {
  // A second or two to load, so only whoever drives Kubernetes pays for it.
  const library = await import('@kubernetes/client-node');
  const config = new library.KubeConfig();
  const files = source.kubeconfig === undefined ? filesOfEnvironment() : [source.kubeconfig];
  if (files.length > 0) {
    for (const file of files) {
      const part = new library.KubeConfig();
      explain(`cannot read the kubeconfig ${file}`, 'correct the file, or name another by KUBECONFIG', () => {
        part.loadFromFile(file);
        config.mergeConfig(part, Boolean(config.getCurrentContext()));
      });
    }
    return { config, origin: chooseContext(config, source, files.join(delimiter)) };
  }
  if (!process.env['KUBERNETES_SERVICE_HOST'])
    throw new KubernetesConfigurationError(
      'no Kubernetes cluster is configured, and this is no pod of one: set KUBECONFIG to the path of a kubeconfig, ' +
        'for example KUBECONFIG=~/.kube/config',
    );
  config.loadFromCluster(source.podRoot);
  return { config, origin: 'the service account of this pod' };
}

function filesOfEnvironment(): string[] {
  return (process.env['KUBECONFIG'] ?? '').split(delimiter).filter((file) => file !== '');
}

function chooseContext(config: KubeConfig, { context }: AccessSource, files: string): string {
  const name = context ?? config.getCurrentContext();
  const known = config.getContexts().map((each) => each.name);
  const choice = `choose one of its contexts: ${known.join(', ') || 'it has none'}`;
  if (!name) throw new KubernetesConfigurationError(`the kubeconfig ${files} has no current context: ${choice}`);
  if (!known.includes(name))
    throw new KubernetesConfigurationError(`the kubeconfig ${files} has no context ${name}: ${choice}`);
  config.setCurrentContext(name);
  const origin = `context ${name} of ${files}`;
  const wanted = config.getContextObject(name);
  const cluster = config.getCurrentCluster();
  if (cluster === null)
    throw new KubernetesConfigurationError(
      `${origin} names the cluster ${String(wanted?.cluster)}, which is not in the file: add it under clusters`,
    );
  if (config.getCurrentUser() === null)
    throw new KubernetesConfigurationError(
      `${origin} names the user ${String(wanted?.user)}, who is not in the file: add it under users`,
    );
  if (cluster.proxyUrl)
    throw new KubernetesConfigurationError(
      `${origin} has a proxy-url, which Berth does not support: remove it and reach ${cluster.server} directly`,
    );
  if (!URL.canParse(cluster.server))
    throw new KubernetesConfigurationError(
      `${origin} has the server "${cluster.server}", which is no address: write https://HOST:PORT`,
    );
  return origin;
}

async function credentialsOf({ config, origin }: Loaded): Promise<Credentials> {
  checkFiles(config, origin);
  const options: RequestOptions = {};
  try {
    await config.applyToHTTPSOptions(options);
  } catch (error) {
    throw new KubernetesConfigurationError(
      `cannot get the credentials of ${origin}: ${messageOf(error)}; try \`kubectl version\` with the same file`,
      { cause: error },
    );
  }
  const headers = Object.fromEntries(
    // A token file often ends in a line break, which no header may hold.
    Object.entries(options.headers ?? {}).map(([name, value]) => [name, String(value).trim()]),
  );
  if (typeof options.auth === 'string')
    headers['Authorization'] = `Basic ${Buffer.from(options.auth).toString('base64')}`;
  const { ca, cert, key, servername, rejectUnauthorized } = options;
  return {
    headers,
    tls: {
      ...(ca === undefined ? {} : { ca: pem(ca) }),
      ...(cert === undefined ? {} : { cert: pem(cert) }),
      ...(key === undefined ? {} : { key: pem(key) }),
      ...(servername === undefined ? {} : { servername }),
      ...(rejectUnauthorized === undefined ? {} : { rejectUnauthorized }),
    },
  };
}

function checkFiles(config: KubeConfig, origin: string): void {
  const user = config.getCurrentUser();
  const provider = user?.authProvider as { readonly config?: { readonly tokenFile?: string } } | null | undefined;
  const files = [config.getCurrentCluster()?.caFile, user?.certFile, user?.keyFile, provider?.config?.tokenFile];
  for (const file of files) {
    if (file && !existsSync(file))
      throw new KubernetesConfigurationError(
        `${origin} names the file ${file}, which does not exist: restore it, or correct the path`,
      );
  }
}

/** As text, so that two readings can be compared. */
function pem(value: unknown): string {
  return Buffer.isBuffer(value) ? value.toString('utf8') : String(value);
}

function explain(what: string, next: string, act: () => void): void {
  try {
    act();
  } catch (error) {
    throw new KubernetesConfigurationError(`${what}: ${messageOf(error)}; ${next}`, { cause: error });
  }
}

function messageOf(error: unknown): string {
  const { message = String(error) } = error as { readonly message?: string };
  return message.trim().split('\n', 1)[0] ?? '';
}
