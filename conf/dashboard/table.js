// The table of tasks.  Rows are kept by their ids and changed in place, so that
// focus, selection and a running animation outlive a poll.  One row at a time
// can be tabbed to; arrows, Home, End move to others.

import { canCancel, isNumber, isTime, progressOfTask, typesOf }
    from './definition.js';
import { badge, element, idElements, timeElement, timeTitle, title, tone }
    from './text.js';

const MOST = 9;                 // columns
const NAME = 3;                 // a rank: the less, the more it says


// Columns: the fields of the list that say most by their names and types, as
// far as a task of the list has them or they are kept: { field, kind, rank }.

function columnsOf(view, tasks, kept = new Set()) {
    const filters = view.list.parameters.map((p) => p.field);
    const found = [];

    view.columns.forEach((field, place) => {
        const schema = view.fields[field];
        const kind = kindOf(view, field, schema);

        if (kind && (field === view.id || kept.has(field)
                     || tasks.some((task) => !isEmpty(task[field])))) {
            found.push({ field, kind, schema, place,
                         rank: rankOf(view, field, kind, filters) });
        }
    });

    found.sort((a, b) => a.rank - b.rank || a.place - b.place);

    // one name says enough where there is little room
    found.filter(({ rank }) => rank === NAME).slice(1)
         .forEach((column) => { column.rank = NAME + 4; });

    const lead = found.find(({ kind }) => kind === 'text');

    if (lead) {
        lead.isLead = true;
    }

    const order = ['id', 'state', 'text', 'number', 'progress', 'time'];

    return found.slice(0, MOST)
                .sort((a, b) => order.indexOf(a.kind) - order.indexOf(b.kind)
                                || a.rank - b.rank || a.place - b.place);
}


function isEmpty(value) {
    return value == null || value === '' || Array.isArray(value)
                                             && value.length === 0;
}


// null if it is not for a table.

function kindOf(view, field, schema) {
    const types = typesOf(schema);

    if (field === view.id) {
        return 'id';
    }

    if (field === view.state) {
        return 'state';
    }

    if (view.progress && field === view.progress.done) {
        return 'progress';
    }

    if (view.progress && field === view.progress.total
        || types.length !== 1 || types[0] === 'object') {
        return null;
    }

    return isTime(schema) ? 'time' : isNumber(schema) ? 'number' : 'text';
}


function rankOf(view, field, kind, filters) {
    const name = title(field).toLowerCase();

    return kind === 'id' ? 0
         : kind === 'state' ? 1
         : /(?:^| )(?:type|kind|category)$/.test(name) ? 2
         : /(?:^| )(?:name|title|subject|label)$/.test(name) ? NAME
         : kind === 'progress' ? 4
         : field === view.order || /^created/.test(name) ? 5
         : filters.includes(field) ? 6
         : kind === 'time' ? 7
         : / id$/.test(name) ? 9
         : 8;
}


export class Table {

    #view;
    #handlers;                  // open(task), cancel(task), hrefOf(task)
    #table;
    #body = element('tbody', { role: 'rowgroup' });
    #head = element('thead', { role: 'rowgroup' });
    #columns = [];
    #rows = new Map();          // id => { row, task, cells, link, button }
    #current = null;            // the id of the row that can be tabbed to

    constructor(view, handlers) {
        this.#view = view;
        this.#handlers = handlers;
        this.#table = element('table', { role: 'table', class: 'tasks' },
            element('caption', { class: 'unseen' }, title(view.label)),
            this.#head, this.#body);

        this.#body.addEventListener('keydown', (event) => this.#key(event));
        this.#body.addEventListener('focusin', (event) => this.#focus(event));
        this.#body.addEventListener('click', (event) => this.#click(event));
    }


    get element() {
        return this.#table;
    }


    // Shows tasks in their order.  Returns those whose state has changed, each
    // as [task, old state].

