// The form of a list: a field for each parameter that filters, as the document
// describes it; and the pages of a list, by whichever parameter there is.

import { isNumber, typesOf } from './definition.js';
import { element, title } from './text.js';

const SIZES = [10, 20, 50, 100, 200, 500, 1000];
const PATIENCE = 350;           // ms after a key, before what is typed holds


// Parameters that a reader of the list chooses.

function isChosen(parameter) {
    return parameter.role === 'filter' || parameter.role === 'choice'
           || parameter.role === '' && parameter.required;
}


export function roleOf(view, role) {
    return view.list.parameters.find((p) => p.role === role) ?? null;
}


// What the list is asked for if nobody chooses: what is required, with the
// first of its values, and the size of pages.

export function defaults(view) {
    const values = {};

    for (const { name, role, required, schema } of view.list.parameters) {
        if (role === 'limit') {
            values[name] = String(schema.default > 0 ? schema.default
                                                     : sizes(schema)[1]
                                                       ?? sizes(schema)[0]);

        } else if (required && schema.enum) {
            values[name] = String(schema.default ?? schema.enum[0]);
        }
    }

    return values;
}


function sizes(schema) {
    const { minimum = 1, maximum = Infinity, default: usual } = schema;
    const offered = schema.enum ?? [...SIZES, usual ?? 20];
    const good = [...new Set(offered.map(Number))]
        .filter((n) => n > 0 && n >= minimum && n <= maximum);

    return good.length ? good.sort((a, b) => a - b) : [Math.max(1, minimum)];
}


export class Form {

    #form = element('form', { role: 'search', 'aria-label': 'Filters',
                              class: 'filters' });
    #fields = new Map();        // name => the control
    #lists = new Map();         // name => datalist, and what is in it
    #timer = null;
    #usual;
    #clear;

    // change(values) is called with all values of the form, "" for none

    constructor(view, change) {
        const send = () => { clearTimeout(this.#timer); change(this.values); };

        for (const parameter of view.list.parameters.filter(isChosen)) {
            this.#form.append(this.#field(parameter, view));
        }

        this.#usual = defaults(view);
        this.#clear = element('button', { type: 'button', class: 'quiet',
            onclick: () => { this.values = this.#usual; send(); } },
            'Clear filters');
        this.#form.append(this.#clear);

        this.#form.hidden = this.#fields.size === 0;
        this.#form.addEventListener('submit', (event) => {
            event.preventDefault();
            send();
        });
        this.#form.addEventListener('change', send);
        this.#form.addEventListener('input', (event) => {
            clearTimeout(this.#timer);

            if (event.target.tagName === 'INPUT') {
                this.#timer = setTimeout(send, PATIENCE);
            }
        });
    }


    get element() {
        return this.#form;
    }


    get values() {
        return Object.fromEntries([...this.#fields].map(([name, field]) =>
                                                  [name, field.value.trim()]));
    }


    // A field that is being typed into is left alone.

    set values(values) {
        for (const [name, field] of this.#fields) {
            if (field !== document.activeElement) {
                field.value = values[name] ?? '';
            }
        }

        this.#clear.hidden = [...this.#fields].every(([name, field]) =>
            field.value === (this.#usual[name] ?? ''));
    }


    // Offers values that tasks have, besides those of the document.

    learn(tasks) {
        for (const { list, field, known } of this.#lists.values()) {
            for (const value of tasks.map((task) => task[field])) {
                if (typeof value === 'string' && value && !known.has(value)
                    && known.size < 50) {
                    known.add(value);
                    list.append(element('option', { value }));
                }
            }
        }
    }


    #field(parameter, view) {
        const { name, schema, required } = parameter;
        const id = `field-${name}`;
        const values = schema.enum ?? (typesOf(schema)[0] === 'boolean'
                                       ? [true, false] : null);
        const control = values ? choice(id, values, required)
                               : this.#input(id, parameter, view);

        this.#fields.set(name, control);

        return element('div', { class: 'field' },
            element('label', { for: id, title: parameter.description || null },
                    title(name)), control, this.#lists.get(name)?.list);
    }


    #input(id, parameter, view) {
        const { name, field, schema, several, required } = parameter;
        const whole = isNumber(schema) && !several;
        const known = new Set((schema.examples ?? []).map(String));

        if (!isNumber(schema) && !schema.format) {
            const rule = field === view.state ? view.rule : null;

            [...rule?.values ?? [], ...rule?.except ?? []]
                .forEach((value) => known.add(String(value)));

            this.#lists.set(name, { field, known,
                list: element('datalist', { id: `${id}-values` },
                    ...[...known].map((value) =>
                                  element('option', { value }))) });
        }

        return element('input', {
            id, required, autocomplete: 'off', spellcheck: 'false',
            type: whole ? 'number' : 'text',
            min: whole ? schema.minimum : null,
            max: whole ? schema.maximum : null,
            step: whole && typesOf(schema)[0] === 'number' ? 'any' : null,
            list: this.#lists.has(name) ? `${id}-values` : null,
            placeholder: several ? 'one, or several: a,b'
                                 : required ? 'is needed' : 'any',
        });
    }
}


