// Says in the log that an option which was set while the broker runs does not do what it says, as a start says it of what it is given.
// Invariant: a text is told once, until another one is set.
// Runs on: worker 0, on its image. Not here: which options do nothing (missing-effects.ts).
import { type BrokerConfig, withoutEffect } from '../config/broker-config.ts';
import { usableTexts } from '../config/dynamic-options.ts';
import type { ClusterImage } from '../metadata/image.ts';
import { CLUSTER_DEFAULT, type MetadataChange, RESOURCE } from '../metadata/image-types.ts';

export class OptionWarnings {
  readonly #config: BrokerConfig;
  readonly #warn: (message: string) => void;
  /** What was told, by whose option it is. */
  #told = new Map<string, string>();

  constructor(config: BrokerConfig, warn: (message: string) => void) {
    this.#config = config;
    this.#warn = warn;
  }

  /** A MetadataListener. */
  onChange({ configsChanged }: MetadataChange, image: ClusterImage): void {
    if (!configsChanged.some(({ resourceType }) => resourceType === RESOURCE.BROKER)) return;
    const told = new Map<string, string>();
    for (const owner of [CLUSTER_DEFAULT, String(this.#config.nodeId)]) this.#look(owner, image, told);
    this.#told = told; // What was taken away is told again when it comes back.
  }

  #look(owner: string, image: ClusterImage, told: Map<string, string>): void {
    const texts = image.configsOf(RESOURCE.BROKER, owner);
    const usable = usableTexts(texts, owner !== CLUSTER_DEFAULT);
    const whose = owner === CLUSTER_DEFAULT ? 'all brokers' : 'this broker';
    for (const [name, text] of texts) {
      const without = usable.has(name) ? withoutEffect(name, text, this.#config) : 'is left out: it cannot be set so';
      if (without === null) continue;
      const key = `${owner} ${name}`;
      if (this.#told.get(key) !== text) this.#warn(`${name} ${without} (set for ${whose})`);
      told.set(key, text);
    }
  }
}
