/** What the server sent, before any client of ours has looked at it. */
export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  /** The body, when it is JSON. */
  readonly body: unknown;
}

export interface Call {
  /** Sent as JSON; a string as it is. */
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}

const ANSWER_MS_MAX = 20_000;

/** Somebody with a token, or without one, who calls the API by hand. */
export class ApiCaller {
  constructor(
    private readonly server: string,
    private readonly token?: string,
  ) {}

  /** `route`: method and path, e.g. `GET /v1/nodes`. */
  async call(route: string, { body, headers = {} }: Call = {}): Promise<Answer> {
    const [method = '', path = ''] = route.split(' ');
    const content = body === undefined ? {} : { 'content-type': 'application/json' };
    const bearer = this.token === undefined ? {} : { authorization: `Bearer ${this.token}` };
    const response = await fetch(this.server + path, {
      method,
      headers: { ...content, ...bearer, ...headers },
      signal: AbortSignal.timeout(ANSWER_MS_MAX),
      redirect: 'manual',
      ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
    });
    // An event stream has no end: that it began is the answer.
    const isStream = response.headers.get('content-type')?.startsWith('text/event-stream') === true;
    if (isStream) await response.body?.cancel();
    const text = isStream ? '' : await response.text();
    const isJson = /json/.test(response.headers.get('content-type') ?? '') && text !== '';
    return { status: response.status, headers: response.headers, text, body: isJson ? JSON.parse(text) : undefined };
  }
}
