// What an OpenAPI document of tasks_openapi says of an API: which lists of
// tasks there are, what can be asked of a task, which fields it has, and what
// of a response is what.  All that the page knows of an API comes from here.
// Pure functions: no DOM, no requests.

const METHODS = ['get', 'post', 'put', 'patch', 'delete'];


// The views of a document, one for each collection that has a list:
//
//   key, label      the collection's tag
//   list, gets, cancel      operations; cancel may be null
//   fields          name => schema, of all that a task shows
//   columns         names of those that a list shows
//   id, state       names of the fields that hold them; state may be null
//   rule            x-tasks-cancel-from, or null
//   progress        { done, total } or { done, of }, or null

export function readDocument(document, url) {
    if (!/^3\./.test(document?.openapi ?? '') || !document.paths) {
        throw new Error('this is no OpenAPI 3 document');
    }

    const base = new URL(document.servers?.[0]?.url ?? '/', url);

    if (base.origin !== new URL(url).origin) {
        throw new Error(`its API is on another server, ${base.origin}`);
    }

    const operations = operationsOf(document, base);
    const tags = [...new Set(operations.map((o) => o.tag))];

    return {
        title: document.info?.title ?? '',
        description: document.info?.description ?? '',
        views: tags.map((tag) => viewOf(tag, document.info?.title,
                                operations.filter((o) => o.tag === tag)))
                   .filter((view) => view !== null),
    };
}


function operationsOf(document, base) {
    const found = [];

    for (const [path, item] of Object.entries(document.paths)) {
        for (const method of METHODS.filter((m) => item[m])) {
            const operation = item[method];

            if (operation['x-tasks-action']) {
                found.push({
                    document, path, base,
                    method: method.toUpperCase(),
                    action: operation['x-tasks-action'],
                    tag: operation.tags?.[0] ?? '',
                    parameters: (operation.parameters ?? []).map(parameterOf),
                    responses: operation.responses ?? {},
                });
            }
        }
    }

    return found;
}


function parameterOf(parameter) {
    const schema = parameter.schema ?? {};

    return {
        name: parameter.name,
        in: parameter.in,
        required: parameter.required === true,
        description: parameter.description ?? '',
        role: parameter['x-tasks-role'] ?? '',
        field: parameter['x-tasks-field'] ?? null,
        schema: schema.items ?? schema,
        several: typesOf(schema).includes('array'),
        comma: parameter.explode === false,
    };
}


function viewOf(tag, api, operations) {
    const of = (action) => operations.filter((o) => o.action === action);

    // that which wants the least, and of those that which offers the most
    const list = of('list').sort((a, b) => wanted(a) - wanted(b)
                               || b.parameters.length - a.parameters.length)[0];

    if (!list) {
        return null;
    }

    const task = taskSchema(list, 'tasks')?.items;
    const brief = resolve(list.document, task ?? {});
    const gets = of('get').filter((o) => !o.parameters.some(isUnknown));
    const detail = gets.map((o) => taskSchema(o, 'task')).find((s) => s) ?? {};
    const fields = { ...brief.properties, ...detail.properties };
    const rule = brief['x-tasks-cancel-from']
                 ?? detail['x-tasks-cancel-from'] ?? null;
    const cancel = of('cancel').find((o) => !o.parameters.some(isUnknown));

    return {
        key: tag, label: tag === api ? 'tasks' : tag, list, gets, rule, fields,
        cancel: rule ? cancel ?? null : null,
        columns: Object.keys(brief.properties ?? {}),
        id: brief['x-tasks-id'] ?? 'id',
        order: brief['x-tasks-order']?.split(' ')[0] ?? null,
        state: rule?.field ?? stateOf(fields),
        progress: progressOf(fields),
    };
}


function wanted(operation) {
    return operation.parameters.filter((p) => p.in === 'path').length;
}


// An operation on a task can be asked for if all that it wants is the task's.

function isUnknown(parameter) {
    return parameter.required && parameter.role !== 'id' && !parameter.field
           && parameter.schema.enum?.length !== 1;
}


function taskSchema(operation, value) {
    return successes(operation).map((s) => find(operation.document, s, value))
                               .find((schema) => schema);
}


// Fields by what their names and types say.  Where these leave a doubt, a field
// is shown as it is.

function stateOf(fields) {
    return Object.keys(fields).find((name) =>
        /^(?:.*_)?(?:status|state|phase)$/i.test(name)
        && typesOf(fields[name]).includes('string')) ?? null;
}


