// A second client that produces and fetches all the time while something bad happens elsewhere, and must not notice.
import { labelled } from './batches.ts';
import { WireClient } from './wire-client.ts';

/** The longest that a produce or a fetch of a bystander may take, on a machine that others use too. */
const PATIENCE_MS = 5000;

export class Bystander {
  readonly #client: WireClient;
  readonly #topic: string;
  readonly #finished: Promise<void>;
  #isStopping = false;
  #rounds = 0;
  #failure: unknown = null;

  private constructor(client: WireClient, topic: string) {
    this.#client = client;
    this.#topic = topic;
    this.#finished = this.#run().catch((error: unknown) => {
      this.#failure = error;
    });
  }

  static async start(port: number, topic: string): Promise<Bystander> {
    const client = await WireClient.connect(port);
    await client.createTopic(topic, 4);
    return new Bystander(client, topic);
  }

  /** Waits for a whole round from now on. Throws what went wrong, then or earlier. */
  async check(): Promise<void> {
    const before = this.#rounds;
    const deadline = performance.now() + 2 * PATIENCE_MS;
    while (this.#failure === null && this.#rounds < before + 2) {
      if (performance.now() > deadline) throw new Error(`the bystander has not been served for ${2 * PATIENCE_MS} ms`);
      await new Promise((done) => setTimeout(done, 5));
    }
    if (this.#failure !== null) throw this.#failure;
  }

  async stop(): Promise<void> {
    this.#isStopping = true;
    await this.#finished;
    this.#client.close();
    if (this.#failure !== null) throw this.#failure;
  }

  async #run(): Promise<void> {
    while (!this.#isStopping) {
      const round = this.#rounds;
      const partition = round % 4;
      const started = performance.now();
      const produced = await this.#client.produce(this.#topic, partition, labelled('bystander', round, 1));
      if (produced.errorCode !== 0) throw new Error(`the bystander's produce was answered with ${produced.errorCode}`);
      const fetched = await this.#client.fetchFrom(this.#topic, partition, produced.baseOffset);
      const value = fetched.records[0]?.value;
      const text = value === null || value === undefined ? 'nothing' : Buffer.from(value).toString();
      if (fetched.errorCode !== 0 || text !== `bystander/${round}`) {
        throw new Error(`the bystander read ${text} (${fetched.errorCode}) instead of bystander/${round}`);
      }
      const elapsedMs = performance.now() - started;
      if (elapsedMs > PATIENCE_MS) throw new Error(`the bystander's round took ${Math.round(elapsedMs)} ms`);
      this.#rounds++;
      await new Promise((done) => setTimeout(done, 2));
    }
  }
}
