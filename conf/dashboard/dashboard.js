// The page: which API, which of its lists, with which filters, and which task
// is looked at; all of that is in the page's address.
//
//     ?openapi=/openapi/jobs.json&every=2#/LIST/TASK?PARAMETER=VALUE

import { Credential } from './credential.js';
import { pathOf, readDocument, readResponse, urlOf } from './definition.js';
import { Form, Pages, defaults } from './form.js';
import { Panel, Question } from './panel.js';
import { Source } from './source.js';
import { Table } from './table.js';
import { absolute, badge, count, element, inSeconds, moveTimes, relative,
         title } from './text.js';

const byId = (id) => document.getElementById(id);
const search = new URLSearchParams(location.search);
const every = Math.min(3600, Math.max(0.2, Number(search.get('every')) || 2));
const source = new Source(every * 1000);

let documentUrl = null;
let api = null;

// What is shown.
let view = null;
let values = {};                // parameters of the list
let taskId = null;
let table, form, pages;
let tasks = [];
let total = null;               // of all pages, if the API says it
let endList = () => {};
let endTask = () => {};

// How fresh it is.
let loaded = null;              // when the list was last known to be so
let failure = null;             // that of the list: { message, next, ... }


// The address

function readRoute() {
    const [, key, id, query] = /^#\/([^/?]*)(?:\/([^?]*))?(?:\?(.*))?$/
                                   .exec(location.hash) ?? [];

    return { key: decoded(key ?? ''),
             task: id ? decoded(id) : null,
             values: Object.fromEntries(new URLSearchParams(query)) };
}


// What is no encoding stands for itself.

function decoded(text) {
    try {
        return decodeURIComponent(text);
    } catch {
        return text;
    }
}


function hashOf(task, own = values) {
    const usual = defaults(view);
    const query = new URLSearchParams(Object.entries(own).filter(
        ([name, value]) => value !== (usual[name] ?? ''))).toString();

    return `#/${encodeURIComponent(view.key)}`
           + (task === null ? '' : `/${encodeURIComponent(task)}`)
           + (query && `?${query}`);
}


function go(task, own, isNew) {
    const hash = hashOf(task, own);

    if (hash !== location.hash) {
        history[isNew ? 'pushState' : 'replaceState'](null, '', hash);
    }

    apply();
}


function apply() {
    const route = readRoute();
    const wanted = api.views.find((v) => v.key === route.key) ?? api.views[0];
    const isOther = wanted !== view;

    if (isOther) {
        showView(wanted);
    }

    const known = new Set(view.list.parameters.map((p) => p.name));
    const own = { ...defaults(view), ...Object.fromEntries(
        Object.entries(route.values).filter(([name]) => known.has(name))) };

    if (isOther || JSON.stringify(own) !== JSON.stringify(values)) {
        values = own;
        watchList();
    }

    if (isOther || route.task !== taskId) {
        showTask(route.task);
    }
}


// A request of an operation, for the source.

function request(operation, url) {
    return {
        url, method: operation.method, headers: credential.headers,
        read: (status, text) => {
            const result = readResponse(operation, status, text);

            // success has none
            return result.values ? result : { message: result.message
                                              || `It answers with ${status}` };
        },
    };
}


// A list

function showView(wanted) {
    view = wanted;
    taskId = null;
    loaded = failure = null;
    tasks = [];

    table = new Table(view, {
        open: (task) => go(String(task[view.id]), values, true),
        cancel: ask,
        hrefOf: (task) => hashOf(String(task[view.id])),
    });
    form = new Form(view, (own) => {
        const next = pages.begin({ ...values, ...own });
        go(taskId, next, false);
    });
    pages = new Pages(view, (own, isNew) => go(taskId, own, isNew));

    byId('filters').replaceChildren(form.element);
    byId('filters').hidden = form.element.hidden;
    byId('table').replaceChildren(table.element);
    byId('pages').replaceChildren(pages.element);

    for (const link of byId('lists').querySelectorAll('a')) {
        if (link.dataset.key === view.key) {
            link.setAttribute('aria-current', 'page');
        } else {
            link.removeAttribute('aria-current');
        }
    }
}