    update(tasks) {
        const ids = new Set(tasks.map((task) => this.#id(task)));
        const changed = [];

        // of a row that goes it would be lost
        const hadFocus = this.#body.contains(document.activeElement);

        this.#setColumns(tasks);

        for (const [id, { row }] of this.#rows) {
            if (!ids.has(id)) {
                row.remove();
                this.#rows.delete(id);
            }
        }

        let place = this.#body.firstElementChild;

        for (const task of tasks) {
            const entry = this.#rows.get(this.#id(task)) ?? this.#add(task);
            const before = entry.task[this.#view.state];

            if (entry.task[this.#view.state] !== task[this.#view.state]) {
                changed.push([task, before]);
                flash(entry.row);
            }

            this.#fill(entry, task);

            if (entry.row === place) {
                place = place.nextElementSibling;
            } else {
                this.#body.insertBefore(entry.row, place);
            }
        }

        if (!this.#rows.has(this.#current)) {
            this.#current = this.#rows.keys().next().value ?? null;
        }

        this.#setTabs();

        if (hadFocus && !this.#body.contains(document.activeElement)) {
            this.focus();
        }

        return changed;
    }


    // Marks the task that is looked at; null is none.

    select(id) {
        for (const [own, { row, link }] of this.#rows) {
            row.classList.toggle('selected', own === id);
            link.ariaCurrent = own === id ? 'true' : null;
        }

        if (this.#rows.has(id)) {
            this.#current = id;
            this.#setTabs();
        }
    }


    focus() {
        this.#rows.get(this.#current)?.link.focus();
    }


    #id(task) {
        return String(task[this.#view.id]);
    }


    // Columns only grow while a list is shown: none jumps away under the eye.

    #setColumns(tasks) {
        const wanted = tasks.length ? columnsOf(this.#view, tasks) : [];
        const known = new Set(this.#columns.map((column) => column.field));

        if (this.#columns.length < MOST
            && wanted.some(({ field }) => !known.has(field))) {
            this.#columns = columnsOf(this.#view, tasks, known);
            this.#rows.clear();
            this.#body.replaceChildren();
            this.#head.replaceChildren(this.#header());
        }
    }


    #header() {
        const cells = this.#columns.map((column) =>
            element('th', { role: 'columnheader', scope: 'col',
                            class: classOf(column) }, columnTitle(column)));

        if (this.#view.cancel) {
            cells.push(element('th', { role: 'columnheader', scope: 'col',
                                       class: 'action' },
                               element('span', { class: 'unseen' }, 'Action')));
        }

        return element('tr', { role: 'row' }, ...cells);
    }


    #add(task) {
        const id = this.#id(task);
        const link = element('a', { title: id }, ...idElements(id));
        const row = element('tr', { role: 'row' });
        const cells = this.#columns.map((column) => {
            const isId = column.kind === 'id';

            return element(isId ? 'th' : 'td',
                           { role: isId ? 'rowheader' : 'cell',
                             scope: isId ? 'row' : null,
                             class: classOf(column),
                             'data-label': columnTitle(column) },
                           isId ? link : null);
        });

        row.append(...cells);
        row.dataset.id = id;

        const entry = { row, task, cells, link, button: null,
                        shown: cells.map(() => undefined) };

        if (this.#view.cancel) {
            entry.action = element('td', { role: 'cell', class: 'action' });
            row.append(entry.action);
        }

        this.#rows.set(id, entry);

        return entry;
    }


    #fill(entry, task) {
        entry.task = task;
        entry.link.href = this.#handlers.hrefOf(task);

        this.#columns.forEach((column, i) => {
            if (column.kind === 'id') {
                return;
            }

            const value = column.kind === 'progress'
                ? [task[column.field], task[this.#view.progress.total],
                   task[this.#view.state]].join()
                : String(task[column.field] ?? '');

            if (entry.shown[i] !== value) {
                entry.shown[i] = value;
                fillCell(entry.cells[i], column, this.#view, task);
            }
        });

        this.#offer(entry, task);
    }


    // The button to cancel, where the document lets a cancel change the task.

    #offer(entry, task) {
        const can = canCancel(this.#view, task);

        if (!can && entry.button) {
            if (entry.button === document.activeElement) {
                entry.link.focus();
            }

            entry.button.remove();
            entry.button = null;

        } else if (can && !entry.button) {
            entry.button = element('button',
                { type: 'button', class: 'quiet',
                  'aria-label': `Cancel task ${this.#id(task)}` }, 'Cancel');
            entry.action.append(entry.button);
        }
    }


    #setTabs() {
        for (const [id, { link, button }] of this.#rows) {
            const index = id === this.#current ? 0 : -1;

            link.tabIndex = index;

            if (button) {
                button.tabIndex = index;
            }
        }
    }


    #entryOf(event) {
        return this.#rows.get(event.target.closest('tr')?.dataset.id);
    }


