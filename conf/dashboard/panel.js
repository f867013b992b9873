// One task in full, beside the list or, where there is no room, above it; and
// the question whether to cancel it.

import { canCancel, isTime, pathOf } from './definition.js';
import { fillProgress, plain } from './table.js';
import { badge, element, jsonElement, timeElement, timeTitle, title }
    from './text.js';

const WIDE = matchMedia('(min-width: 1080px)');


export class Panel {

    #dialog;
    #handlers;                  // close(), cancel(task)
    #view = null;
    #id = null;
    #parts = [];                // of the task: the list's row, then responses
    #schemas = {};
    #shown = new Map();         // place => JSON of what is there
    #places = {};

    constructor(dialog, handlers) {
        this.#dialog = dialog;
        this.#handlers = handlers;

        const byId = (name) => dialog.querySelector(`#task-${name}`);

        for (const name of ['title', 'state', 'progress', 'facts', 'data',
                            'empty', 'problem', 'cancel', 'close']) {
            this.#places[name] = byId(name);
        }

        this.#places.close.addEventListener('click', () => handlers.close());
        this.#places.cancel.addEventListener('click',
            () => handlers.cancel(this.task));
        dialog.addEventListener('cancel', (event) => {
            event.preventDefault();
            handlers.close();
        });
        dialog.addEventListener('keydown', (event) => {
            if (event.key === 'Escape') {
                event.preventDefault();
                handlers.close();
            }
        });
        WIDE.addEventListener('change', () => this.#place());
    }


    get isOpen() {
        return this.#dialog.open;
    }


    get task() {
        return Object.assign({}, ...this.#parts);
    }


    open(view, id) {
        this.#view = view;
        this.#id = id;
        this.#parts = [];
        this.#schemas = view.fields;
        this.#shown.clear();
        this.#places.title.textContent = `Task ${id}`;
        this.#places.problem.textContent = '';

        for (const name of ['state', 'progress', 'facts', 'data', 'empty']) {
            this.#places[name].replaceChildren();
        }

        this.#places.cancel.hidden = true;
        this.#dialog.close();
        this.#place();
        this.#dialog.scrollTop = 0;
        this.#places.title.focus();
    }


    close() {
        this.#dialog.close();
        this.#id = null;
    }


    // A part of what is known of the task: part 0 is the list's row.

    update(part, fields, schemas = {}) {
        this.#parts[part] = fields;
        this.#schemas = { ...this.#schemas, ...schemas };
        this.#show();
    }


    // What is wrong with it, as far as it is shown; "" is nothing.

    problem(text) {
        if (this.#places.problem.textContent !== text) {
            this.#places.problem.textContent = text;
        }
    }


    #place() {
        const isOpen = this.#id !== null;

        this.#dialog.close();

        if (isOpen && WIDE.matches) {
            this.#dialog.show();
        } else if (isOpen) {
            this.#dialog.showModal();
        }
    }


    #show() {
        const view = this.#view;
        const task = this.task;
        const places = this.#places;
        const empty = [];
        const facts = [];
        const data = [];

        for (const [field, value] of Object.entries(task)) {
            if (field === view.id || field === view.state
                || field === view.progress?.done
                || field === view.progress?.total) {
                continue;
            }

            if (value === null || value === '') {
                empty.push(titleOf(this.#schemas[field], field));
            } else {
                (typeof value === 'object' ? data : facts).push(field);
            }
        }

        if (this.#differs('state', task[view.state])) {
            const state = task[view.state];
            places.state.replaceChildren(state == null ? '' : badge(state));
        }

        if (view.progress && task[view.progress.done] !== undefined) {
            fillProgress(places.progress, view, task);
        }

        this.#keep(places.facts, facts, task, fact);
        this.#keep(places.data, data, task, datum);
        places.empty.textContent = empty.length
            ? `Without a value: ${empty.join(', ')}` : '';
        this.#offer(canCancel(view, task));
    }


    // A button that goes leaves the focus to the heading.

    #offer(can) {
        const { cancel, title: heading } = this.#places;

        if (!can && cancel === document.activeElement) {
            heading.focus();
        }

        cancel.hidden = !can;
    }


