// How much slow connections cost those who ask normally: the 99th percentile of a client's answers
// with and without thousands of connections that send their header a byte a second. In one run,
// against the same server. Prints both, and their ratio.
//
//   node slow_connections.mjs http://127.0.0.1:8080/v1/auth/me [connections] [seconds]

import { Agent, get } from 'node:http';
import net from 'node:net';

const [url, count = '5000', seconds = '20'] = process.argv.slice(2);
const target = new URL(url);
const headers = process.env.SYNAPSEX_API_KEY ? { 'x-api-key': process.env.SYNAPSEX_API_KEY } : {};
const agent = new Agent({ keepAlive: true, maxSockets: 1 });

const ask = () => new Promise((done, failed) => {
    const begun = process.hrtime.bigint();
    get(target, { agent, headers }, (answer) => {
        answer.resume();
        answer.on('end', () => {
            if (answer.statusCode !== 200) failed(new Error(`status ${answer.statusCode}`));
            else done(Number(process.hrtime.bigint() - begun) / 1e6);
        });
    }).on('error', failed);
});

async function measure() {
    const took = [];
    const until = Date.now() + Number(seconds) * 1000;
    while (Date.now() < until) {
        took.push(await ask());
        await new Promise((next) => { setTimeout(next, 5); });
    }
    took.sort((a, b) => a - b);
    const at = (share) => took[Math.min(took.length - 1, Math.floor(took.length * share))].toFixed(2);
    return { requests: took.length, median: at(0.5), p99: at(0.99), worst: at(1) };
}

const slow = new Set();
let cut = 0;
let isOver = false;
// One that was cut off is replaced, as an attacker would.
function hold() {
    const socket = net.connect(Number(target.port), target.hostname, () => socket.write('GET / HTTP/1.1\r\nHost: a\r\nX: '));
    slow.add(socket);
    socket.on('error', () => {});
    socket.on('data', () => {});
    socket.on('close', () => {
        slow.delete(socket);
        cut += 1;
        if (!isOver) setTimeout(hold, 100);
    });
}

await ask();
const without = await measure();
for (let i = 0; i < Number(count); ++i) {
    hold();
    if (i % 100 === 99) await new Promise((next) => { setTimeout(next, 10); });
}
const drip = setInterval(() => { for (const socket of slow) socket.write('a'); }, 1000);
const withThem = await measure();
clearInterval(drip);
isOver = true;
const open = slow.size;
for (const socket of slow) socket.destroy();
agent.destroy();

console.log(`without       median ${without.median} ms, p99 ${without.p99} ms, worst ${without.worst} ms (${without.requests} requests)`);
console.log(`${open} slow open median ${withThem.median} ms, p99 ${withThem.p99} ms, worst ${withThem.worst} ms (${withThem.requests} requests; ${cut} were cut off and came again)`);
console.log(`p99 ratio ${(withThem.p99 / without.p99).toFixed(2)}`);