const DONE = /^(?:progress|done|current|processed|completed|finished)(.*)$/;
const PERCENT =
    /^(?:(?:progress)?(?:percent|pct)|percent(?:age|complete|done))$/;

function progressOf(fields) {
    const numbers = Object.keys(fields)
                          .filter((name) => isNumber(fields[name]));
    const plain = (name) => name.replace(/[^a-z]/gi, '').toLowerCase();

    for (const name of numbers) {
        const { minimum, maximum } = fields[name];
        const known = minimum === 0 && (maximum === 100 || maximum === 1);

        if (known && /progress|percent|pct|completion/.test(plain(name))) {
            return { done: name, of: maximum };
        }
    }

    for (const name of numbers) {
        const rest = DONE.exec(plain(name))?.[1];
        const totals = [`total${rest}`, `${rest}total`, `progresstotal`];
        const total = rest !== undefined && numbers.find((other) =>
            other !== name && totals.includes(plain(other)));

        if (total) {
            return { done: name, total };
        }
    }

    const percent = numbers.find((name) => PERCENT.test(plain(name)));

    return percent ? { done: percent, of: 100 } : null;
}


// How far a task is: { value, of } with 0 <= value <= of, or null.

export function progressOfTask(view, task) {
    const value = task[view.progress?.done];
    const of = view.progress?.of ?? task[view.progress?.total];

    return typeof value === 'number' && typeof of === 'number'
           && of > 0 && value >= 0 && value <= of ? { value, of } : null;
}


export function typesOf(schema) {
    return [].concat(schema?.type ?? []).filter((type) => type !== 'null');
}


export function isNumber(schema) {
    const types = typesOf(schema);

    return types.length === 1 && /^(?:integer|number)$/.test(types[0]);
}


export function isTime(schema) {
    return /^date-time(?:-local)?$/.test(schema?.format ?? '');
}


// Whether the document says that a cancel changes a task in this state.

export function canCancel(view, task) {
    const { rule } = view;

    if (!view.cancel || pathOf(view.cancel, view, task) === null) {
        return false;
    }

    const has = (values, field) => values.some((value) =>
                                       String(value) === String(task[field]));

    // of a field that is never shown the server knows
    for (const [field, values] of Object.entries(rule.where ?? {})) {
        if (field in view.fields && !has(values, field)) {
            return false;
        }
    }

    return task[rule.field] != null
           && (rule.values ? has(rule.values, rule.field)
                           : !has(rule.except ?? [], rule.field));
}


// The URL of an operation on a task; null if the task lacks what is wanted.

export function pathOf(operation, view, task) {
    const values = {};

    for (const parameter of operation.parameters) {
        const field = parameter.role === 'id' ? view.id : parameter.field;
        const value = task[field] ?? (parameter.required
                                      ? parameter.schema.enum?.[0] : undefined);

        // a browser takes "." and ".." for steps, not for names
        if (value != null && !/^\.{1,2}$/.test(value)) {
            values[parameter.name] = String(value);

        } else if (parameter.required) {
            return null;
        }
    }

    return urlOf(operation, values);
}


// The URL of an operation with parameters by name; "" is none.

export function urlOf(operation, values) {
    const query = new URLSearchParams();
    let path = operation.path;

    for (const parameter of operation.parameters) {
        const value = values[parameter.name] ?? '';

        if (value === '') {
            continue;
        }

        if (parameter.in === 'path') {
            path = path.replace(`{${parameter.name}}`,
                                encodeURIComponent(value));

        } else if (parameter.several && !parameter.comma) {
            value.split(',').forEach((one) => query.append(parameter.name,
                                                           one.trim()));

        } else {
            query.append(parameter.name, parameter.several
                         ? value.replace(/\s*,\s*/g, ',') : value);
        }
    }

    const text = query.toString();

    return operation.base.pathname.replace(/\/$/, '') + path
           + (text && `?${text}`);
}


// Schemas

function resolve(document, schema) {
    for (let depth = 0; schema?.$ref && depth < 16; depth++) {
        const { $ref, ...own } = schema;
        const target = $ref.replace(/^#\//, '').split('/').reduce((at, key) =>
            at?.[key.replaceAll('~1', '/').replaceAll('~0', '~')], document);

        schema = { ...target, ...own };
    }

    return schema ?? {};
}


// The forms that a status can have.

