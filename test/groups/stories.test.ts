// Stories of groups of both protocols, offsets and the administrator's requests: test/groups/testdata/*.txt.
import { describe } from 'vitest';
import { GroupCoordinator } from '../../src/groups/group-coordinator.ts';
import { classicVerbs } from '../support/classic-verbs.ts';
import { consumerVerbs } from '../support/consumer-verbs.ts';
import { GroupStory, runStories } from '../support/group-story.ts';

const TESTDATA = new URL('./testdata/', import.meta.url);

describe('stories', () => {
  const makeStory = (): GroupStory =>
    new GroupStory(
      { makeShard: (environment, config) => new GroupCoordinator(environment, config), recordBytesMax: 6000 },
      { ...classicVerbs, ...consumerVerbs },
    );
  for (const prefix of ['classic-', 'consumer-', 'migration-', 'offsets-', 'admin-']) runStories(TESTDATA, makeStory, prefix);
});
