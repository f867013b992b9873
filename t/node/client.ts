// A client of the five APIs, written against the types that openapi-typescript
// makes of their documents: with openapi-fetch each request and each answer is
// held to them by the compiler.  Prints what it was told, as JSON.
//
// Lines under @ts-expect-error are wrong on purpose: a document that let them
// pass would be a failure of the compiler.

import createClient from 'openapi-fetch';

import type * as omelette from './omelette.js';
import type * as cloudreve from './cloudreve.js';
import type * as codex from './codex.js';
import type * as runwisp from './runwisp.js';
import type * as cyberun from './cyberun.js';

declare const process: { argv: string[] };

type Access = { base: string; headers: Record<string, string> };

const access: Record<string, Access> = JSON.parse(process.argv[2]);

const client = <Paths extends {}>(api: string) => {
    const { base, headers } = access[api];

    return createClient<Paths>({ baseUrl: base, headers });
};

async function useOmelette() {
    const api = client<omelette.paths>('omelette');

    const list = await api.GET('/tasks', {
        params: { query: { project_id: 1, status: 'running', limit: 20 } },
    });
    const first = list.data!.data[0];
    const progress: number = first.progress / first.total;

    // @ts-expect-error a list does not show it
    void first.error_message;
    // @ts-expect-error a number
    void api.GET('/tasks', { params: { query: { limit: '20' } } });

    const task = await api.GET('/tasks/{id}', { params: { path: { id: first.id } } });
    const started: string | null = task.data!.data.started_at;

    const cancel = { params: { path: { id: first.id } } };
    const done = await api.POST('/tasks/{id}/cancel', cancel);
    const again = await api.POST('/tasks/{id}/cancel', cancel);
    const bad = await api.GET('/tasks', { params: { query: { limit: -1 } } });

    // what is wrong is typed, too
    const error = bad.error as omelette.components['schemas']['BadParameterError'];

    return {
        id: first.id, progress, started, done: done.data!.message,
        again: [again.response.status, again.error!.message],
        bad: error.data[0].loc,
    };
}

// Its answers are 200 always: what they are is told by what they have.

async function useCloudreve() {
    const api = client<cloudreve.paths>('cloudreve');
    const ids: string[] = [];
    let pages = 0;
    let token: string | undefined;

    // @ts-expect-error a category is required
    void api.GET('/workflow', { params: { query: { page_size: 10 } } }).catch(() => 0);

    do {
        const { data } = await api.GET('/workflow', {
            params: { query: { category: 'general', page_size: 10,
                               next_page_token: token } },
        });

        if (!data || !('data' in data))
            throw new Error(data?.msg);

        ids.push(...data.data.tasks.map((task) => task.id));
        token = data.data.pagination.next_token;
        pages++;
    } while (token);

    const id = 'jAMaCN';
    const get = await api.GET('/workflow/progress/{id}', { params: { path: { id } } });
    const cancel = await api.DELETE('/workflow/download/{id}', { params: { path: { id } } });
    const none = await api.DELETE('/workflow/download/{id}', { params: { path: { id: 'x' } } });

    return { pages, tasks: ids.length, different: new Set(ids).size,
             get: get.data!.code, cancel: cancel.data!.code,
             none: [none.data!.code, none.data!.msg] };
}

async function useCodex() {
    const api = client<codex.paths>('codex');

    const list = await api.GET('/tasks', { params: { query: { status: 'processing',
                                                            taskType: 'scan_library' } } });
    const first: codex.components['schemas']['Task'] = list.data![0];
    const locked: string | null = first.lockedBy;

    const path = { params: { path: { id: first.id } } };
    const task = await api.GET('/tasks/{id}', path);

    // @ts-expect-error only lists show it
    void task.data!.libraryName;

    const cancel = await api.POST('/tasks/{id}/cancel', path);
    const after = await api.GET('/tasks/{id}', path);

    return { id: first.id, library: first.libraryName, locked,
             attempts: task.data!.attempts + 1, cancel: cancel.data!.message,
             after: [after.data!.status, after.data!.lockedBy] };
}

async function useRunwisp() {
    const api = client<runwisp.paths>('runwisp');

    const tasks = await api.GET('/tasks');
    const names: string[] = tasks.data!.map((task) => task.name);

    // several values of one parameter
    const runs = await api.GET('/runs', {
        params: { query: { status: ['running', 'pending'], limit: 2, offset: 1 } },
        querySerializer: { array: { style: 'form', explode: false } },
    });
    const run = runs.data!.runs[0];

    const path = { params: { path: { taskName: run.task_name, id: run.id } } };
    const get = await api.GET('/tasks/{taskName}/runs/{id}', path);
    const stop = await api.POST('/tasks/{taskName}/runs/{id}/stop', path);

    return { names, total: runs.data!.total, shown: runs.data!.runs.length,
             same: get.data!.id === run.id, stop: stop.data!.message };
}

async function useCyberun() {
    const api = client<cyberun.paths>('cyberun');
    const states: Record<string, number> = {};
    let page = 0;
    let total: number;
    let seen = 0;
    let running = '';

    // @ts-expect-error no such state
    void api.GET('/tasks', { params: { query: { status: 'done' } } });

    do {
        const { data } = await api.GET('/tasks', {
            params: { query: { current_page: ++page, per_page: 20 } },
        });

        total = data!.page_meta.total_count;
        seen += data!.task_list.length;

        for (const task of data!.task_list) {
            states[task.task_status ?? ''] = (states[task.task_status ?? ''] ?? 0) + 1;

            if (task.task_status === 'running')
                running = task.id;
        }
    } while (seen < total);

    const path = { params: { path: { id: running } } };
    const cancel = await api.POST('/tasks/{id}/cancel', path);
    const result = await api.GET('/tasks/{id}/result', path);

    return { page, seen, total, cancel: cancel.data!.is_success,
             after: result.data!.task_status, url: result.data!.download_url };
}

console.log(JSON.stringify({
    omelette: await useOmelette(),
    cloudreve: await useCloudreve(),
    codex: await useCodex(),
    runwisp: await useRunwisp(),
    cyberun: await useCyberun(),
}));
