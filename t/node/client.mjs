// Makes types of OpenAPI documents, compiles client.ts with them and runs it.
// Prints what the client prints.  The argument is a JSON object: by the name of
// an API its document (a URL), the base of its requests and headers.
//
//   node client.mjs '{"omelette": {"document": ..., "base": ..., "headers": {}}}'

import { spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

import openapiTS, { astToString } from 'openapi-typescript';
import ts from 'typescript';

const here = dirname(fileURLToPath(import.meta.url));
const access = JSON.parse(process.argv[2]);

// beside the packages, which it imports
const directory = mkdtempSync(join(here, 'client-'));

async function main() {
    for (const [api, { document }] of Object.entries(access)) {
        const types = astToString(await openapiTS(new URL(document)));

        writeFileSync(join(directory, `${api}.d.ts`), types);
    }

    cpSync(join(here, 'client.ts'), join(directory, 'client.ts'));
    compile(join(directory, 'client.ts'));

    const { status } = spawnSync(process.execPath,
                                 [join(directory, 'client.js'), process.argv[2]],
                                 { stdio: 'inherit', timeout: 120000 });
    return status;
}

function compile(file) {
    const program = ts.createProgram([file], {
        strict: true,
        skipLibCheck: true,
        target: ts.ScriptTarget.ES2022,
        module: ts.ModuleKind.NodeNext,
        moduleResolution: ts.ModuleResolutionKind.NodeNext,
        lib: ['lib.es2022.d.ts', 'lib.dom.d.ts', 'lib.dom.iterable.d.ts'],
        types: [],
    });
    const wrong = [...ts.getPreEmitDiagnostics(program),
                   ...program.emit().diagnostics];

    if (wrong.length)
        throw new Error(ts.formatDiagnostics(wrong, {
            getCanonicalFileName: (name) => name,
            getCurrentDirectory: () => directory,
            getNewLine: () => '\n',
        }));
}

try {
    process.exitCode = await main();
} finally {
    rmSync(directory, { recursive: true });
}