function choice(id, values, required) {
    return element('select', { id, required },
        required ? null : element('option', { value: '' }, 'any'),
        ...values.map((value) => element('option', { value: String(value) },
            value === true ? 'yes' : value === false ? 'no' : String(value))));
}


// The pages of a list.  turn(values, isNew) is called with the parameters of
// another page; isNew is false if the pages begin anew.

export class Pages {

    #view;
    #turn;
    #kind;                      // "cursor", "page", "offset" or null
    #parameter;
    #limit;
    #values = {};
    #next = null;               // the value of the parameter for the next page
    #before = [];               // cursors of pages before this one
    #places = {};

    constructor(view, turn) {
        this.#view = view;
        this.#turn = turn;
        this.#kind = ['cursor', 'page', 'offset'].find((r) => roleOf(view, r));
        this.#parameter = this.#kind ? roleOf(view, this.#kind) : null;
        this.#limit = roleOf(view, 'limit');
        this.#build();
    }


    get element() {
        return this.#places.nav;
    }


    isFirst(values) {
        return !values[this.#parameter?.name];
    }


    // To the first page: what else is asked for has changed.

    begin(values) {
        this.#before = [];

        return this.#parameter ? { ...values, [this.#parameter.name]: '' }
                               : values;
    }


    // values: what was asked for; read: what the response says; number: of
    // tasks

    update(values, read, number) {
        const { previous, next, where, size } = this.#places;
        const at = this.#position(values);
        const limit = Number(values[this.#limit?.name] ?? read.limit ?? 0);

        this.#values = values;
        this.#next = this.#nextOf(at, limit, read, number);

        // not "disabled", which would take the focus away
        previous.ariaDisabled = String(at === this.#first());
        next.ariaDisabled = String(this.#next === null);
        previous.hidden = next.hidden = !this.#kind;
        where.textContent = this.#words(at, limit, read, number);

        if (this.#limit) {
            setSize(size, values[this.#limit.name]);
        }
    }


    #first() {
        return this.#kind === 'cursor' ? ''
             : this.#kind === 'page'
               ? Math.max(1, this.#parameter.schema.minimum ?? 1) : 0;
    }


    #position(values) {
        const value = values[this.#parameter?.name] ?? '';

        return this.#kind === 'cursor' ? value
             : value === '' ? this.#first() : Number(value);
    }


    #nextOf(at, limit, read, number) {
        if (this.#kind === 'cursor') {
            return read.next_cursor || null;
        }

        const end = this.#kind === 'page' ? (at - this.#first() + 1) * limit
                                          : at + number;
        const more = read.has_more ?? (read.total !== undefined
            ? end < Number(read.total) : number > 0 && number >= limit);

        return !more || !this.#kind ? null
             : String(this.#kind === 'page' ? at + 1 : at + number);
    }


    #words(at, limit, read, number) {
        const total = read.total === undefined ? ''
            : ` of ${Number(read.total).toLocaleString('en')}`;

        if (this.#kind === 'page' && !limit) {
            return `Page ${at}${total && `, ${total.slice(4)} in all`}`;
        }

        if (this.#kind === 'offset' || this.#kind === 'page') {
            const start = this.#kind === 'page' ? (at - this.#first()) * limit
                                                : at;

            return number ? `${start + 1}–${start + number}${total}`
                          : `none${total}`;
        }

        if (this.#kind === 'cursor' && this.#before.length) {
            return `Page ${this.#before.length + 1}`;
        }

        return !this.#kind && limit && number >= limit
               ? `The first ${number}${total}` : '';
    }


    #go(value, isNew) {
        this.#turn({ ...this.#values, [this.#parameter.name]: String(value) },
                   isNew);
    }


    #forward() {
        if (this.#next !== null) {
            this.#before.push(this.#position(this.#values));
            this.#go(this.#next, true);
        }
    }


    #back() {
        const at = this.#position(this.#values);

        if (at === this.#first()) {
            return;
        }

        if (this.#kind === 'cursor') {
            this.#go(this.#before.pop() ?? '', true);

        } else {
            const step = this.#kind === 'page' ? 1
                : Number(this.#values[this.#limit?.name] ?? 1);
            const to = Math.max(this.#first(), at - step);

            this.#go(to === this.#first() ? '' : to, true);
        }
    }


    #build() {
        const button = (text, act) => element('button',
            { type: 'button', 'aria-disabled': 'true', onclick: act }, text);
        const size = element('select', { id: 'size' },
            ...(this.#limit ? sizes(this.#limit.schema) : []).map((n) =>
                element('option', { value: n }, String(n))));

        size.addEventListener('change', () => this.#turn(
            this.begin({ ...this.#values, [this.#limit.name]: size.value }),
            false));

        this.#places = {
            size,
            where: element('span', { class: 'where' }),
            previous: button('Previous', () => this.#back()),
            next: button('Next', () => this.#forward()),
        };

        const { previous, next, where } = this.#places;

        this.#places.nav = element('nav',
            { 'aria-label': 'Pages', class: 'pages' },
            this.#limit && element('label', { for: 'size' }, 'Rows', size),
            where, previous, next);
    }
}


function setSize(select, value) {
    if (value && ![...select.options].some((o) => o.value === String(value))) {
        select.append(element('option', { value }, String(value)));
    }

    select.value = value ?? '';
}
