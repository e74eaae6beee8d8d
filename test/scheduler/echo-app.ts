// An app for runtime tests: echo over the exchange, control messages, connections, and ways to die.
import net from 'node:net';
import type { Runtime, SupervisorPort, WorkerApp } from '../../src/scheduler/runtime.ts';

const ECHO = 1;

export type EchoCommand =
  | { readonly type: 'ask'; readonly to: number; readonly value: number }
  | { readonly type: 'control'; readonly to: number; readonly values: readonly number[] }
  | { readonly type: 'die'; readonly how: 'throw in a turn' | 'throw outside' | 'reject' | 'exit' | 'out of memory' }
  | { readonly type: 'roundTrips'; readonly to: number; readonly count: number }
  | { readonly type: 'turns' }
  | { readonly type: 'memory' };

export type EchoReport =
  | { readonly type: 'answer'; readonly from: number; readonly value: number; readonly float: number }
  | { readonly type: 'control'; readonly from: number; readonly value: unknown; readonly isInTurn: boolean }
  | { readonly type: 'roundTrips'; readonly meanUs: number }
  | { readonly type: 'turns'; readonly count: number; readonly cpuMs: number }
  | { readonly type: 'released' };

export interface EchoOptions {
  readonly failStartOf?: number;
  /** Never calls done of stop. */
  readonly hangsAtStop?: boolean;
}

export function echoApp(runtime: Runtime, data: EchoOptions, supervisor: SupervisorPort): WorkerApp {
  if (data.failStartOf === runtime.workerIndex) throw new Error('told not to start');
  const { exchange } = runtime;
  const report = (message: EchoReport): void => supervisor.send(message);
  let trips = { left: 0, startMs: 0, to: 0, count: 0 };
  let turns = 0;
  let isInControl = false;
  const counter = { onTurnEnd: () => void turns++ };

  exchange.onRequest(ECHO, (from, requestId, words, floats, index) => {
    const value = words[index] as number;
    const float = floats[(index + 2) >> 1] as number;
    const reply = exchange.beginReply(from, ECHO, requestId, 4);
    exchange.replyWords(from)[reply] = value + 1;
    exchange.replyFloats(from)[(reply + 2) >> 1] = float * 2;
    exchange.commitReply(from);
    runtime.touch(counter);
  });
  exchange.onReply(ECHO, (from, _requestId, words, floats, index) => {
    if (trips.left > 0) {
      trips.left--;
      if (trips.left > 0) ask(trips.to, trips.left);
      else report({ type: 'roundTrips', meanUs: ((performance.now() - trips.startMs) * 1000) / trips.count });
      return;
    }
    report({ type: 'answer', from, value: words[index] as number, float: floats[(index + 2) >> 1] as number });
  });

  function ask(to: number, value: number): void {
    const index = exchange.tryRequest(to, ECHO, value, 4, 4);
    if (index === -1) throw new Error('no credit');
    exchange.requestWords(to)[index] = value;
    exchange.requestFloats(to)[(index + 2) >> 1] = value + 2 ** 40;
    exchange.commitRequest(to);
  }

  return {
    onControl(from, value) {
      const isInTurn = !isInControl;
      isInControl = true;
      report({ type: 'control', from, value, isInTurn });
      isInControl = false;
    },
    onSupervisor(message) {
      const command = message as EchoCommand;
      switch (command.type) {
        case 'ask':
          return ask(command.to, command.value);
        case 'control':
          isInControl = true; // A nested delivery would see this.
          for (const value of command.values) runtime.sendControl(command.to, { value });
          isInControl = false;
          return;
        case 'roundTrips':
          trips = { left: command.count, startMs: performance.now(), to: command.to, count: command.count };
          return ask(command.to, command.count);
        case 'turns':
          return report({
            type: 'turns',
            count: turns,
            cpuMs: process.threadCpuUsage().user / 1000 + process.threadCpuUsage().system / 1000,
          });
        case 'die':
          return die(command.how);
      }
    },
    onConnection(descriptor) {
      echoSocket(descriptor);
    },
    stop(done) {
      if (data.hangsAtStop !== true) runtime.after(5, done);
    },
  };
}

function die(how: Extract<EchoCommand, { type: 'die' }>['how']): void {
  switch (how) {
    case 'throw in a turn':
      throw new Error('thrown in a turn');
    case 'throw outside':
      setImmediate(() => {
        throw new Error('thrown outside');
      });
      return;
    case 'reject':
      void Promise.reject(new Error('rejected'));
      return;
    case 'exit':
      process.exit(7);
      return;
    case 'out of memory': {
      const kept: number[][] = [];
      for (;;) kept.push(new Array(100_000).fill(kept.length));
    }
  }
}

/** One for all connections of the worker: consumed before the callback returns. */
const landing = Buffer.from(new SharedArrayBuffer(64 * 1024));

/** Sends back what comes, with back-pressure. */
function echoSocket(descriptor: number): void {
  const socket: net.Socket = new net.Socket({
    fd: descriptor,
    readable: true,
    writable: true,
    onread: {
      buffer: landing,
      callback(length, buffer) {
        const isFlushed = socket.write(Buffer.from(buffer.subarray(0, length)));
        if (!isFlushed) socket.once('drain', () => socket.resume());
        return isFlushed;
      },
    },
  });
  socket.on('error', () => {});
  socket.resume();
}
