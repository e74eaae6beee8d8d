// The broker's options as they hold now, and who hears that one of them has changed. One per worker, on that worker's image.
// Invariant: a listener is called after the image has the change and before whoever asked for it is answered.
// Runs on: every worker. Topics' options do not come this way: partition-logs.ts gives each log its own.
import { type BrokerConfig, brokerTextOf } from '../config/broker-config.ts';
import { type Option, readText } from '../config/define.ts';
import { brokerOverrides } from '../metadata/config-rules.ts';
import { RESOURCE } from '../metadata/image-types.ts';
import type { MetadataActor } from '../metadata/metadata-actor.ts';

interface Watch {
  readonly rows: readonly Option<unknown>[];
  readonly listener: () => void;
  /** The texts that the listener knows of. */
  texts: string;
}

export class LiveOptions {
  readonly #config: BrokerConfig;
  readonly #metadata: MetadataActor;
  readonly #watches: Watch[] = [];
  /** Values that were asked for since the last change, by name. */
  readonly #values = new Map<string, unknown>();

  constructor(config: BrokerConfig, metadata: MetadataActor) {
    this.#config = config;
    this.#metadata = metadata;
    metadata.onChange(({ configsChanged }) => {
      if (configsChanged.some(({ resourceType }) => resourceType === RESOURCE.BROKER)) this.#changed();
    });
  }

  /** What the option is now: set for this broker, set for all, given at the start, or the default. A look into a map, mostly. */
  valueOf<T>(row: Option<T>): T {
    const known = this.#values.get(row.name);
    if (known !== undefined) return known as T; // Put there by this row.
    const value = readText(row, this.#textOf(row));
    this.#values.set(row.name, value);
    return value;
  }

  /** Calls `listener` whenever one of `rows` has another value than before; not at first. */
  watch(rows: readonly Option<unknown>[], listener: () => void): void {
    this.#watches.push({ rows, listener, texts: this.#textsOf(rows) });
  }

  #changed(): void {
    this.#values.clear();
    for (const watch of this.#watches) {
      const texts = this.#textsOf(watch.rows);
      if (texts === watch.texts) continue;
      watch.texts = texts;
      watch.listener();
    }
  }

  #textOf(row: Option<unknown>): string | null {
    return brokerTextOf(this.#config, brokerOverrides(this.#metadata.image, this.#config.nodeId), row.name);
  }

  #textsOf(rows: readonly Option<unknown>[]): string {
    return JSON.stringify(rows.map((row) => this.#textOf(row)));
  }
}
