// Log lines: short sentences with a few facts beside them and the part of the broker that says them, on stderr.
// Workers hand their lines to the main thread, so that one writer keeps them whole and in order.
// Runs on: every thread. Not metrics.

export type LogLevel = 'debug' | 'info' | 'warn' | 'error';
export const LOG_LEVELS: readonly LogLevel[] = ['debug', 'info', 'warn', 'error'];

/** Who speaks: the `component` of a line. */
export type LogComponent = 'broker' | 'config' | 'coordinator' | 'http' | 'log' | 'metadata' | 'network';

export type LogFields = Readonly<Record<string, string | number | boolean | null | undefined>>;

export interface Logger {
  debug(message: string, fields?: LogFields): void;
  info(message: string, fields?: LogFields): void;
  warn(message: string, fields?: LogFields): void;
  error(message: string, fields?: LogFields): void;
  /** The same, with the same level, for lines of another component. */
  of(component: LogComponent): Logger;
}

/** One whose level may be changed: with it that of all that were made of it. */
export interface LeveledLogger extends Logger {
  level: LogLevel;
  /** Hands on a line of another thread as it was said there. */
  pass(line: LogLine): void;
}

/** One line as it travels from a worker to the main thread; it survives a structured clone. */
export interface LogLine {
  readonly level: LogLevel;
  readonly timestampMs: number;
  readonly component: LogComponent;
  readonly message: string;
  readonly fields: LogFields;
}

export type LogSink = (line: LogLine) => void;

/** A logger that hands lines of `level` and above to `sink`; those of `broker` until `of` names another component. */
export function loggerTo(sink: LogSink, level: LogLevel = 'info'): LeveledLogger {
  let threshold = LOG_LEVELS.indexOf(level);
  const at = (each: LogLevel, component: LogComponent): ((message: string, fields?: LogFields) => void) => {
    const rank = LOG_LEVELS.indexOf(each);
    return (message, fields = {}) => {
      if (rank >= threshold) sink({ level: each, timestampMs: Date.now(), component, message, fields });
    };
  };
  const of = (component: LogComponent): Logger => ({
    debug: at('debug', component),
    info: at('info', component),
    warn: at('warn', component),
    error: at('error', component),
    of,
  });
  return {
    ...of('broker'),
    pass(line) {
      if (LOG_LEVELS.indexOf(line.level) >= threshold) sink(line);
    },
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

/** `2026-01-02T03:04:05.678Z WARN  [component] message key=value` */
export function formatLine(line: LogLine): string {
  const facts = Object.entries(line.fields)
    .filter(([, value]) => value !== undefined)
    .map(([key, value]) => ` ${key}=${typeof value === 'string' && /[\s="]/.test(value) ? JSON.stringify(value) : value}`)
    .join('');
  // A line break inside a message, which may quote a peer, must not make a second line.
  const text = `${line.message}${facts}`.replace(/[\r\n]+/g, ' ⏎ ');
  return `${new Date(line.timestampMs).toISOString()} ${line.level.toUpperCase().padEnd(5)} [${line.component}] ${text}\n`;
}

/** Lines for people, on stderr. */
export function plainSink(write: (text: string) => void = (text) => void process.stderr.write(text)): LogSink {
  return (line) => write(formatLine(line));
}

/** Lines for machines: JSON by pino, which is loaded only here. Main thread only. */
export async function jsonSink(write: (text: string) => void = (text) => void process.stderr.write(text)): Promise<LogSink> {
  const { pino } = await import('pino');
  // The level was decided before a line came here.
  const out = pino({ level: 'debug', timestamp: false, base: null }, { write });
  return ({ level, timestampMs, component, message, fields }) => out[level]({ time: timestampMs, component, ...fields }, message);
}
