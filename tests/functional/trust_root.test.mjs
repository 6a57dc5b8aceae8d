// The operators' trust root, from outside: made on an operator's machine, carried to a VM by a
// token, and kept there whatever later tokens say. No server hears of it.

import assert from 'node:assert/strict';
import { createHash, createPublicKey, verify } from 'node:crypto';
import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test, { after, before } from 'node:test';

import { Agent } from '../support/agent.mjs';
import { Cli } from '../support/command_line.mjs';
import { ControlPlane } from '../support/control_plane.mjs';

let controlPlane;
let operator;
let other;
let agent;
before(async () => {
    controlPlane = await ControlPlane.start();
    operator = new Cli(controlPlane, { env: { USER: 'ada' } });
    other = new Cli(controlPlane, { env: { USER: 'eve' } });
    for (const cli of [operator, other]) ok(await cli.login(controlPlane.credentials));
});
after(async () => {
    await agent?.stop();
    await controlPlane?.stop();
});

const ok = (done) => {
    assert.equal(done.code, 0, `${done.stdout}\n${done.stderr}`);
    return done.stdout;
};
const folder = (cli) => join(cli.home, '.config', 'synapsex', 'credentials.trust');
const fingerprint = async (cli) => JSON.parse(ok(await cli.run(['trust', 'show', '--json']))).fingerprint;
const tokenOf = async (cli, ...parameters) => ok(await cli.run(['tokens', 'create', ...parameters])).trim();
const identity = () => JSON.parse(readFileSync(join(agent.dataDir, 'identity.json'), 'utf8'));

test('init makes a root that others can check without this program', async () => {
    ok(await operator.run(['trust', 'init']));
    ok(await other.run(['trust', 'init']));
    assert.equal(statSync(folder(operator)).mode & 0o777, 0o700);
    for (const name of ['root.json', 'operator.key'])
        assert.equal(statSync(join(folder(operator), name)).mode & 0o777, 0o600, name);

    const { signed, signatures } = JSON.parse(readFileSync(join(folder(operator), 'root.json'), 'utf8'));
    const bytes = Buffer.from(JSON.stringify(signed));
    assert.equal(createHash('sha256').update(bytes).digest('base64url'), await fingerprint(operator));
    assert.notEqual(await fingerprint(operator), await fingerprint(other));
    assert.deepEqual([signed.type, signed.format, signed.version, signed.threshold], ['synapsex.trust-root', 1, 1, 1]);
    const [key] = signed.keys;
    assert.equal(key.name, 'ada');
    assert.equal(signatures[0].keyId, key.id);
    const publicKey = createPublicKey({ format: 'jwk', key: { kty: 'OKP', crv: 'Ed25519', x: key.publicKey } });
    assert.ok(verify(null, bytes, publicKey, Buffer.from(signatures[0].signature, 'base64url')));
});

test('it is made with no server there, and twice at once makes one', async () => {
    const alone = new Cli({ url: 'http://127.0.0.1:9' }, { env: { USER: 'ada' } });
    const ended = await Promise.all(Array.from({ length: 8 }, () => alone.run(['trust', 'init'])));
    assert.deepEqual(ended.map(({ code }) => code).toSorted((a, b) => a - b), [0, 6, 6, 6, 6, 6, 6, 6]);
    ok(await alone.run(['trust', 'show']));
});

test('a token carries it to the VM, which pins and shows it', async () => {
    const root = await fingerprint(operator);
    const token = await tokenOf(operator);
    assert.ok(token.endsWith(`.${root}`), token);
    assert.equal(token.split('.').length, 4);
    assert.ok(!(await tokenOf(operator, '--no-trust-root')).includes(root));

    agent = new Agent(controlPlane, { name: 'rooted' });
    agent.giveToken(token);
    agent.supervise();
    await agent.online();
    assert.equal(identity().trustRoot, root);
    assert.deepEqual((await agent.status()).trustRoot, { fingerprint: root, pinnedBy: 'enrollment' });
});

// As its VM's administrator does it after the fleet's removed the agent.
const enrollAgainWith = async (token) => {
    const known = JSON.parse(ok(await operator.run(['agents', 'list', '--json'])));
    for (const { id } of known) ok(await operator.run(['agents', 'remove', id, '--yes']));
    await agent.stop();
    agent.giveToken(token);
};

test('a token of another root enrolls it nowhere', async () => {
    const root = await fingerprint(operator);
    await enrollAgainWith(await tokenOf(other));
    agent.runBare();
    const ended = await agent.process.exited;
    assert.equal(ended.code, 78);
    assert.match(agent.process.tail(), /names another trust root/);
    assert.ok(agent.process.tail().includes(root), 'it says which one it has');
    assert.equal(identity().trustRoot, root);
    assert.ok(existsSync(agent.tokenFile));
    assert.deepEqual(JSON.parse(ok(await operator.run(['agents', 'list', '--json']))), []);
});

test('a token without a root takes none away', async () => {
    const root = await fingerprint(operator);
    agent.giveToken(await tokenOf(operator, '--no-trust-root'));
    agent.supervise();
    await agent.online();
    assert.equal(identity().trustRoot, root);
});

test('the administrator of the VM may pin another, or none', async () => {
    const root = await fingerprint(other);
    const settings = agent.env.SYNAPSEX_AGENT_CONFIG;
    await enrollAgainWith(await tokenOf(other));
    writeFileSync(settings, `trust_root = "${root}"\n`);
    agent.supervise();
    await agent.online();
    assert.equal(identity().trustRoot, root);
    assert.deepEqual((await agent.status()).trustRoot, { fingerprint: root, pinnedBy: 'setting' });
    writeFileSync(settings, 'trust_root = "none"\n');
    assert.equal((await agent.status()).trustRoot, null);
});
