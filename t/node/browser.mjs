// A browser for Tasks::Browser: reads a command a line, [NAME, ARGUMENT...] as
// JSON, and writes its answer as a line, {"value": ...} or {"error": "..."}.
// The browser is the system's Chromium.  Expressions run past the page's
// Content-Security-Policy, which holds for the page itself.

import { readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { chromium } from 'playwright-core';

const LIMIT = 30000;            // ms, for whatever is waited for
const AXE = readFileSync(new URL('node_modules/axe-core/axe.min.js',
                                 import.meta.url), 'utf8');

const browser = await chromium.launch({
    executablePath: '/usr/bin/chromium',
    args: ['--no-proxy-server', '--disable-gpu',
           '--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1'],
});

let context = null;
let page, session, problems, requests, inFlight, most;


async function evaluate(expression) {
    const { result, exceptionDetails } = await session.send('Runtime.evaluate',
        { expression, returnByValue: true, awaitPromise: true });

    if (exceptionDetails) {
        throw new Error(exceptionDetails.exception?.description
                        ?? exceptionDetails.text);
    }

    return result.value;
}


// Requests of scripts: what was asked for, when, with which headers; and how
// many at most there were at the same time.

function watch() {
    const isOurs = (request) => request.resourceType() === 'fetch';

    page.on('request', (request) => {
        if (isOurs(request)) {
            const { pathname, search } = new URL(request.url());

            most = Math.max(most, ++inFlight);
            requests.push({ method: request.method(), at: Date.now(),
                            target: pathname + search,
                            headers: request.headers() });
        }
    });

    for (const end of ['requestfinished', 'requestfailed']) {
        page.on(end, (request) => { inFlight -= isOurs(request) ? 1 : 0; });
    }

    page.on('console', (message) => {
        if (/^(?:error|warning)$/.test(message.type())) {
            problems.push(message.text());
        }
    });
    page.on('pageerror', (error) => problems.push(error.stack));
}


const commands = {

    // A new window, with a session of its own.
    async open(url, { width = 1280, height = 900, scheme = 'light' } = {}) {
        await context?.close();
        context = await browser.newContext({
            viewport: { width, height }, colorScheme: scheme,
            timezoneId: 'UTC' });
        page = await context.newPage();
        page.setDefaultTimeout(LIMIT);
        session = await context.newCDPSession(page);
        [problems, requests, inFlight, most] = [[], [], 0, 0];
        watch();

        const response = await page.goto(url);

        return response.headers();
    },

    evaluate,

    async until(expression) {
        const end = Date.now() + LIMIT;

        for (;;) {
            const value = await evaluate(expression);

            if (value) {
                return value;
            }

            if (Date.now() > end) {
                throw new Error(`it did not come: ${expression}`);
            }

            await new Promise((resolve) => setTimeout(resolve, 20));
        }
    },

    click: (selector) => page.click(selector),
    fill: (selector, text) => page.fill(selector, text),
    choose: (selector, value) => page.selectOption(selector, value),
    press: (...keys) => keys.reduce((before, key) =>
        before.then(() => page.keyboard.press(key)), Promise.resolve()),
    scheme: (colorScheme) => page.emulateMedia({ colorScheme }),
    screenshot: (path) => page.screenshot({ path }),

    // What has been seen since the last time.
    problems: () => problems.splice(0),
    requests: () => requests.splice(0),
    most: () => most,

    // Violations of accessibility rules, as text.
    async axe() {
        if (await evaluate('window.axe === undefined')) {
            await evaluate(`${AXE}; null`);
        }

        const { violations } = await evaluate('axe.run()');

        return violations.map(({ impact, id, nodes }) =>
            `${impact}: ${id}: ${nodes.map((n) => n.html).join(' ')}`);
    },
};


for await (const line of createInterface({ input: process.stdin })) {
    const [name, ...rest] = JSON.parse(line);
    let answer;

    try {
        answer = { value: await commands[name](...rest) ?? null };
    } catch (error) {
        answer = { error: error.message };
    }

    console.log(JSON.stringify(answer));
}

await browser.close();
