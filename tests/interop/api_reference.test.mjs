// A browser opens /docs: every operation is rendered and the console stays clean. Runs with --long,
// where Chromium is installed.

import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import test, { after, before } from 'node:test';

import { ControlPlane } from '../support/control_plane.mjs';
import { isLong } from '../support/processes.mjs';

const browserPath = process.env.CHROMIUM ?? '/usr/bin/chromium';
const skip = (!isLong && 'only with --long') || (!existsSync(browserPath) && `${browserPath} is not installed`);

let controlPlane;
before(async () => { if (!skip) controlPlane = await ControlPlane.start(); });
after(async () => { await controlPlane?.stop(); });

// What somebody does to try an operation; the status that the page then shows.
async function answerInPage(page, path) {
    const block = page.locator('.opblock', { has: page.locator(`[data-path="${path}"]`) });
    await block.locator('.opblock-summary-control').click();
    await block.getByRole('button', { name: 'Try it out' }).click();
    await block.getByRole('button', { name: 'Execute' }).click();
    return Number.parseInt(await block.locator('.live-responses-table .response-col_status').last().innerText(), 10);
}

test('a browser renders the API reference', { skip, timeout: 180_000 }, async (t) => {
    const { chromium } = await import('playwright-core');
    const { version } = JSON.parse(readFileSync(new URL('node_modules/playwright-core/package.json', import.meta.url)));
    const browser = await chromium.launch({ executablePath: browserPath, args: ['--no-sandbox'] });
    try {
        t.diagnostic(`playwright-core ${version}, Chromium ${browser.version()}`);
        const page = await browser.newPage();
        const complaints = [];
        const foreign = [];
        page.on('console', (message) => { if (['error', 'warning'].includes(message.type())) complaints.push(message.text()); });
        page.on('pageerror', (error) => complaints.push(error.message));
        // Under another name than the document gives as the server's.
        const url = controlPlane.url.replace('127.0.0.1', 'localhost');
        page.on('request', (request) => {
            if (!request.url().startsWith(url) && !/^(data|blob):/.test(request.url())) foreign.push(request.url());
        });
        await page.goto(`${url}/docs`);
        await page.waitForSelector('.opblock', { timeout: 60_000 });
        const { paths } = (await controlPlane.get('/v1/openapi.json')).json;
        const expected = Object.values(paths).flatMap((methods) => Object.values(methods)).filter((operation) => operation.operationId).length;
        assert.equal(await page.locator('.opblock').count(), expected);
        assert.equal(await answerInPage(page, '/v1/auth/jwks.json'), 200);
        assert.deepEqual(foreign, [], 'nothing comes from elsewhere');
        assert.deepEqual(complaints, []);
    } finally {
        await browser.close();
    }
});
