// Log lines: short sentences with a few facts beside them, on stderr.
// Workers hand their lines to the main thread, so that one writer keeps them whole and in order.
// Runs on: every thread. Not metrics, and not the ready line, which is the command line's own.

export type LogLevel = 'debug' | 'info' | 'warn' | 'error';
export const LOG_LEVELS: readonly LogLevel[] = ['debug', 'info', 'warn', 'error'];

export type LogFields = Readonly<Record<string, string | number | boolean | null | undefined>>;

export interface Logger {
  debug(message: string, fields?: LogFields): void;
  info(message: string, fields?: LogFields): void;
  warn(message: string, fields?: LogFields): void;
  error(message: string, fields?: LogFields): void;
}

/** One whose level may be changed. */
export interface LeveledLogger extends Logger {
  level: LogLevel;
}

/** One line as it travels from a worker to the main thread; it survives a structured clone. */
export interface LogLine {
  readonly level: LogLevel;
  readonly timestampMs: number;
  readonly message: string;
  readonly fields: LogFields;
}

export type LogSink = (line: LogLine) => void;

/** A logger that hands lines of `level` and above to `sink`. */
export function loggerTo(sink: LogSink, level: LogLevel = 'info'): LeveledLogger {
  let threshold = LOG_LEVELS.indexOf(level);
  const at = (each: LogLevel): ((message: string, fields?: LogFields) => void) => {
    const rank = LOG_LEVELS.indexOf(each);
    return (message, fields = {}) => {
      if (rank >= threshold) sink({ level: each, timestampMs: Date.now(), message, fields });
    };
  };
  return {
    debug: at('debug'),
    info: at('info'),
    warn: at('warn'),
    error: at('error'),
    get level(): LogLevel {
      return LOG_LEVELS[threshold] as LogLevel;
    },
    set level(wanted: LogLevel) {
      threshold = LOG_LEVELS.indexOf(wanted);
    },
  };
}

/** A logger that says nothing. */
export const silentLogger: Logger = loggerTo(() => {}, 'error');

/** `2026-01-02T03:04:05.678Z WARN  message key=value` */
export function formatLine(line: LogLine): string {
  const facts = Object.entries(line.fields)
    .filter(([, value]) => value !== undefined)
    .map(([key, value]) => ` ${key}=${typeof value === 'string' && /[\s="]/.test(value) ? JSON.stringify(value) : value}`)
    .join('');
  // A line break inside a message, which may quote a peer, must not make a second line.
  const text = `${line.message}${facts}`.replace(/[\r\n]+/g, ' ⏎ ');
  return `${new Date(line.timestampMs).toISOString()} ${line.level.toUpperCase().padEnd(5)} ${text}\n`;
}

/** Lines for people, on stderr. */
export function plainSink(write: (text: string) => void = (text) => void process.stderr.write(text)): LogSink {
  return (line) => write(formatLine(line));
}

/** Lines for machines: JSON by pino, which is loaded only here. Main thread only. */
export async function jsonSink(): Promise<LogSink> {
  const { pino, destination } = await import('pino');
  // The level was decided before a line came here.
  const out = pino({ level: 'debug', timestamp: false, base: null }, destination({ fd: 2, sync: true }));
  return ({ level, timestampMs, message, fields }) => out[level]({ time: timestampMs, ...fields }, message);
}
