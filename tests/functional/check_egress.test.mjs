// An operator asks whether a URL that a tenant supplied would be sent to, and is told why.

import assert from 'node:assert/strict';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';

import { isRoot, program, run, temporaryFolder } from '../support/processes.mjs';

const configFile = join(temporaryFolder(), 'controlplane.toml');
writeFileSync(configFile, '');  // no settings of the machine

const ask = (url, ...more) =>
    run(program('synapsex-controlplane'), ['check-egress', url, '--config', configFile, ...more]);

async function asJson(url, ...more) {
    const done = await ask(url, '--json', ...more);
    const answer = JSON.parse(done.stdout);
    assert.equal(done.code, answer.decision === 'allowed' ? 0 : 1, done.stdout);
    assert.equal(done.stderr, '');
    return answer;
}

test('an address on the internet is allowed', async () => {
    const done = await ask('https://8.8.8.8:8443/hook');
    assert.equal(done.code, 0, done.stdout + done.stderr);
    assert.match(done.stdout, /^https:\/\/8\.8\.8\.8:8443\/hook\n/);
    assert.match(done.stdout, /8\.8\.8\.8 is public\nallowed\n$/);
    assert.deepEqual(await asJson('HTTPS://[2606:4700:0:0::1111]'), {
        decision: 'allowed',
        url: 'https://[2606:4700::1111]/',
        host: '2606:4700::1111',
        port: 443,
        addresses: [{ address: '2606:4700::1111', reason: '2606:4700::1111 is public' }],
    });
});

test('a name that leads to this machine is refused, with address and range', async () => {
    const done = await ask('https://localhost/');
    assert.equal(done.code, 1);
    assert.match(done.stdout, /refused: egress\.address_loopback\n/);
    assert.match(done.stdout, /127\.0\.0\.1 is in 127\.0\.0\.0\/8, loopback \(RFC 1122\)/);
});

test('each way inward has its code', async () => {
    for (const [url, code] of [
        ['https://169.254.169.254/latest/meta-data/', 'egress.metadata'],
        ['https://[fd00:ec2::254]/', 'egress.metadata'],
        ['https://[::ffff:169.254.169.254]/', 'egress.metadata'],
        ['https://[::ffff:127.0.0.1]/', 'egress.address_loopback'],
        ['https://[64:ff9b::10.0.0.1]/', 'egress.address_private'],
        ['https://10.0.0.1/', 'egress.address_private'],
        ['https://0.0.0.0/', 'egress.address_reserved'],
        ['https://2130706433/', 'egress.host_ambiguous'],
        ['https://0x7f.1/', 'egress.host_ambiguous'],
        ['https://%6cocalhost/', 'egress.host_invalid'],
        ['https://user@8.8.8.8/', 'egress.url_invalid'],
        ['https://8.8.8.8:22/', 'egress.port_refused'],
        ['http://8.8.8.8/', 'egress.scheme_refused'],
        [`https://${'a'.repeat(300)}/`, 'egress.host_invalid'],
        ['', 'egress.url_invalid'],
    ]) {
        const answer = await asJson(url);
        assert.equal(answer.code, code, `${url}: ${JSON.stringify(answer)}`);
        assert.ok(answer.detail.endsWith('.'), answer.detail);
    }
});

test('the operator allows an internal receiver, and denies one outside', async () => {
    assert.equal((await asJson('https://10.1.2.3/', '--egress-allow', '10.1.0.0/16')).decision, 'allowed');
    assert.equal((await asJson('http://10.1.2.3/', '--egress-allow', '10.1.0.0/16')).code, 'egress.scheme_refused');
    assert.equal((await asJson('http://localhost:8080/', '--egress-allow', '127.0.0.0/8,::1', '--egress-http', 'true')).decision, 'allowed');
    assert.equal((await asJson('http://8.8.8.8/', '--egress-http', 'true')).code, 'egress.scheme_refused');
    assert.equal((await asJson('https://8.8.8.8/', '--egress-deny', '8.8.8.0/24')).code, 'egress.address_denied');
    assert.equal((await asJson('https://169.254.169.254/', '--egress-allow', '169.254.0.0/16')).code, 'egress.metadata');
    const file = join(temporaryFolder(), 'controlplane.toml');
    writeFileSync(file, 'egress_allow = "10.1.0.0/16"\n');
    const done = await run(program('synapsex-controlplane'), ['check-egress', 'https://10.1.2.3/', '--config', file]);
    assert.match(done.stdout, /10\.1\.2\.3 is in 10\.1\.0\.0\/16, which the operator allows\nallowed\n$/);
});

test('a command line that asks nothing has a code of its own', async () => {
    const command = program('synapsex-controlplane');
    assert.equal((await run(command, ['check-egress', '--config', configFile])).code, 2);
    const wrong = await ask('https://8.8.8.8/', '--egress-allow', '10.1.2.3/16');
    assert.equal(wrong.code, 2);
    assert.match(wrong.stderr, /^synapsex-controlplane: --egress-allow: .*bits behind the prefix/);
});

// A name server for processes whose resolv.conf names it. `answer(name)` is an IPv4 address or
// undefined; only questions of type A (1) get it.
async function nameServer(t, answer) {
    const server = createSocket('udp4');
    const asked = [];
    server.on('message', (question, from) => {
        const labels = [];
        let at = 12;
        for (; question[at] > 0; at += question[at] + 1)
            labels.push(question.toString('latin1', at + 1, at + 1 + question[at]));
        const isA = question[at + 2] === 1;
        const name = labels.join('.');
        if (isA) asked.push(name);
        const address = isA ? answer(name) : undefined;
        const record = address ? [0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 0, 0, 4, ...address.split('.').map(Number)] : [];
        const head = [question[0], question[1], 0x81, 0x80, 0, 1, 0, address ? 1 : 0, 0, 0, 0, 0];
        server.send(Buffer.concat([Buffer.from(head), question.subarray(12, at + 5), Buffer.from(record)]), from.port, from.address);
    });
    server.bind(53, '127.0.0.77');
    await once(server, 'listening');
    t.after(() => server.close());
    return asked;
}

test('names are asked for as they stand, and each time anew', async (t) => {
    if (!isRoot || (await run('unshare', ['--mount', 'mount', '--bind', configFile, configFile])).code !== 0) {
        t.skip('this machine does not let us mount a resolv.conf');
        return;
    }
    const addresses = { 'rebind.example': ['8.8.8.8', '127.0.0.1'], 'db.corp.example': ['8.8.8.8'] };
    const asked = await nameServer(t, (name) => addresses[name]?.shift());
    const resolvConf = join(temporaryFolder(), 'resolv.conf');
    writeFileSync(resolvConf, 'nameserver 127.0.0.77\nsearch corp.example\n');
    const askThere = (url) => run('unshare', [
        '--mount', 'sh', '-c', 'mount --bind "$0" /etc/resolv.conf && exec "$@"', resolvConf,
        program('synapsex-controlplane'), 'check-egress', url, '--config', configFile,
    ]);
    const first = await askThere('https://rebind.example/');
    assert.equal(first.code, 0, first.stdout + first.stderr);
    const second = await askThere('https://rebind.example/');
    assert.equal(second.code, 1, second.stdout);
    assert.match(second.stdout, /refused: egress\.address_loopback/);
    // "db" is not completed to the operator's db.corp.example.
    assert.match((await askThere('https://db/')).stdout, /refused: egress\.unresolved/);
    assert.deepEqual(asked, ['rebind.example', 'rebind.example', 'db']);
});
