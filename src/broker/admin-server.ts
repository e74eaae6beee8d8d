// The HTTP port of an operator (naru.http.listener): /metrics, /healthz, /readyz, and nothing that changes anything.
// Invariant: what comes here costs the workers nothing but a scrape's reports; a client that is slow or silent is cut off.
// Runs on: the main thread; loaded where the option is set. Not here: what the pages say.
import { createServer, type Server, type ServerResponse } from 'node:http';
import { SECOND_MS } from '../base/units.ts';

/** Scrapers are few. */
const CONNECTIONS_MAX = 64;
const HEADERS_TIMEOUT_MS = 5 * SECOND_MS;

/** What is told when somebody asks for a path. */
export interface AdminPage {
  readonly status: number;
  readonly contentType: string;
  readonly body: string;
}

export type AdminPages = Readonly<Record<string, () => AdminPage | Promise<AdminPage>>>;

export class AdminServer {
  readonly port: number;
  readonly #server: Server;

  private constructor(server: Server) {
    this.#server = server;
    const address = server.address();
    this.port = address !== null && typeof address === 'object' ? address.port : 0;
  }

  /** Rejects with Node's own error where it cannot listen. `onError` hears what a page failed with; the asker hears 500. */
  static listen(at: { host: string; port: number }, pages: AdminPages, onError: (error: unknown) => void): Promise<AdminServer> {
    const server = createServer({ headersTimeout: HEADERS_TIMEOUT_MS, requestTimeout: HEADERS_TIMEOUT_MS }, (request, response) => {
      request.resume(); // Nobody wants a body.
      const [path = ''] = (request.url ?? '').split('?');
      const page = Object.hasOwn(pages, path) ? pages[path] : undefined;
      if (page === undefined) {
        send(response, text(404, `there is ${Object.keys(pages).join(', ')}\n`));
      } else if (request.method !== 'GET' && request.method !== 'HEAD') {
        response.setHeader('allow', 'GET, HEAD');
        send(response, text(405, 'GET and HEAD are served\n'));
      } else {
        void Promise.resolve()
          .then(page)
          .catch((error: unknown) => {
            onError(error);
            return text(500, 'the page could not be made; the log says why\n');
          })
          .then((made) => send(response, made));
      }
    });
    server.maxConnections = CONNECTIONS_MAX;
    return new Promise((resolve, reject) => {
      server.once('error', reject);
      server.listen({ ...(at.host === '' ? {} : { host: at.host }), port: at.port }, () => {
        server.off('error', reject);
        server.on('error', onError);
        resolve(new AdminServer(server));
      });
    });
  }

  close(): Promise<void> {
    return new Promise((resolve) => {
      this.#server.close(() => resolve());
      this.#server.closeAllConnections();
    });
  }
}

export function text(status: number, body: string): AdminPage {
  return { status, contentType: 'text/plain; charset=utf-8', body };
}

/** Node leaves the body out where the method was HEAD. */
function send(response: ServerResponse, { status, contentType, body }: AdminPage): void {
  response.writeHead(status, { 'content-type': contentType, 'content-length': Buffer.byteLength(body), 'cache-control': 'no-store' });
  response.end(body);
}
