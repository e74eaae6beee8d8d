// Placeholders in the values of a file: what fills them, what they leave alone, what they refuse.
import { describe, expect, test } from 'vitest';
import { resolveBrokerConfig } from '../../src/config/broker-config.ts';
import { ConfigError } from '../../src/config/define.ts';

const PACKAGE = 'org.apache.kafka.common.config.provider.';
const ENV = `config.providers=env\nconfig.providers.env.class=${PACKAGE}EnvVarConfigProvider\n`;
const FILE = `config.providers=file\nconfig.providers.file.class=${PACKAGE}FileConfigProvider\n`;
const DIRECTORY = `config.providers=dir\nconfig.providers.dir.class=${PACKAGE}DirectoryConfigProvider\n`;
const files: Readonly<Record<string, string>> = {
  '/etc/naru/own.properties': 'rack=west\nname = broker-7\n',
  '/run/secrets/rack': 'north',
  '/etc/other': 'rack=hidden',
};

function resolve(file: string): { rack: string | null; warnings: readonly string[]; texts: ReadonlyMap<string, string> } {
  const { config, warnings } = resolveBrokerConfig({
    file,
    environment: { RACK: 'east', HOST: 'kafka-1', PORT: '19092' },
    readFile: (path) => files[path] ?? null,
    coreCount: 1,
  });
  return { rack: config.brokerRack, warnings, texts: config.givenTexts };
}

const fault = (file: string): string => {
  try {
    resolve(file);
    return 'no fault';
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return error.message;
  }
};

// Spelled so that no one takes them for templates of this file.
const hole = (inside: string): string => `$\u007b${inside}\u007d`;

describe('placeholders', () => {
  test('are filled from variables, several in a value, and the providers are no unknown options', () => {
    const { texts, warnings, rack } = resolve(
      `${ENV}broker.rack=${hole('env:RACK')}\nlisteners=PLAINTEXT://127.0.0.1:${hole('env:PORT')}\n` +
        `advertised.listeners=PLAINTEXT://${hole('env:HOST')}:${hole('env:PORT')}\n`,
    );
    expect(rack).toBe('east');
    expect(texts.get('advertised.listeners')).toBe('PLAINTEXT://kafka-1:19092');
    expect(texts.get('listeners')).toBe('PLAINTEXT://127.0.0.1:19092');
    expect(warnings).toEqual([]);
  });

  test('are filled from keys of a properties file, and from whole files', () => {
    expect(resolve(`${FILE}broker.rack=${hole('file:/etc/naru/own.properties:rack')}`).rack).toBe('west');
    expect(resolve(`${DIRECTORY}broker.rack=${hole('dir:/run/secrets:rack')}`).rack).toBe('north');
  });

  test('stay as they are without a provider', () => {
    const { rack, warnings } = resolve(`broker.rack=${hole('env:RACK')}`);
    expect([rack, warnings]).toEqual([hole('env:RACK'), []]);
  });

  test.each([
    ['a variable that is not set', ENV, 'env:ABSENT'],
    ['a provider of another name', ENV, 'environment:RACK'],
    ['a variable that the allowlist leaves out', `${ENV}config.providers.env.param.allowlist.pattern=^HOST$\n`, 'env:RACK'],
    ['a key that the file has not', FILE, 'file:/etc/naru/own.properties:absent'],
    ['a file outside of the allowed paths', `${FILE}config.providers.file.param.allowed.paths=/etc/naru,/run\n`, 'file:/etc/other:rack'],
    ['a way out of the allowed paths', `${FILE}config.providers.file.param.allowed.paths=/etc/naru\n`, 'file:/etc/naru/../other:rack'],
    ['a folder beside the allowed one', `${DIRECTORY}config.providers.dir.param.allowed.paths=/run/secret\n`, 'dir:/run/secrets:rack'],
    ['a file that is not there', DIRECTORY, 'dir:/run/secrets:absent'],
    ['a path in place of a name', DIRECTORY, 'dir:/run:secrets/rack'],
  ])('stay as they are, and are told, where they ask for %s', (_what, providers, inside) => {
    const { rack, warnings } = resolve(`${providers}broker.rack=${hole(inside)}`);
    expect(rack).toBe(hole(inside));
    expect(warnings).toEqual([`broker.rack: ${hole(inside)} stands for nothing, and is taken as it is written (file)`]);
  });

  test('refuse a start where a provider cannot be had, or cannot do what it is asked', () => {
    expect(fault('config.providers=vault\nconfig.providers.vault.class=com.example.Vault')).toBe(
      `config.providers.vault.class=com.example.Vault is none that is there (allowed: ${PACKAGE}EnvVarConfigProvider, ${PACKAGE}FileConfigProvider, ${PACKAGE}DirectoryConfigProvider)`,
    );
    expect(fault(`${FILE}broker.rack=${hole('file:/absent:rack')}`)).toBe('config.providers: the file /absent cannot be read');
    expect(fault(`${ENV}broker.rack=${hole('env:/etc:RACK')}`)).toBe(
      'config.providers: a variable of the environment has no path, and "/etc" was given',
    );
    expect(fault(`${ENV}config.providers.env.param.allowlist.pattern=(`)).toMatch(
      /^config\.providers\.env\.param\.allowlist\.pattern: "\("/,
    );
  });

  test('that bring security are refused like security that is written out', () => {
    expect(fault(`${ENV}authorizer.class.name=${hole('env:RACK')}`)).toMatch(/^authorizer\.class\.name=east asks for security/);
  });
});
