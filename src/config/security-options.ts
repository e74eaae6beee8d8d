// Options that switch security on. None is served yet, and none is ever ignored: a broker that was told to be closed must not be open.
// Pure.
import { ConfigError } from './define.ts';
import { laterOptionsByName } from './later-options.ts';

/** Names that mean security whether or not they stand in a table: an authorizer brings options of its own. */
const SECURITY_NAME =
  /^(listener\.name\.[^.]+\..*)?(sasl\..*|ssl\..*|authorizer\..*|security\..*|delegation\.token\..*|principal\.builder\.class|connections\.max\.reauth\.ms)$/;

/** Options of the authorizer: without one they close nothing, in Apache Kafka either. */
const AUTHORIZER_OPTIONS: ReadonlySet<string> = new Set(['super.users', 'allow.everyone.if.no.acl.found']);

/** Whether `name` says something to an authorizer alone, which there is none of: who names one is refused. */
export function needsAuthorizer(name: string): boolean {
  return AUTHORIZER_OPTIONS.has(name);
}

function isSecurityOption(name: string): boolean {
  return SECURITY_NAME.test(name);
}

/** Throws ConfigError where `name` is a security option with another value than the default, which is security left off. */
export function refuseUnservedSecurity(name: string, text: string): void {
  if (!isSecurityOption(name)) return;
  const row = laterOptionsByName.get(name);
  if (row !== undefined && text.trim() === (row.defaultText ?? '')) return;
  const shown = row?.isSensitive === false ? `=${text.trim()}` : '';
  throw new ConfigError(`${name}${shown} asks for security that is not served yet; a broker that ignored it would stand open`, name, text);
}