    #focus(event) {
        this.#current = this.#id(this.#entryOf(event).task);
        this.#setTabs();
    }


    #click(event) {
        const entry = this.#entryOf(event);

        if (!entry || event.ctrlKey || event.metaKey || event.shiftKey) {
            return;
        }

        if (event.target === entry.button) {
            this.#handlers.cancel(entry.task);
            return;
        }

        // text that is being selected is no click
        if (String(getSelection()) === '' || event.target === entry.link) {
            event.preventDefault();
            entry.link.focus();
            this.#handlers.open(entry.task);
        }
    }


    #key(event) {
        const entry = this.#entryOf(event);
        const { row, link, button } = entry;
        const to = {
            ArrowDown: row.nextElementSibling,
            ArrowUp: row.previousElementSibling,
            Home: this.#body.firstElementChild,
            End: this.#body.lastElementChild,
        }[event.key];

        if (to) {
            this.#rows.get(to.dataset.id).link.focus();
        } else if (event.key === 'ArrowRight' && button) {
            button.focus();
        } else if (event.key === 'ArrowLeft') {
            link.focus();
        } else {
            return;
        }

        event.preventDefault();
    }
}


function flash(row) {
    row.classList.remove('changed');
    void row.offsetWidth;       // starts the animation again
    row.classList.add('changed');
}


// "rank-1" to "rank-3": from which width on a column is shown; "lead": beside
// the id where there are no columns.

function classOf({ kind, rank, isLead }) {
    return `${kind} rank-${rank <= 4 ? 1 : rank <= 6 ? 2 : 3}`
           + (isLead ? ' lead' : '');
}


function columnTitle({ field, kind }) {
    return kind === 'time' ? timeTitle(field) : title(field);
}


function fillCell(cell, { field, kind }, view, task) {
    const value = task[field];

    if (kind === 'progress') {
        fillProgress(cell, view, task);
    } else if (isEmpty(value)) {
        cell.replaceChildren();
    } else if (kind === 'state') {
        cell.replaceChildren(badge(value));
    } else if (kind === 'time') {
        cell.replaceChildren(timeElement(String(value)));
    } else {
        const text = plain(value);

        cell.replaceChildren(element('span', { class: 'text', title: text },
                                     text));
    }
}


export function plain(value) {
    return Array.isArray(value) ? value.map(plain).join(', ')
         : typeof value === 'boolean' ? (value ? 'yes' : 'no')
         : value !== null && typeof value === 'object' ? JSON.stringify(value)
         : String(value);
}


// A bar that is there already only moves.

export function fillProgress(cell, view, task) {
    const progress = progressOfTask(view, task);

    if (!progress) {
        const value = task[view.progress.done];

        cell.replaceChildren(value ? String(value) : '');
        return;
    }

    const { value, of } = progress;
    const bar = cell.querySelector('progress') ?? element('progress', {
        'aria-label': `Progress of task ${task[view.id]}` });

    bar.max = of;
    bar.value = value;
    bar.className = tone(task[view.state] ?? '');

    const percent = `${Math.floor(100 * value / of)} %`;
    const text = view.progress.of ? percent : `${value} / ${of}`;

    if (bar.parentNode) {
        cell.querySelector('.amount').textContent = text;
    } else {
        cell.replaceChildren(element('span', { class: 'bar' }, bar,
                             element('span', { class: 'amount' }, text)));
    }

    bar.parentNode.title = percent;
}