function forms(operation, status) {
    const content = operation.responses[status]?.content ?? {};

    return Object.values(content).flatMap((media) => {
        const schema = resolve(operation.document, media.schema);

        return schema.anyOf?.map((s) => resolve(operation.document, s))
               ?? [schema];
    });
}


// Of several forms with one status the first is the success.

function successes(operation) {
    return Object.keys(operation.responses).filter((s) => /^2/.test(s))
                 .map((s) => forms(operation, s)[0]).filter((s) => s);
}


// The schema of a value: depth first, in the order of the document.

function find(document, schema, value) {
    schema = resolve(document, schema);

    if (schema['x-tasks-value'] === value) {
        return schema;
    }

    for (const part of [...Object.values(schema.properties ?? {}),
                        ...schema.prefixItems ?? []]) {
        const found = find(document, part, value);

        if (found) {
            return found;
        }
    }

    return null;
}


// Calls back with the name, what is there and its schema for each value of a
// body that the schema names.

function walk(document, schema, body, visit) {
    schema = resolve(document, schema);

    if (body === undefined) {
        return;
    }

    if (schema['x-tasks-value']) {
        visit(schema['x-tasks-value'], body, schema);
        return;
    }

    if (body === null || typeof body !== 'object') {
        return;
    }

    for (const [name, part] of Object.entries(schema.properties ?? {})) {
        walk(document, part, body[name], visit);
    }

    (schema.prefixItems ?? []).forEach((part, i) =>
        walk(document, part, body[i], visit));

    // as the errors of a validation are
    if (Array.isArray(body) && typeof schema.items === 'object') {
        body.forEach((one) => walk(document, schema.items, one, visit));
    }
}


// Whether a body has a form: by what must be there, and by its literals.

function matches(document, schema, body) {
    schema = resolve(document, schema);

    if ('const' in schema) {
        return body === schema.const;
    }

    if (schema['x-tasks-value'] || !schema.properties) {
        return true;
    }

    return body !== null && typeof body === 'object'
           && (schema.required ?? []).every((name) => name in body)
           && Object.entries(schema.properties).every(([name, part]) =>
                  !(name in body) || matches(document, part, body[name]));
}


// Reads a response: { values, fields } of a success, where fields has the
// schemas of "task.FIELD"; else { message }, in the server's own words.

export function readResponse(operation, status, text) {
    let body;

    try {
        body = text === '' ? undefined : parse(text);
    } catch {
        body = undefined;
    }

    const own = forms(operation, String(status));

    if (status >= 200 && status < 300) {
        const success = own[0];

        if (!success || matches(operation.document, success, body)) {
            return read(operation, success ?? {}, body);
        }
    }

    return { message: messageOf(operation, own, body, text) };
}


function read(operation, schema, body) {
    const values = {};
    const fields = {};

    walk(operation.document, schema, body, (name, value, part) => {
        values[name] ??= value;

        if (name.startsWith('task.')) {
            fields[name.slice(5)] = part;
        }
    });

    return { values, fields, text: typeof body?.message === 'string'
                                   ? body.message : '' };
}


function messageOf(operation, own, body, text) {
    const form = own.find((schema) =>
        schema['x-tasks-value'] === undefined
        && matches(operation.document, schema, body)
        && find(operation.document, schema, 'message')) ?? own.at(-1);
    const said = [];
    let parameter = null;

    walk(operation.document, form ?? {}, body, (name, value) => {
        if (name === 'message' && typeof value === 'string') {
            said.push(value);
        } else if (name === 'parameter' && typeof value === 'string') {
            parameter = value;
        }
    });

    // of an error that the document does not know
    if (!said.length) {
        said.push(...guess(body));
    }

    if (!said.length && body === undefined && !/^\s*</.test(text)) {
        said.push(text.trim().slice(0, 300));
    }

    const message = said.filter((s) => s).join('. ');

    return message && parameter && !message.includes(parameter)
           ? `${message} (${parameter})` : message;
}


function guess(body) {
    return ['message', 'error_message', 'detail', 'msg', 'error', 'title']
        .map((name) => body?.[name])
        .filter((value) => typeof value === 'string' && value).slice(0, 1);
}


// JSON whose integers keep their digits where the browser can tell them.

function parse(text) {
    return JSON.parse(text, (key, value, context) =>
        typeof value === 'number' && !Number.isSafeInteger(value)
        && /^-?\d+$/.test(context?.source ?? '') ? BigInt(context.source)
                                                 : value);
}