    #differs(place, value) {
        const text = JSON.stringify(value, (key, v) =>
            typeof v === 'bigint' ? String(v) : v) ?? '';
        const differs = this.#shown.get(place) !== text;

        this.#shown.set(place, text);

        return differs;
    }


    // Makes a place hold an element for each field; what has not changed stays,
    // with what is selected in it.

    #keep(place, fields, task, make) {
        const known = new Map([...place.children].map((c) =>
                                                      [c.dataset.field, c]));

        for (const [field, child] of known) {
            if (!fields.includes(field)) {
                child.remove();
                this.#shown.delete(`=${field}`);
            }
        }

        fields.forEach((field, i) => {
            let child = known.get(field);

            if (this.#differs(`=${field}`, task[field]) || !child) {
                const made = make(field, task[field], this.#schemas[field]);

                made.dataset.field = field;
                child?.remove();
                child = made;
            }

            if (place.children[i] !== child) {
                place.insertBefore(child, place.children[i] ?? null);
            }
        });
    }
}


function titleOf(schema, field) {
    return isTime(schema) ? timeTitle(field) : title(field);
}


function fact(field, value, schema) {
    const hint = schema?.description;
    const shown = isTime(schema) && typeof value === 'string'
        ? timeElement(value, true) : plain(value);

    return element('div', {},
        element('dt', {}, titleOf(schema, field)),
        element('dd', {}, shown,
            hint && hint.length <= 24 && typeof value === 'number'
                ? element('span', { class: 'hint' }, ` ${hint}`) : null));
}


function datum(field, value) {
    const name = title(field);
    const made = jsonElement(value);

    made.setAttribute('role', 'region');
    made.setAttribute('aria-label', name);

    return element('section', {}, element('h3', {}, name), made);
}


// Asks whether to cancel a task, and cancels it.  Calls done(text) with what
// the server says when it has.

export class Question {

    #dialog;
    #problem;
    #yes;
    #ask = null;                // { view, task, source, request, done }

    constructor(dialog) {
        this.#dialog = dialog;
        this.#problem = dialog.querySelector('#cancel-problem');
        this.#yes = dialog.querySelector('#cancel-yes');
        this.#yes.addEventListener('click', () => this.#cancel());
    }


    open(ask) {
        const { view, task } = ask;
        const state = task[view.state];

        this.#ask = ask;
        this.#problem.textContent = '';
        this.#busy(false);
        this.#dialog.querySelector('#cancel-title').textContent =
            `Cancel task ${task[view.id]}?`;
        this.#dialog.querySelector('#cancel-state').replaceChildren(
            ...state == null ? [] : ['It is ', badge(state), '. '],
            'This cannot be undone.');
        this.#dialog.showModal();
    }


    #busy(isBusy) {
        this.#yes.ariaDisabled = String(isBusy);
        this.#yes.textContent = isBusy ? 'Cancelling…' : 'Cancel task';
    }


    async #cancel() {
        if (this.#yes.ariaDisabled === 'true') {
            return;
        }

        const { view, task, source, request, done } = this.#ask;

        this.#busy(true);

        try {
            const { status, result } = await source.send(
                request(view.cancel, pathOf(view.cancel, view, task)));

            if (result.message === undefined) {
                this.#dialog.close();
                done(result.text);
            } else {
                this.#fail(status, result.message);
            }
        } catch (error) {
            this.#fail(0, error.message);
        }

        source.refresh();
    }


    #fail(status, message) {
        const text = message || `the server answers with ${status}`;
        const unknown = status === 0 || status >= 500
            ? ' It may have been cancelled nevertheless.' : '';

        this.#busy(false);
        this.#problem.textContent = `Not cancelled: ${text}.${unknown}`
                                        .replace('..', '.');
    }
}
