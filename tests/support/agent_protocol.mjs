// Messages of the agent protocol, made and read by protoc from the .proto file, without any code of ours.

import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { join } from 'node:path';

import { root } from './processes.mjs';

const folder = join(root, 'shared', 'proto');
const protoc = (verb, input) =>
    execFileSync('protoc', [`-I${folder}`, `--${verb}=synapsex.agent.v1.InventorySection`, join(folder, 'agent/v1/agent.proto')], { input, timeout: 60_000 });

// Protobuf's text form; every byte that could mean something in it is escaped.
function textOf(message) {
    const line = (name, value) => {
        if (Array.isArray(value)) return value.map((item) => line(name, item)).join('');
        if (value !== null && typeof value === 'object') return `${name} { ${textOf(value)} }\n`;
        if (typeof value !== 'string') return `${name}: ${value}\n`;
        const escaped = [...Buffer.from(value)].map((byte) => `\\${byte.toString(8).padStart(3, '0')}`).join('');
        return `${name}: "${escaped}"\n`;
    };
    return Object.entries(message).map(([name, value]) => line(name, value)).join('');
}

// `{ memory: { total_bytes: 1 } }` as bytes.
export const inventorySection = (message) => protoc('encode', textOf(message));
// The text form of the bytes.
export const readInventorySection = (bytes) => protoc('decode', bytes).toString();
export const hashOf = (bytes) => createHash('sha256').update(bytes).digest('hex').slice(0, 32);
