// List and get for Node.js, with ioredis: one pipelined connection.  (Its
// enableAutoPipelining made both slower here.)

'use strict';

const { Redis } = require('ioredis');

const redis = new Redis(process.env.BENCH_SOCKET);

const FIELDS = [
    'project_id', 'task_type', 'status', 'progress', 'total', 'created_at',
    'started_at', 'owner', 'queue', 'worker', 'attempts', 'params',
];


const base = (scope) => `tasks:{bench:${encodeURIComponent(scope)}}`;

const envelope = (data) => `{"code":200,"message":"success","data":${data}}`;


function index(query) {
    const terms = [];

    for (const name of ['project_id', 'status']) {
        if (query[name] !== undefined) {
            terms.push(`${name}=${encodeURIComponent(query[name])}`);
        }
    }

    return base(query.scope) + ':index' + (terms.length ? ':' : '')
           + terms.join('&');
}


async function list(query) {
    const limit = query.limit === undefined ? 50 : Number(query.limit);
    const members = await redis.zrange(index(query), 0, limit - 1, 'REV');

    if (members.length === 0) {
        return envelope('[]');
    }

    const ids = members.map((member) => member.slice(member.indexOf(':') + 1));
    const rows = await redis.hmget(`${base(query.scope)}:rows`, ids);

    return envelope(`[${rows.join(',')}]`);
}


// Resolves to null if there is no such task.
async function get(query, id) {
    const values = await redis.hmget(`${base(query.scope)}:task:${id}`,
                                     FIELDS);
    let task = `{"id":${id}`;
    let found = false;

    for (let i = 0; i < FIELDS.length; i++) {
        if (values[i] !== null) {
            task += `,"${FIELDS[i]}":${values[i]}`;
            found = true;
        }
    }

    return found ? envelope(task + '}') : null;
}


module.exports = { list, get };
