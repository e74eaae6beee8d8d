// AlterConfigs and IncrementalAlterConfigs: decided by the controller; the answer waits until every worker has the change, and until every
// thread writes log lines by the levels that were set.
// Source: the protocol guide; KIP-133, KIP-226, KIP-339 (one by one), KIP-412 (levels of loggers).
import { ROOT_LOGGER } from '../../config/logger-rules.ts';
import { type AlterConfigsInput, type AlteredConfigs, CONFIG_OPERATION } from '../../metadata/configs.ts';
import { RESOURCE } from '../../metadata/image-types.ts';
import { alterConfigsRequest, alterConfigsResponse } from '../../protocol/apis/alter-configs.ts';
import { incrementalAlterConfigsRequest, incrementalAlterConfigsResponse } from '../../protocol/apis/incremental-alter-configs.ts';
import { ERROR } from '../../protocol/errors.ts';
import type { BrokerContext } from '../broker-context.ts';
import { answer, decodeBody, type Handler } from './handler.ts';

export function alterConfigsHandler(context: BrokerContext): Handler {
  return (request) => {
    const { resources, validateOnly } = decodeBody(request, alterConfigsRequest);
    const asked = resources.map(({ configs, ...resource }) => ({
      ...resource,
      configs: configs.map((config) => ({ ...config, configOperation: CONFIG_OPERATION.SET })),
    }));
    const input = { resources: asked, validateOnly, replacesAll: true };
    context.controller.ask('alterConfigs', input, (responses) => {
      whenLevelsHold(context, input, null, () => answer(request, alterConfigsResponse, { throttleTimeMs: 0, responses }));
    });
    return true;
  };
}

export function incrementalAlterConfigsHandler(context: BrokerContext): Handler {
  return (request) => {
    const { resources, validateOnly } = decodeBody(request, incrementalAlterConfigsRequest);
    const asked = { resources, validateOnly, replacesAll: false };
    context.controller.ask('alterConfigs', asked, (responses) => {
      const reply = (): void => answer(request, incrementalAlterConfigsResponse, { throttleTimeMs: 0, responses });
      whenLevelsHold(context, asked, newLevel(asked, responses), reply);
    });
    return true;
  };
}

/** Replies when log lines are written by the logger's `level`, and by naru.log.level where the request may have changed that. */
function whenLevelsHold({ logLevel }: BrokerContext, asked: AlterConfigsInput, level: string | null, reply: () => void): void {
  if (asked.validateOnly) reply();
  else if (level !== null) logLevel.set(level, reply);
  else if (asked.resources.some(({ resourceType }) => resourceType === RESOURCE.BROKER)) logLevel.settle(reply);
  else reply();
}

/** The level that was asked for and found good, or null. */
function newLevel({ resources }: AlterConfigsInput, responses: readonly AlteredConfigs[]): string | null {
  const at = resources.findIndex(
    ({ resourceType }, i) => resourceType === RESOURCE.BROKER_LOGGER && responses[i]?.errorCode === ERROR.NONE,
  );
  return resources[at]?.configs.find(({ name }) => name === ROOT_LOGGER)?.value ?? null;
}
