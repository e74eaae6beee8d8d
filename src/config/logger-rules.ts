// The loggers of a broker and their levels. There is one, which Kafka's tools call `root`, for all lines of the process.
// Pure. Levels are not kept: they end with the process, as in Apache Kafka.
// Source: KIP-412; the words were recorded from Apache Kafka 4.3.1 (test/golden/answers/config-changes/groups.json).

export const ROOT_LOGGER = 'root';
/** Kafka's words, as messages list them. */
const LEVELS = ['DEBUG', 'ERROR', 'FATAL', 'INFO', 'TRACE', 'WARN'] as const;

const SET = 0;
const DELETE = 1;
const OTHER_OPERATIONS: Readonly<Record<number, string>> = { 2: 'APPEND', 3: 'SUBTRACT' };

export interface LoggerFault {
  readonly isBadRequest: boolean;
  readonly message: string;
}

export function loggerChangeFault(
  changes: readonly { readonly name: string; readonly configOperation: number; readonly value: string | null }[],
): LoggerFault | null {
  for (const { name, configOperation, value } of changes) {
    if (configOperation !== SET && configOperation !== DELETE) {
      const operation = OTHER_OPERATIONS[configOperation];
      const what = operation === undefined ? `Unknown operation type ${configOperation}` : `${operation} operation`;
      return { isBadRequest: true, message: `${what} is not allowed for the BROKER_LOGGER resource` };
    }
    if (name !== ROOT_LOGGER) return { isBadRequest: false, message: `Logger ${name} does not exist!` };
    if (configOperation === DELETE) {
      return { isBadRequest: true, message: `Removing the log level of the ${ROOT_LOGGER} logger is not allowed` };
    }
    if (!LEVELS.some((level) => level === value)) {
      const message = `Cannot set the log level of ${name} to ${value} as it is not a supported log level. Valid log levels are ${LEVELS.join(', ')}`;
      return { isBadRequest: false, message };
    }
  }
  return null;
}
