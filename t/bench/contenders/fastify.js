// Fastify: fastify.js PORT, with tasks.js.

'use strict';

const fastify = require('fastify')();

const tasks = require('./tasks.js');


fastify.get('/tasks', async (request, reply) => {
    const body = await tasks.list(request.query);

    reply.header('Content-Type', 'application/json');
    return reply.send(body);
});


fastify.get('/tasks/:id', async (request, reply) => {
    const body = await tasks.get(request.query, request.params.id);

    if (body === null) {
        return reply.code(404).send();
    }

    reply.header('Content-Type', 'application/json');
    return reply.send(body);
});


fastify.listen({ port: Number(process.argv[2]), host: '127.0.0.1' })
    .catch((error) => {
        console.error(error);
        process.exit(1);
    });
