import { once } from 'node:events';
import { connect, createServer, type Server, type Socket } from 'node:net';

/**
 * What stands between a browser and a server, misbehaving on request:
 * `buffered` passes short answers and keeps streams for itself, without a word;
 * `dead` refuses; `hole` takes everything and answers nothing.
 */
export type Weather = 'clear' | 'buffered' | 'dead' | 'hole';

interface Pair {
  client: Socket;
  server: Socket;
  stream: boolean;
}

export class Wire {
  weather: Weather = 'clear';
  private readonly lines = new Set<Pair>();

  private constructor(
    private readonly listener: Server,
    readonly port: number,
  ) {}

  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  static async open(to: number): Promise<Wire> {
    const listener = createServer();
    listener.listen(0, '127.0.0.1');
    await once(listener, 'listening');
    const address = listener.address();
    if (typeof address !== 'object' || !address) throw new Error('no port');
    const wire = new Wire(listener, address.port);
    listener.on('connection', (client) => wire.join(client, to));
    return wire;
  }

  /** Breaks every stream off, as a proxy that restarts does. */
  cut(): void {
    for (const line of this.lines) if (line.stream) line.client.destroy();
  }

  /** Breaks everything off. */
  cutAll(): void {
    for (const line of this.lines) line.client.destroy();
  }

  close(): void {
    this.cutAll();
    this.listener.close();
  }

  private join(client: Socket, to: number): void {
    if (this.weather === 'dead') {
      client.destroy();
      return;
    }
    const line: Pair = { client, server: connect(to, '127.0.0.1'), stream: false };
    this.lines.add(line);
    const end = () => {
      client.destroy();
      line.server.destroy();
      this.lines.delete(line);
    };
    for (const socket of [client, line.server]) socket.on('error', end).on('close', end);
    client.on('data', (part) => {
      if (this.weather !== 'hole') line.server.write(part);
    });
    line.server.on('data', (part) => {
      if (
        part.includes('content-type: text/event-stream') ||
        part.includes('Content-Type: text/event-stream')
      )
        line.stream = true;
      if (this.weather === 'hole' || (this.weather === 'buffered' && line.stream)) return;
      client.write(part);
    });
  }
}
