// The one listener of an address. It accepts on the main thread and gives each connection away before a byte of it is read.
// Invariants: running out of descriptors refuses connections and ends nothing; every accepted socket is given away.
// Runs on: the main thread. Not here: who gets the connection (hand-over.ts).
import { createServer, type Server, type Socket } from 'node:net';
import { LineLimiter } from '../telemetry/line-limiter.ts';
import { descriptorOf } from './hand-over.ts';

export interface ListenOptions {
  /** Empty: every interface, of both families where the machine has both. */
  readonly host: string;
  /** 0 picks a free one. */
  readonly port: number;
  /** socket.listen.backlog.size: connections that the kernel keeps until they are accepted. */
  readonly backlog: number;
  /** Takes an accepted socket: nothing read, paused, errors heard. */
  readonly onConnection: (socket: Socket) => void;
  /**
   * A connection whose descriptor has this number or a larger one is refused, so that the descriptors above are left for log
   * files. (When none at all is left, libuv closes new connections and tells nobody.)
   */
  readonly descriptorsMax?: number;
  /** Connections were refused; the listener goes on. Called at most once a second, see refusedCount. */
  readonly onRefused?: (error: Error) => void;
}

export class Listener {
  readonly host: string;
  readonly port: number;
  /** As in ListenOptions; it may be changed once it is known how many files are open besides. */
  descriptorsMax: number;
  readonly #server: Server;
  #refusedCount = 0;
  readonly #lines = new LineLimiter(1);

  private constructor(server: Server, options: ListenOptions) {
    this.#server = server;
    const address = server.address();
    this.host = options.host;
    this.port = address !== null && typeof address === 'object' ? address.port : options.port;
    const refuse = (error: Error): void => {
      this.#refusedCount++;
      if (this.#lines.admits(performance.now())) options.onRefused?.(error);
    };
    this.descriptorsMax = options.descriptorsMax ?? Number.POSITIVE_INFINITY;
    server.on('error', refuse); // accept() failed.
    server.on('connection', (socket) => {
      socket.on('error', () => {}); // It may break off before it is given away.
      if (descriptorOf(socket) < this.descriptorsMax) {
        options.onConnection(socket);
      } else {
        socket.destroy();
        refuse(new Error(`${this.descriptorsMax} file descriptors are in use`));
      }
    });
  }

  /** Listens; rejects with Node's own error where that cannot be (EADDRINUSE, EACCES, EADDRNOTAVAIL). */
  static listen(options: ListenOptions): Promise<Listener> {
    return new Promise((resolve, reject) => {
      const server = createServer({ pauseOnConnect: true, allowHalfOpen: true, noDelay: true });
      server.once('error', reject);
      const { host, port, backlog } = options;
      server.listen({ ...(host === '' ? {} : { host }), port, backlog }, () => {
        server.off('error', reject);
        resolve(new Listener(server, options));
      });
    });
  }

  /** Connections that could not be accepted. */
  get refusedCount(): number {
    return this.#refusedCount;
  }

  /** No further connection; those given away live on. */
  close(): Promise<void> {
    return new Promise((resolve) => this.#server.close(() => resolve()));
  }
}