function watchList() {
    const missing = view.list.parameters.filter((p) =>
                                    p.required && !values[p.name]);
    let isFirst = true;

    endList();
    form.values = values;
    byId('table').ariaBusy = 'true';
    showHealth();

    if (missing.length) {
        endList = () => {};
        total = null;
        showTasks([]);
        pages.update(values, {}, 0);
        fresh();
        say(`Wanted: ${missing.map((p) => title(p.name)).join(', ')}`, true);
        return;
    }

    const asked = values;

    endList = source.subscribe(request(view.list, urlOf(view.list, values)), {
        data(result) {
            const rows = result.values.tasks;

            fresh();
            form.learn(rows ?? []);
            total = result.values.total ?? null;
            showTasks(rows ?? [], isFirst);
            pages.update(asked, result.values, tasks.length);
            isFirst = false;
        },

        same: fresh,

        error(problem) {
            // what is there belongs to what was asked for before
            if (isFirst) {
                total = null;
                showTasks([]);
                loaded = null;
            }

            isFirst = false;
            failure = problem;
            byId('table').ariaBusy = 'false';
            showHealth();
        },
    });
}


function fresh() {
    loaded = Date.now();
    failure = null;
    byId('table').ariaBusy = 'false';
    showHealth();
}


function showTasks(rows, isFirst) {
    tasks = rows;

    const changed = table.update(rows);

    showSummary();
    table.select(taskId);
    byId('none').hidden = rows.length > 0;
    byId('table').hidden = rows.length === 0;

    const row = rows.find((task) => String(task[view.id]) === taskId);

    if (row) {
        panel.update(0, row);
        watchTask(row);
    }

    if (isFirst) {
        say(`${count(rows.length, 'task')} shown`);
    } else if (changed.length > 3) {
        say(`${changed.length} tasks have changed`);
    } else if (changed.length) {
        say(changed.map(([task]) =>
            `Task ${task[view.id]} is ${task[view.state]}`).join(', '));
    }
}


// How many of those shown are in which state.

function showSummary() {
    const numbers = new Map();

    for (const task of view.state ? tasks : []) {
        const state = task[view.state];
        numbers.set(state, (numbers.get(state) ?? 0) + 1);
    }

    const shown = total !== null && Number(total) !== tasks.length
        ? `${tasks.length} of ${count(total, 'task')}`
        : count(tasks.length, 'task');

    byId('summary').replaceChildren(
        element('span', { class: 'number' }, shown),
        ...[...numbers].filter(([state]) => state != null)
            .sort(([, a], [, b]) => b - a).map(([state, number]) => {
                const made = badge(state);

                made.prepend(`${number} `);

                return made;
            }));
}


// A task

function showTask(id) {
    const wasOpen = taskId;

    endTask();
    endTask = () => {};
    taskId = id;
    table.select(id);

    if (id === null) {
        panel.close();
        document.body.classList.remove('with-task');

        if (wasOpen !== null) {
            table.focus();
        }

        return;
    }

    document.body.classList.add('with-task');
    panel.open(view, id);

    const row = tasks.find((task) => String(task[view.id]) === id);

    if (row) {
        panel.update(0, row);
    }

    watchTask(row ?? { [view.id]: id });
}


// Asks for all that there is of a task, as far as enough of it is known.

function watchTask(task) {
    const asked = view.gets.map((get) => [get, pathOf(get, view, task)])
                           .filter(([, url]) => url !== null);

    if (endTask.asked === asked.length) {
        return;
    }

    endTask();

    const ends = asked.map(([get, url], i) => source.subscribe(
        request(get, url), {
            data(result) {
                panel.problem('');
                panel.update(i + 1, partsOf(result), result.fields);
            },
            same() {
                panel.problem('');
            },
            error(problem) {
                panel.problem(`Of the task: ${problem.message}`);
            },
        }));

    endTask = () => ends.forEach((end) => end());
    endTask.asked = asked.length;
}


function partsOf({ values: read, fields }) {
    const named = Object.keys(fields).map((f) => [f, read[`task.${f}`]]);

    return { ...read.task, ...Object.fromEntries(named) };
}


function ask(task) {
    question.open({ view, task, source, request, done(text) {
        say(`Task ${task[view.id]}: ${text || 'cancelled'}`, true);
    } });
}


const panel = new Panel(byId('task'), {
    close: () => go(null, values, false),
    cancel: ask,
});
const question = new Question(byId('cancel'));
const credential = new Credential(() => {
    loaded = failure = null;

    if (api) {
        watchList();
        showTask(taskId);
    } else {
        start();
    }
});


// What is said: to screen readers, and for a while to be seen.

let toast = null;

function say(text, isSeen) {
    byId('news').textContent = text;

    if (isSeen) {
        byId('toast').textContent = text;
        byId('toast').hidden = false;
        clearTimeout(toast);
        toast = setTimeout(() => { byId('toast').hidden = true; }, 5000);
    }
}


