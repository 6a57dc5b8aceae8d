// node parked_memory.mjs <url that holds its answer> <server pid> <connections>
// Resident memory of the server per connection that waits for an answer.

import { readFileSync } from 'node:fs';
import net from 'node:net';
import tls from 'node:tls';

const [url, pid, count] = [new URL(process.argv[2]), process.argv[3], Number(process.argv[4])];

// The header of an agent's heartbeat, in size.
const request =
    `GET ${url.pathname} HTTP/1.1\r\nHost: ${url.host}\r\n` +
    `Authorization: Bearer ${'x'.repeat(300)}\r\nAccept: application/x-protobuf\r\n` +
    `User-Agent: synapsex-agent/1.0.0\r\nX-Request-Id: req_01jgkx8m4e6w9p2r5t7v9x1z3b\r\n\r\n`;

const residentBytes = () =>
    1024 * Number(/^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))[1]);

function park() {
    return new Promise((resolve, reject) => {
        const place = { port: Number(url.port), host: url.hostname };
        const socket = url.protocol === 'https:'
            ? tls.connect({ ...place, rejectUnauthorized: false })
            : net.connect(place);
        socket.once('error', reject);
        socket.once('data', () => reject(new Error('answered instead of held')));
        socket.write(request, () => resolve(socket));
    });
}

async function parkMany(many) {
    const sockets = [];
    while (sockets.length < many) {
        const batch = Array.from({ length: Math.min(100, many - sockets.length) }, park);
        sockets.push(...(await Promise.all(batch)));
    }
    // Until the server has read them all, its memory still moves.
    for (let before = -1, now = residentBytes(); before !== now; ) {
        await new Promise((resolve) => setTimeout(resolve, 300));
        [before, now] = [now, residentBytes()];
    }
    return sockets;
}

const first = await parkMany(100);  // pays for what is there once
const before = residentBytes();
const sockets = await parkMany(count);
const each = (residentBytes() - before) / count;
console.log(`parked memory, ${url.protocol.padEnd(6)}  ${each.toFixed(0)} bytes per connection (${count} of them)`);
for (const socket of [...first, ...sockets]) socket.destroy();
