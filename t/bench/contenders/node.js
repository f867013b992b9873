// Node.js, its own HTTP server: node.js PORT, with tasks.js.

'use strict';

const http = require('node:http');
const querystring = require('node:querystring');

const tasks = require('./tasks.js');


function route(path, query) {
    if (path === '/tasks') {
        return tasks.list(query);
    }

    const match = /^\/tasks\/(\d+)$/.exec(path);

    return match ? tasks.get(query, match[1]) : null;
}


async function answer(request, response) {
    const at = request.url.indexOf('?');
    const path = at < 0 ? request.url : request.url.slice(0, at);
    const query = at < 0 ? {} : querystring.parse(request.url.slice(at + 1));
    const body = await route(path, query);

    if (body === null) {
        response.writeHead(404).end();
        return;
    }

    response.writeHead(200, {
        'Content-Type': 'application/json',
        'Content-Length': Buffer.byteLength(body),
    });
    response.end(body);
}


http.createServer((request, response) => {
    answer(request, response).catch(() => response.writeHead(503).end());
}).listen(Number(process.argv[2]), '127.0.0.1');
