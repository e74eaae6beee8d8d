// Names of options of a single listener: `listener.name.<listener>.<option>`.
// Pure. Which of them have an effect: connection-options.ts.
const OF_LISTENER = /^listener\.name\.[^.]*\.(.+)$/;

/** Whether the name is one of a single listener, known or not. */
export function isOfListener(name: string): boolean {
  return OF_LISTENER.test(name);
}

/** The name of the same option for all listeners; any other name as it is. */
export function listenerBaseName(name: string): string {
  return OF_LISTENER.exec(name)?.[1] ?? name;
}

/** The name of the option for one listener alone. */
export function listenerOptionName(listener: string, option: string): string {
  return `listener.name.${listener.toLowerCase()}.${option}`;
}