function showHealth() {
    const live = byId('live');
    const text = source.paused && loaded === null ? 'Paused'
        : source.paused ? `Paused, as of ${relative(loaded)}`
        : failure ? `Trying again ${inSeconds(failure.next)}`
        : loaded === null ? 'Loading'
        : `Live, checked ${relative(loaded)}`;

    live.className = source.paused ? 'paused' : failure ? 'trouble' : 'live';
    setText(live, text);

    byId('card').hidden = loaded === null;
    byId('problem').hidden = failure === null;
    byId('table').classList.toggle('stale', failure !== null);
    byId('stale').hidden = failure === null || loaded === null;

    if (failure) {
        const told = failure.status && failure.status !== 200
            ? `${failure.status}: ${failure.message}`
            : failure.status ? failure.message
            : `The server cannot be reached (${failure.message})`;

        setText(byId('problem-text'), told);
        byId('problem-credential').hidden =
            ![200, 401, 403].includes(failure.status);
        byId('problem-first').hidden = pages.isFirst(values);
    } else {
        setText(byId('problem-text'), '');
    }

    if (failure && loaded !== null) {
        setText(byId('stale'),
                `Stale: as of ${absolute(new Date(loaded)).slice(11)}`);
    }
}


function setText(place, text) {
    if (place.textContent !== text) {
        place.textContent = text;
    }
}


// The beginning

async function fetchJson(url, more) {
    const response = await fetch(url, { headers: more, cache: 'no-cache',
                                        redirect: 'error' });

    if (!response.ok) {
        throw new Error(`${url} answers with ${response.status}`);
    }

    return response.json();
}


// Which APIs there are, from apis.json; ?openapi= may be one besides.

async function setUpPicker() {
    const picker = byId('api');
    const wanted = search.get('openapi');
    let apis = [];

    try {
        apis = await fetchJson('apis.json');
    } catch {
        // there need not be one
    }

    if (wanted && !apis.some(({ openapi }) => openapi === wanted)) {
        apis.push({ name: wanted, openapi: wanted });
    }

    picker.replaceChildren(...apis.map(({ name, openapi }) =>
        element('option', { value: openapi, selected: openapi === wanted },
                name)));
    picker.addEventListener('change', () => {
        search.set('openapi', picker.value);
        location.assign(`?${search}`);
    });

    if (!apis.length) {
        throw new Error('Say whose tasks: ?openapi=, with the path of '
                        + 'a document of tasks_openapi');
    }

    documentUrl = new URL(picker.value, location.href).href;

    if (new URL(documentUrl).origin !== location.origin) {
        throw new Error('Only documents of this server are read');
    }
}


async function start() {
    try {
        if (documentUrl === null) {
            await setUpPicker();
        }

        credential.url = documentUrl;
        api = readDocument(await fetchJson(documentUrl, credential.headers),
                           documentUrl);

        if (!api.views.length) {
            throw new Error('its document has no list of tasks');
        }
    } catch (error) {
        byId('start-problem').hidden = false;
        byId('start-text').textContent =
            `There is nothing to show: ${error.message}.`;
        return;
    }

    byId('start-problem').hidden = true;
    byId('content').hidden = false;
    document.title = `${title(api.title)} – tasks`;
    byId('lists').hidden = api.views.length < 2;
    byId('lists').replaceChildren(...api.views.map(({ key, label }) =>
        element('a', { href: `#/${encodeURIComponent(key)}`, 'data-key': key },
                title(label))));

    apply();
}


function setUp() {
    const pause = byId('pause');

    pause.addEventListener('click', () => {
        source.paused = !source.paused;
        pause.textContent = source.paused ? 'Resume' : 'Pause';
        showHealth();
    });

    byId('credential-open').addEventListener('click',
        () => credential.ask());
    byId('problem-credential').addEventListener('click',
        () => credential.ask());
    byId('problem-first').addEventListener('click',
        () => go(taskId, pages.begin(values), true));
    byId('problem-again').addEventListener('click', () => source.refresh());
    byId('start-again').addEventListener('click', start);
    byId('skip').addEventListener('click', (event) => {
        event.preventDefault();
        table?.focus();
    });

    window.addEventListener('hashchange', () => api && apply());
    window.addEventListener('popstate', () => api && apply());
    document.addEventListener('keydown', (event) => {
        if (event.key === 'Escape' && panel.isOpen
            && !document.querySelector('dialog:modal')) {
            go(null, values, false);
        }
    });

    setInterval(() => {
        moveTimes();
        showHealth();
    }, 1000);

    start();
}


setUp();
